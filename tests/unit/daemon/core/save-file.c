/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/save-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"

static char *folder;
static gboolean sync_fails, sync_hangs, write_hangs;

/* In place of the C library's, also in the copy of us that writes the file. */
int fsync(int fd)
{
    struct stat info;
    while (sync_hangs)
        pause();
    if (!sync_fails || fstat(fd, &info) != 0 || !S_ISDIR(info.st_mode))
        return (int)syscall(SYS_fsync, fd);
    errno = EIO;
    return -1;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at)
{
    while (write_hangs)
        pause();
    return syscall(SYS_pwrite64, fd, data, length, at);
}

/* Nothing of a test's disk is slower than this. */
#define PATIENCE (2 * G_USEC_PER_SEC)

static SaveFile *open_file(const char *path, gboolean bypass_cache, GError **error)
{
    const SaveFileHow how = {.bypass_cache = bypass_cache, .patience = PATIENCE};
    return save_file_new(path, &how, error);
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
    g_autoptr(SaveFile) file = open_file(path, bypass_cache, &error);
    g_assert_no_error(error);
    write_text(file, text);
    g_assert_true(save_file_commit(file, &error));
    g_assert_no_error(error);
}

static void test_new(void)
{
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    struct stat info;
    guint files = count_files();
    {
        g_autoptr(SaveFile) file = open_file(path, FALSE, NULL);
        write_text(file, "half");
        g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS)); /* nobody sees it before it is whole */
    }
    g_assert_cmpuint(count_files(), ==, files);
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
        g_autoptr(SaveFile) file = open_file(path, TRUE, NULL);
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
        g_assert_null(open_file(rows[i].path, FALSE, &error));
        g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
        g_assert_nonnull(strstr(error->message, rows[i].path));
        g_assert_nonnull(strstr(error->message, g_strerror(rows[i].errnum)));
    }
}

/* A save that failed is not found by the next start. */
static void test_failing_disk(void)
{
    g_autofree char *path = g_build_filename(folder, "failing", NULL);
    sync_fails = TRUE;
    g_autoptr(SaveFile) file = open_file(path, FALSE, NULL);
    sync_fails = FALSE;
    write_text(file, "whole");
    g_assert_false(save_file_commit(file, NULL));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static GByteArray *bytes_of(const char *text)
{
    return g_byte_array_append(g_byte_array_new(), (const guint8 *)text, strlen(text));
}

/* It says of itself that it is not whole until it has its name. */
static void test_head(void)
{
    g_autofree char *path = g_build_filename(folder, "head", NULL);
    g_autoptr(GByteArray) partial = bytes_of("part "), whole = bytes_of("whole");
    const SaveFileHow how = {.partial = partial, .whole = whole, .patience = PATIENCE};
    g_autoptr(SaveFile) file = save_file_new(path, &how, NULL);
    write_text(file, ", and more");
    g_assert_true(save_file_commit(file, NULL));
    check_content(path, "whole, and more");
}

/* What is written here and there goes into the file itself. */
static void test_seekable(void)
{
    g_autofree char *path = g_build_filename(folder, "seekable", NULL);
    const SaveFileHow how = {.seekable = TRUE, .patience = PATIENCE};
    g_autoptr(SaveFile) file = save_file_new(path, &how, NULL);
    write_text(file, "one two");
    g_assert_cmpint(syscall(SYS_pwrite64, save_file_fd(file), "ONE", 3, 0), ==, 3);
    g_assert_true(save_file_commit(file, NULL));
    check_content(path, "ONE two");
}

static void check_timeout(const GError *error, gint64 begin)
{
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
    g_assert_nonnull(strstr(error->message, g_strerror(ETIMEDOUT)));
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 10 * G_USEC_PER_SEC);
}

static void test_hanging_end(void)
{
    g_autofree char *path = g_build_filename(folder, "hanging-end", NULL);
    g_autoptr(GError) error = NULL;
    sync_hangs = TRUE;
    g_autoptr(SaveFile) file = open_file(path, FALSE, NULL);
    sync_hangs = FALSE;
    write_text(file, "whole");
    gint64 begin = g_get_monotonic_time();
    g_assert_false(save_file_commit(file, &error));
    check_timeout(error, begin);
    g_clear_pointer(&file, save_file_free);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 10 * G_USEC_PER_SEC);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

/* Who writes hears of it, though there is room for what he writes for a while. */
static void test_hanging_writes(void)
{
    g_autofree char *path = g_build_filename(folder, "hanging-writes", NULL);
    g_autofree char *block = g_malloc0(1024 * 1024);
    g_autoptr(GError) error = NULL;
    write_hangs = TRUE;
    g_autoptr(SaveFile) file = open_file(path, FALSE, NULL);
    write_hangs = FALSE;
    gint64 begin = g_get_monotonic_time();
    while (send(save_file_fd(file), block, 1024 * 1024, MSG_NOSIGNAL) > 0) {
    }
    g_assert_cmpint(errno, ==, EPIPE);
    error_set(&error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "broken pipe");
    save_file_explain(file, &error);
    check_timeout(error, begin);
}

/* A disk that is full is told so, too. */
static void test_full(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder, "full", NULL);
    struct rlimit old, small = {4096, 4096};
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    g_autoptr(SaveFile) file = open_file(path, FALSE, NULL);
    setrlimit(RLIMIT_FSIZE, &old);
    g_autofree char *block = g_malloc0(1024 * 1024);
    while (send(save_file_fd(file), block, 1024 * 1024, MSG_NOSIGNAL) > 0) {
    }
    error_set(&error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "broken pipe");
    save_file_explain(file, &error);
    g_assert_nonnull(strstr(error->message, g_strerror(EFBIG)));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("save-file-XXXXXX", NULL);
    g_test_add_func("/save-file/failing-disk", test_failing_disk);
    g_test_add_func("/save-file/full", test_full);
    g_test_add_func("/save-file/hanging-end", test_hanging_end);
    g_test_add_func("/save-file/hanging-writes", test_hanging_writes);
    g_test_add_func("/save-file/head", test_head);
    g_test_add_func("/save-file/seekable", test_seekable);
    g_test_add_func("/save-file/new", test_new);
    g_test_add_func("/save-file/replace", test_replace);
    g_test_add_func("/save-file/errors", test_errors);
    int result = g_test_run();
    file_remove_tree(folder, NULL);
    g_free(folder);
    return result;
}
