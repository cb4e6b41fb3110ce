/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/patient.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <unistd.h>

static gint64 soon(void)
{
    return g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
}

static void test_open(void)
{
    g_autofree char *folder = g_dir_make_tmp("patient-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    struct stat info;
    char byte = 0;

    g_assert_cmpint(patient_open(path, O_RDONLY, 0, soon()), ==, -1);
    g_assert_cmpint(errno, ==, ENOENT);
    g_assert_false(patient_stat(path, &info, soon()));
    g_assert_cmpint(errno, ==, ENOENT);
    int fd = patient_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, soon());
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(fcntl(fd, F_GETFD), ==, FD_CLOEXEC);
    g_assert_cmpint(write(fd, "x", 1), ==, 1);
    g_assert_cmpint(pread(fd, &byte, 1, 0), ==, 1);
    g_assert_cmpint(byte, ==, 'x');
    close(fd);
    g_assert_true(patient_stat(path, &info, soon()));
    g_assert_cmpint(info.st_size, ==, 1);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
    fd = patient_open(folder, O_RDWR | O_TMPFILE, 0600, soon());
    g_assert_true(fd >= 0 || errno == EOPNOTSUPP);
    close(fd);
    g_unlink(path);
    g_rmdir(folder);
}

/* A pipe that nobody writes to is what a dead server is: the open does not come back. */
static void test_hangs(void)
{
    g_autofree char *folder = g_dir_make_tmp("patient-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "pipe", NULL);
    gint64 begin = g_get_monotonic_time();

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    g_assert_cmpint(patient_open(path, O_RDONLY, 0, begin + G_USEC_PER_SEC / 5), ==, -1);
    g_assert_cmpint(errno, ==, ETIMEDOUT);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 3 * G_USEC_PER_SEC);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_bind(void)
{
    g_autofree char *folder = g_dir_make_tmp("patient-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "socket", NULL);
    g_autofree char *file = g_build_filename(folder, "file", NULL);

    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    for (guint i = 0; i < 2; i++) { /* the second in place of the first */
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        g_assert_true(patient_bind(fd, path, soon()));
        g_assert_false(patient_bind(fd, file, soon()));
        close(fd);
    }
    g_assert_true(patient_unlink_socket(path, soon()));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_true(patient_unlink_socket(file, soon()));
    g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
    g_assert_true(patient_unlink(file, soon()));
    g_assert_false(patient_unlink(file, soon()));
    g_assert_cmpint(errno, ==, ENOENT);
    g_rmdir(folder);
}

static void test_head(void)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("patient-XXXXXX", &path, NULL);
    char text[16] = "";
    gsize length = 0;

    g_assert_true(patient_write_head(fd, "head", 4, soon()));
    g_assert_true(patient_write_head(fd, "Be", 2, soon()));
    g_assert_true(patient_read(fd, text, sizeof text, 1, &length, soon()));
    g_assert_cmpuint(length, ==, 3);
    g_assert_cmpstr(text, ==, "ead");
    patient_close(fd);
    g_unlink(path);
}

/* 0 is a descriptor like any other: a daemon may have been started without the usual three. */
static void test_descriptor_zero(void)
{
    int saved = dup(STDIN_FILENO), file = g_file_open_tmp("patient-XXXXXX", NULL, NULL);
    char words[8] = "";
    gsize length = 0;

    g_assert_cmpint(write(file, "words", 5), ==, 5);
    g_assert_cmpint(dup2(file, STDIN_FILENO), ==, STDIN_FILENO);
    g_assert_true(patient_read(STDIN_FILENO, words, sizeof words, 0, &length, soon()));
    g_assert_cmpmem(words, length, "words", 5);
    g_assert_true(patient_write_head(STDIN_FILENO, "W", 1, soon()));
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/patient/open", test_open);
    g_test_add_func("/patient/hangs", test_hangs);
    g_test_add_func("/patient/bind", test_bind);
    g_test_add_func("/patient/head", test_head);
    g_test_add_func("/patient/descriptor-zero", test_descriptor_zero);
    return g_test_run();
}
