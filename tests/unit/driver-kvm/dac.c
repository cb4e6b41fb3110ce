/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files change hands for a guest and go back, for real; root only. "nobody" stands for QEMU's user. */
#include "driver-kvm/dac.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"

#define NOBODY 65534
#define OWNER 12345

static const gid_t groups[] = {NOBODY};
static const ProcessIds ids = {NOBODY, NOBODY, groups, 1};

typedef struct {
    char *folder, *runs, *one, *two, *file;
    Dac *dac;
} Fixture;

static void setup(Fixture *f, gconstpointer data)
{
    f->folder = g_dir_make_tmp("dac-XXXXXX", NULL);
    g_chmod(f->folder, 0755);
    f->runs = g_build_filename(f->folder, "runs", NULL);
    f->one = g_build_filename(f->runs, "one", NULL);
    f->two = g_build_filename(f->runs, "two", NULL);
    f->file = g_build_filename(f->folder, "a file", NULL);
    g_assert_true(file_make_folder(f->one, 0755, NULL));
    g_assert_true(file_make_folder(f->two, 0755, NULL));
    g_assert_true(g_file_set_contents(f->file, "x", 1, NULL));
    g_chmod(f->file, 0600);
    g_assert_cmpint(chown(f->file, OWNER, OWNER), ==, 0);
    f->dac = dac_new(&ids, f->runs);
}

static void teardown(Fixture *f, gconstpointer data)
{
    dac_free(f->dac);
    g_assert_true(file_remove_tree(f->folder, NULL));
    g_free(f->folder);
    g_free(f->runs);
    g_free(f->one);
    g_free(f->two);
    g_free(f->file);
}

static gboolean take(Dac *dac, const char *run, const char *path, gboolean write, GError **error)
{
    g_autoptr(GPtrArray) paths = dac_paths_new();
    dac_paths_add(paths, path, write);
    dac_paths_add(paths, "relative", write);
    dac_paths_add(paths, NULL, write);
    g_assert_cmpuint(paths->len, ==, 1);
    return dac_take(dac, run, paths, error);
}

static void assert_owner(const char *path, uid_t uid)
{
    struct stat st;
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpuint(st.st_uid, ==, uid);
    g_assert_cmpuint(st.st_gid, ==, uid);
}

static void test_one(Fixture *f, gconstpointer data)
{
    g_autofree char *record = g_build_filename(f->one, "dac", NULL);

    g_assert_true(take(f->dac, f->one, f->file, TRUE, NULL));
    assert_owner(f->file, NOBODY);
    g_assert_true(g_file_test(record, G_FILE_TEST_EXISTS));
    dac_give_back(f->dac, f->one);
    assert_owner(f->file, OWNER);
    g_assert_false(g_file_test(record, G_FILE_TEST_EXISTS));
    dac_give_back(f->dac, f->one); /* nothing more to give */
}

/* Readable is enough for what is only read. */
static void test_enough(Fixture *f, gconstpointer data)
{
    g_chmod(f->file, 0644);
    g_assert_true(take(f->dac, f->one, f->file, FALSE, NULL));
    assert_owner(f->file, OWNER);
    g_assert_true(take(f->dac, f->one, f->file, TRUE, NULL));
    assert_owner(f->file, NOBODY);
    dac_give_back(f->dac, f->one);
    assert_owner(f->file, OWNER);
}

static void test_shared(Fixture *f, gconstpointer data)
{
    g_assert_true(take(f->dac, f->one, f->file, FALSE, NULL));
    g_assert_true(take(f->dac, f->two, f->file, TRUE, NULL));
    dac_give_back(f->dac, f->one);
    assert_owner(f->file, NOBODY);
    dac_give_back(f->dac, f->two);
    assert_owner(f->file, OWNER);
}

