/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"

static gint64 in_ms(guint ms)
{
    return g_get_monotonic_time() + ms * 1000;
}

/* Runs a shell whose descriptors are: 1 a pipe to us, and SWAP at the numbers of the two ends of another, crossed. */
static void test_fds(void)
{
    int out[2], other[2], status = -1;
    char text[256] = "";
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(pipe2(out, O_CLOEXEC), ==, 0);
    g_assert_cmpint(pipe2(other, 0), ==, 0); /* would leak if inherited by name */
    const char *argv[] = {"/bin/sh", "-c", "echo through >&8; read line <&9; echo $line; ls /proc/self/fd | tr '\\n' ' '", NULL};
    ProcessFd fds[] = {{out[1], 1}, {other[1], 8}, {other[0], 9}};
    ProcessSpec spec = {.argv = argv, .fds = fds, .n_fds = G_N_ELEMENTS(fds)};
    Process process;
    g_assert_true(process_spawn(&spec, &process, &error));
    g_assert_cmpuint(process_start_time(process.pid), >, 0);
    close(out[1]);
    g_assert_true(process_wait(&process, in_ms(5000), &status, &error));
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpint(read(out[0], text, sizeof text - 1), >, 0);
    g_assert_cmpstr(text, ==, "through\n0 1 2 3 8 9 ");
    close(out[0]);
    close(other[0]);
    close(other[1]);
}

static void test_exec_fails(void)
{
    const char *argv[] = {"/does/not/exist", NULL};
    ProcessSpec spec = {.argv = argv};
    Process process = {0, -1};
    g_autoptr(GError) error = NULL;

    g_assert_false(process_spawn(&spec, &process, &error));
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
    g_assert_cmpstr(error->message, ==, "cannot run /does/not/exist: No such file or directory");
    process_end(&process);
}

static void test_ids(void)
{
    gid_t group = 65534;
    ProcessIds ids = {65534, 65534, &group, 1};
    const char *argv[] = {"/bin/sh", "-c", "test \"$(id -u):$(id -g):$(id -G)\" = 65534:65534:65534 && ! cat /etc/shadow", NULL};
    ProcessSpec spec = {.argv = argv, .ids = &ids};
    Process process;
    int status = -1;

    if (getuid() != 0) {
        g_test_skip("not root");
        return;
    }
    g_assert_true(process_spawn(&spec, &process, NULL));
    g_assert_true(process_wait(&process, in_ms(5000), &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

static void test_opens_all(void)
{
    ProcessIds ids = {65534, 65534, NULL, 0};
    const char *argv[] = {"/bin/sh", "-c", "test $(id -u) = 65534 && grep -q 'CapEff:.*0000000000000002$' /proc/self/status && cat /etc/shadow", NULL};
    ProcessSpec spec = {.argv = argv, .ids = &ids, .opens_all = TRUE};
    Process process;
    int status = -1;

    if (getuid() != 0) {
        g_test_skip("not root");
        return;
    }
    g_assert_true(process_spawn(&spec, &process, NULL));
    g_assert_true(process_wait(&process, in_ms(5000), &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

static void test_end(void)
{
    const char *argv[] = {"/bin/sleep", "1000", NULL};
    ProcessSpec spec = {.argv = argv, .dies_with_us = TRUE};
    Process process;
    int status;
    g_autoptr(GError) error = NULL;

    g_assert_true(process_spawn(&spec, &process, NULL));
    int pidfd = process_open(process.pid);
    g_assert_false(process_is_gone(pidfd));
    g_assert_false(process_wait(&process, in_ms(20), &status, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_TIMEOUT));
    process_end(&process);
    g_assert_true(process_is_gone(pidfd));
    g_assert_false(process_signal(pidfd, SIGTERM));
    close(pidfd);
    g_assert_cmpint(process_open(G_MAXINT - 1), <, 0);
}

static int reply(gpointer data, int out)
{
    return write(out, data, strlen(data)) < 0;
}

static int hang(gpointer data, int out)
{
    pause();
    return 0;
}

static int flood(gpointer data, int out)
{
    while (write(out, "0123456789", 10) > 0) {
    }
    return 0;
}

static int crash(gpointer data, int out)
{
    raise(SIGSEGV);
    return 0;
}

static void test_call(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) good = process_call("replying", reply, (gpointer) "words", 100, in_ms(5000), &error);

    g_assert_no_error(error);
    g_assert_cmpmem(good->data, good->len, "words", 5);

    gint64 before = g_get_monotonic_time();
    g_assert_null(process_call("hanging", hang, NULL, 100, in_ms(100), &error));
    g_assert_cmpint(g_get_monotonic_time() - before, <, 1000000);
    g_assert_true(error_is(error, VIR_ERR_OPERATION_TIMEOUT));
    g_clear_error(&error);

    g_assert_null(process_call("flooding", flood, NULL, 100, in_ms(5000), &error));
    g_assert_true(error_is(error, VIR_ERR_INTERNAL_ERROR));
    g_clear_error(&error);

    g_assert_null(process_call("crashing", crash, NULL, 100, in_ms(5000), &error));
    g_assert_true(error_is(error, VIR_ERR_INTERNAL_ERROR));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lib/process/fds", test_fds);
    g_test_add_func("/lib/process/exec-fails", test_exec_fails);
    g_test_add_func("/lib/process/ids", test_ids);
    g_test_add_func("/lib/process/opens-all", test_opens_all);
    g_test_add_func("/lib/process/end", test_end);
    g_test_add_func("/lib/process/call", test_call);
    return g_test_run();
}
