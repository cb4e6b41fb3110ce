/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/save-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"

static char *folder;
static gboolean sync_fails;

/* In place of the C library's. */
int fsync(int fd)
{
    struct stat info;
    if (!sync_fails || fstat(fd, &info) != 0 || !S_ISDIR(info.st_mode))
        return (int)syscall(SYS_fsync, fd);
    errno = EIO;
    return -1;
}

static guint count_files(void)
{
    guint n = 0;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    while (g_dir_read_name(dir))
        n++;
    return n;
}

static void write_text(SaveFile *file, const char *text)
{
    g_assert_cmpint(write(save_file_fd(file), text, strlen(text)), ==, strlen(text));
}

static void check_content(const char *path, const char *expected)
{
    g_autofree char *content = file_read(path, 1024, NULL, NULL);
    g_assert_cmpstr(content, ==, expected);
}

static void save(const char *path, const char *text, gboolean bypass_cache)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SaveFile) file = save_file_new(path, bypass_cache, &error);
    g_assert_no_error(error);
    write_text(file, text);
    g_assert_true(save_file_commit(file, &error));
    g_assert_no_error(error);
}

static void test_new(void)
{
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    struct stat info;
    {
        g_autoptr(SaveFile) file = save_file_new(path, FALSE, NULL);
        write_text(file, "half");
        g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS)); /* nobody sees it before it is whole */
    }
    g_assert_cmpuint(count_files(), ==, 0);
    save(path, "whole", FALSE);
    check_content(path, "whole");
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
}

static void test_replace(void)
{
    g_autofree char *path = g_build_filename(folder, "b", NULL);
    save(path, "old", FALSE);
    guint files = count_files();
    {
        g_autoptr(SaveFile) file = save_file_new(path, TRUE, NULL);
        write_text(file, "half");
        check_content(path, "old");
    }
    check_content(path, "old");
    save(path, "new", TRUE);
    check_content(path, "new");
    g_assert_cmpuint(count_files(), ==, files);
}

static void test_errors(void)
{
    const struct {
        const char *path;
        int errnum;
    } rows[] = {{"/nonexistent/x", ENOENT}, {"/", EISDIR}, {"/dev/null", EINVAL}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(save_file_new(rows[i].path, FALSE, &error));
        g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
        g_assert_nonnull(strstr(error->message, rows[i].path));
        g_assert_nonnull(strstr(error->message, g_strerror(rows[i].errnum)));
    }
}

/* A save that failed is not found by the next start. */
static void test_failing_disk(void)
{
    g_autofree char *path = g_build_filename(folder, "failing", NULL);
    g_autoptr(SaveFile) file = save_file_new(path, FALSE, NULL);
    write_text(file, "whole");
    sync_fails = TRUE;
    g_assert_false(save_file_commit(file, NULL));
    sync_fails = FALSE;
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("save-file-XXXXXX", NULL);
    g_test_add_func("/save-file/failing-disk", test_failing_disk);
    g_test_add_func("/save-file/new", test_new);
    g_test_add_func("/save-file/replace", test_replace);
    g_test_add_func("/save-file/errors", test_errors);
    int result = g_test_run();
    file_remove_tree(folder, NULL);
    g_free(folder);
    return result;
}