/* A device goes: its files, but for those that another device of the guest, or another guest, has. */
static void test_drop(Fixture *f, gconstpointer data)
{
    g_autoptr(GPtrArray) gone = dac_paths_new(), none = dac_paths_new();

    dac_paths_add(gone, f->file, TRUE);
    g_assert_true(take(f->dac, f->one, f->file, TRUE, NULL));
    dac_drop(f->dac, f->one, none, none);
    dac_drop(f->dac, f->one, gone, gone);
    assert_owner(f->file, NOBODY);
    g_assert_true(take(f->dac, f->two, f->file, TRUE, NULL));
    dac_drop(f->dac, f->one, gone, none);
    assert_owner(f->file, NOBODY);
    g_autoptr(Dac) next = dac_new(&ids, f->runs); /* what was dropped is on disk */
    dac_drop(next, f->two, gone, none);
    assert_owner(f->file, OWNER);
    g_assert_true(take(next, f->two, f->file, TRUE, NULL)); /* and it can come again */
    assert_owner(f->file, NOBODY);
    dac_give_back(next, f->two);
    assert_owner(f->file, OWNER);
}

/* The daemon is killed in between; the new one knows whose the file was, and that two use it. */
static void test_restart(Fixture *f, gconstpointer data)
{
    g_assert_true(take(f->dac, f->one, f->file, TRUE, NULL));
    g_assert_true(take(f->dac, f->two, f->file, TRUE, NULL));
    g_autoptr(Dac) next = dac_new(&ids, f->runs);
    dac_give_back(next, f->two);
    assert_owner(f->file, NOBODY);
    g_autoptr(Dac) third = dac_new(&ids, f->runs);
    dac_give_back(third, f->one);
    assert_owner(f->file, OWNER);
}

/* Another file under the same name, or another owner, is left alone. */
static void test_changed(Fixture *f, gconstpointer data)
{
    g_assert_true(take(f->dac, f->one, f->file, TRUE, NULL));
    g_assert_cmpint(chown(f->file, 7, 7), ==, 0);
    dac_give_back(f->dac, f->one);
    assert_owner(f->file, 7);

    g_autofree char *old = g_strconcat(f->file, ".old", NULL);
    g_assert_true(take(f->dac, f->one, f->file, TRUE, NULL));
    g_assert_cmpint(g_rename(f->file, old), ==, 0);
    g_assert_true(g_file_set_contents(f->file, "y", 1, NULL));
    g_assert_cmpint(chown(f->file, NOBODY, NOBODY), ==, 0);
    dac_give_back(f->dac, f->one);
    assert_owner(f->file, NOBODY);
}

static void test_refused(Fixture *f, gconstpointer data)
{
    g_autofree char *closed = g_build_filename(f->folder, "closed", NULL);
    g_autofree char *inside = g_build_filename(closed, "file", NULL);
    g_autofree char *absent = g_build_filename(f->folder, "absent", NULL);
    g_autofree char *hint = g_strdup_printf("('%s' may not be searched)", closed);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir(closed, 0700), ==, 0);
    g_assert_true(g_file_set_contents(inside, "x", 1, NULL));
    g_assert_false(take(f->dac, f->one, inside, FALSE, &error));
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
    g_assert_nonnull(strstr(error->message, hint));
    g_clear_error(&error);
    dac_give_back(f->dac, f->one);
    assert_owner(inside, 0);

    g_assert_false(take(f->dac, f->one, absent, FALSE, &error));
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Fixture *, gconstpointer);
    } tests[] = {
        {"/driver-kvm/dac/one", test_one},         {"/driver-kvm/dac/enough", test_enough},
        {"/driver-kvm/dac/shared", test_shared},   {"/driver-kvm/dac/restart", test_restart},
        {"/driver-kvm/dac/changed", test_changed}, {"/driver-kvm/dac/refused", test_refused},
        {"/driver-kvm/dac/drop", test_drop},
    };

    g_test_init(&argc, &argv, NULL);
    if (getuid() != 0) {
        g_print("1..0 # SKIP not root\n");
        return 0;
    }
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, setup, tests[i].test, teardown);
    return g_test_run();
}
