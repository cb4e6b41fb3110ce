/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"

static char *folder;

static char *at(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void test_replace(void)
{
    g_autofree char *path = at("replace"), *left = at("replace.new");
    g_autoptr(GError) error = NULL;
    struct stat st;
    g_assert_true(file_replace(path, "one", -1, 0600, &error));
    g_assert_true(file_replace(path, "two\0three", 9, 0640, &error));
    gsize length;
    g_autofree char *text = file_read(path, 100, &length, &error);
    g_assert_cmpmem(text, length, "two\0three", 9);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0640);
    g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
}

/* What a kill left behind is no obstacle, and a symbolic link in its place is not followed. */
static void test_replace_leftovers(void)
{
    g_autofree char *path = at("leftover"), *left = at("leftover.new"), *victim = at("victim");
    g_autoptr(GError) error = NULL;
    g_assert_true(file_replace(left, "half", -1, 0600, &error));
    g_assert_true(file_replace(path, "whole", -1, 0600, &error));
    g_autofree char *text = file_read(path, 100, NULL, &error);
    g_assert_cmpstr(text, ==, "whole");

    g_assert_true(file_replace(victim, "safe", -1, 0600, &error));
    g_assert_cmpint(symlink(victim, left), ==, 0);
    g_assert_false(file_replace_volatile(path, "evil", -1, 0600, &error));
    g_clear_error(&error);
    g_autofree char *still = file_read(victim, 100, NULL, &error);
    g_assert_cmpstr(still, ==, "safe");
    g_unlink(left);
}

static void test_replace_fails(void)
{
    g_autofree char *path = at("no/such/folder");
    g_autoptr(GError) error = NULL;
    g_assert_false(file_replace(path, "x", -1, 0600, &error));
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
    g_assert_nonnull(strstr(error->message, path));
}

static void test_read_limits(void)
{
    g_autofree char *path = at("big"), *fifo = at("fifo"), *link = at("link");
    g_autoptr(GError) error = NULL;
    g_autofree char *big = g_strnfill(100000, 'x');
    g_assert_true(file_replace(path, big, -1, 0600, &error));
    g_autofree char *whole = file_read(path, 100000, NULL, &error);
    g_assert_cmpuint(strlen(whole), ==, 100000);
    g_assert_null(file_read(path, 99999, NULL, &error));
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
    g_clear_error(&error);

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_assert_null(file_read(fifo, 100, NULL, &error)); /* and does not wait */
    g_clear_error(&error);
    g_assert_cmpint(symlink(path, link), ==, 0);
    g_assert_null(file_read(link, 1000000, NULL, &error));
    g_clear_error(&error);
    g_assert_null(file_read(folder, 100, NULL, &error));
    g_clear_error(&error);
    g_assert_null(file_read("/nonexistent", 100, NULL, NULL));
}

static void test_remove(void)
{
    g_autofree char *path = at("gone");
    g_autoptr(GError) error = NULL;
    g_assert_true(file_replace(path, "x", -1, 0600, &error));
    g_assert_true(file_remove(path, &error));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_true(file_remove(path, &error));
}

static void test_beneath(void)
{
    g_autofree char *inside = at("inside"), *file = at("inside/file"), *link = at("inside/link");
    g_autoptr(GError) error = NULL;
    g_assert_true(file_make_folder(inside, 0700, &error));
    g_assert_true(file_replace(file, "x", -1, 0600, &error));
    g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
    int fd = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int one = file_open_beneath(fd, "file", O_RDONLY, 0, &error);
    g_assert_cmpint(one, >=, 0);
    g_assert_cmpint(fcntl(one, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    close(one);
    const char *bad[] = {"../victim", "link", "/etc/passwd", "none"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(file_open_beneath(fd, bad[i], O_RDONLY, 0, &error), ==, -1);
        g_assert_nonnull(error);
        g_clear_error(&error);
    }
    one = file_open_beneath(fd, "made", O_RDWR | O_CREAT, 0600, &error);
    g_assert_cmpint(one, >=, 0);
    close(one);
    close(fd);
}

static void test_remove_tree(void)
{
    g_autofree char *tree = at("tree"), *deep = at("tree/a/b/c"), *file = at("tree/a/file"), *out = at("tree/a/out");
    g_autofree char *kept = at("kept"), *kept_file = at("kept/file");
    g_autoptr(GError) error = NULL;
    g_assert_true(file_make_folder(deep, 0700, &error) && file_make_folder(kept, 0700, &error));
    g_assert_true(file_replace(file, "x", -1, 0600, &error) && file_replace(kept_file, "x", -1, 0600, &error));
    g_assert_cmpint(symlink(kept, out), ==, 0);
    g_assert_true(file_remove_tree(tree, &error));
    g_assert_false(g_file_test(tree, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(kept_file, G_FILE_TEST_EXISTS));
    g_assert_true(file_remove_tree(tree, &error));
    g_assert_true(file_remove_tree(kept_file, &error));
}

static void test_too_deep(void)
{
    g_autoptr(GString) path = g_string_new(folder);
    g_autofree char *top = at("d");
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < 100; i++)
        g_string_append(path, "/d");
    g_assert_true(file_make_folder(path->str, 0700, &error));
    g_assert_false(file_remove_tree(top, &error));
    g_assert_nonnull(error);
}

static void test_lock(void)
{
    g_autofree char *path = at("lock");
    g_autoptr(GError) error = NULL;
    int fd = file_lock(path, &error);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(file_lock(path, &error), ==, -1);
    g_assert_true(error_is(error, VIR_ERR_RESOURCE_BUSY));
    g_clear_error(&error);
    int copy = dup(fd);
    close(fd);
    g_assert_cmpint(file_lock(path, NULL), ==, -1); /* as long as an heir has it */
    close(copy);
    fd = file_lock(path, &error);
    g_assert_cmpint(fd, >=, 0);
    close(fd);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *own = folder = g_dir_make_tmp("duovirt-file-XXXXXX", NULL);
    g_test_add_func("/file/replace", test_replace);
    g_test_add_func("/file/replace-leftovers", test_replace_leftovers);
    g_test_add_func("/file/replace-fails", test_replace_fails);
    g_test_add_func("/file/read-limits", test_read_limits);
    g_test_add_func("/file/remove", test_remove);
    g_test_add_func("/file/beneath", test_beneath);
    g_test_add_func("/file/remove-tree", test_remove_tree);
    g_test_add_func("/file/too-deep", test_too_deep);
    g_test_add_func("/file/lock", test_lock);
    int result = g_test_run();
    const char *rm[] = {"/bin/rm", "-rf", folder, NULL};
    g_spawn_sync(NULL, (char **)rm, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL, NULL);
    return result;
}
