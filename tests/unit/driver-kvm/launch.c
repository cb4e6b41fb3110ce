/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The launcher with a shell as the program: what it sees of itself. */
#include "driver-kvm/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver-kvm/launch/contract.h"
#include "lib/error.h"
#include "lib/file.h"

typedef struct {
    char *folder, *log, *pidfile, *lock;
    Launch *launch;
    Process process;
} Fixture;

static gint64 soon(void)
{
    return g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
}

static void setup(Fixture *f, gconstpointer data)
{
    f->folder = g_dir_make_tmp("launch-XXXXXX", NULL);
    g_chmod(f->folder, 0755);
    f->log = g_build_filename(f->folder, "log", NULL);
    f->pidfile = g_build_filename(f->folder, "pid", NULL);
    f->lock = g_build_filename(f->folder, "lock", NULL);
    f->launch = launch_new(g_getenv("LAUNCHER"), file_lock(f->lock, NULL));
    f->process = (Process){0, -1};
    launch_add(f->launch, "pidfile", "%s", f->pidfile);
}

static void teardown(Fixture *f, gconstpointer data)
{
    process_end(&f->process);
    launch_free(f->launch);
    g_assert_true(file_remove_tree(f->folder, NULL));
    g_free(f->folder);
    g_free(f->log);
    g_free(f->pidfile);
    g_free(f->lock);
}

static void shell(Fixture *f, const char *script)
{
    launch_add(f->launch, "arg", "/bin/bash");
    launch_add(f->launch, "arg", "-c");
    launch_add(f->launch, "arg", "%s", script);
    launch_add(f->launch, "env", "PATH=/usr/bin:/bin");
}

/* Runs it to its end; returns what is in the log, to free. */
static char *run(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    int status = -1;
    char *text = NULL;

    launch_add(f->launch, "log", "1 1000000 2 a %s", f->log);
    g_assert_true(launch_fork(f->launch, &f->process, &error));
    g_assert_true(launch_wait(f->launch, soon(), &error));
    g_assert_true(process_wait(&f->process, soon(), &status, NULL));
    g_assert_cmpint(status, ==, 0);
    launch_drain(f->launch, soon());
    g_assert_true(g_file_get_contents(f->log, &text, NULL, NULL));
    return text;
}

static void test_program(Fixture *f, gconstpointer data)
{
    int other = open("/dev/null", O_RDONLY); /* must not reach it */
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_assert_cmpint(write(ends[1], "through", 7), ==, 7);
    launch_pass(f->launch, ends[0], 20);
    launch_add(f->launch, "title", "the title\n");
    launch_add(f->launch, "cwd", "%s", f->folder);
    launch_add(f->launch, "umask", "027");
    launch_add(f->launch, "limit", "core 0 0");
    launch_add(f->launch, "limit", "nofile 100 200");
    launch_add(f->launch, "env", "WORD=a b\nc");
    shell(f, "echo $WORD; pwd; umask; ulimit -c; ulimit -Sn; ulimit -Hn; head -c 7 <&20; echo; echo oops >&2; env | wc -l; "
             "cd /proc/self/fd; echo *; exec grep -E '^(Cap|SigBlk|SigIgn)' /proc/self/status");
    g_autofree char *text = run(f);
    g_autofree char *expected = g_strdup_printf("the title\na b c\n%s\n0027\n0\n100\n200\nthrough\noops\n", f->folder);
    g_assert_true(g_str_has_prefix(text, expected));
    g_test_message("%s", text);
    g_assert_nonnull(strstr(text, "\n0 1 2 20 3 5\n")); /* 3 is the shell reading the folder */
    g_assert_nonnull(strstr(text, "CapEff:\t0000000000000000"));
    g_assert_nonnull(strstr(text, "CapPrm:\t0000000000000000"));
    if (getuid() == 0)
        g_assert_nonnull(strstr(text, "CapBnd:\t0000000000000000"));
    g_assert_nonnull(strstr(text, "SigBlk:\t0000000000000000"));
    close(other);
    close(ends[0]);
    close(ends[1]);
}

static void test_ids(Fixture *f, gconstpointer data)
{
    if (getuid() != 0) {
        g_test_skip("not root");
        return;
    }
    launch_add(f->launch, "gid", "65533");
    launch_add(f->launch, "group", "65532");
    launch_add(f->launch, "group", "65533");
    launch_add(f->launch, "uid", "65534");
    shell(f, "id -u; id -g; id -G; exec grep Cap /proc/self/status");
    g_autofree char *text = run(f);
    g_assert_true(g_str_has_prefix(text, "65534\n65533\n65533 65532\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
                                         "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\n"));
}

/* The program holds the lock, is found by its pid file, and its log goes on when nobody waits for it. */
static void test_lock(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    int pid = 0;
    unsigned long long start = 0;

    shell(f, "sleep 1000");
    g_assert_true(launch_fork(f->launch, &f->process, &error));
    g_assert_true(launch_wait(f->launch, soon(), &error));
    g_assert_true(g_file_get_contents(f->pidfile, &text, NULL, NULL));
    g_assert_cmpint(sscanf(text, "%d %llu", &pid, &start), ==, 2);
    g_assert_cmpint(pid, ==, f->process.pid);
    g_assert_cmpuint(start, ==, process_start_time(pid));
    g_assert_cmpint(file_lock(f->lock, &error), ==, -1);
    g_assert_true(error_is(error, VIR_ERR_RESOURCE_BUSY));
    process_end(&f->process);
    int fd = file_lock(f->lock, NULL);
    g_assert_cmpint(fd, >=, 0);
    close(fd);
}

static void test_rotation(Fixture *f, gconstpointer data)
{
    g_autofree char *second = g_build_filename(f->folder, "second", NULL);
    g_autofree char *first_old = g_strconcat(second, ".0", NULL), *second_old = g_strconcat(second, ".1", NULL);
    g_autofree char *third_old = g_strconcat(second, ".2", NULL);
    g_autofree char *now = NULL, *before = NULL;

    g_assert_true(g_file_set_contents(second, "gone", -1, NULL));
    launch_add(f->launch, "log", "21 10 2 t %s", second);
    shell(f, "printf 0123456789abcdefghijABCDEFGHIJzyxwvutsrqend >&21");
    g_free(run(f));
    g_assert_true(g_file_get_contents(second, &now, NULL, NULL));
    g_assert_cmpstr(now, ==, "end");
    g_assert_true(g_file_get_contents(first_old, &before, NULL, NULL));
    g_assert_cmpstr(before, ==, "zyxwvutsrq");
    g_assert_true(g_file_test(second_old, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(third_old, G_FILE_TEST_EXISTS));
}

/* A folder that holds one more file and no other: nothing is lost, nothing is thrown away. */
static void test_rotation_without_room(Fixture *f, gconstpointer data)
{
    g_autofree char *small = g_build_filename(f->folder, "small", NULL), *file = g_build_filename(small, "log", NULL);
    g_autofree char *old = g_strconcat(file, ".0", NULL), *now = NULL;

    g_assert_cmpint(mkdir(small, 0755), ==, 0);
    if (mount("tmpfs", small, "tmpfs", 0, "nr_inodes=2") < 0) {
        g_test_skip("only root mounts");
        return;
    }
    launch_add(f->launch, "log", "21 10 2 t %s", file);
    shell(f, "printf 0123456789abcdefghijABCDEFGHIJzyxwvutsrqend >&21");
    g_free(run(f));
    g_assert_true(g_file_get_contents(file, &now, NULL, NULL));
    g_assert_cmpstr(now, ==, "0123456789abcdefghijABCDEFGHIJzyxwvutsrqend");
    g_assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
    g_assert_cmpint(umount2(small, MNT_DETACH), ==, 0);
    g_assert_cmpint(rmdir(small), ==, 0);
}

static void test_failures(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *key, *value, *says;
    } cases[] = {
        {"arg", "/does/not/exist", "cannot launch the guest: executing /does/not/exist: No such file or directory"},
        {"cwd", "/does/not/exist", "cannot launch the guest: changing to /does/not/exist: No such file or directory"},
        {"log", "1 1 1 a /does/not/exist", "cannot launch the guest: opening the log /does/not/exist: No such file or directory"},
        {"log", "1 1 1 a /dev/null", "cannot launch the guest: opening the log /dev/null: Invalid argument"},
        {"cgroup", "/does/not", "cannot launch the guest: joining control group /does/not/cgroup.procs: No such file or directory"},
        {"limit", "nofile 1", "cannot launch the guest: reading the description, 1: Invalid argument"},
        {"limit", "time 1 1", "cannot launch the guest: reading the description, time: Invalid argument"},
        {"keep", "3", "cannot launch the guest: reading the description, descriptor: Invalid argument"},
        {"uid", "-1", "cannot launch the guest: reading the description, -1: Invalid argument"},
        {"colour", "blue", "cannot launch the guest: reading the description, colour: Invalid argument"},
        {"end", "", "cannot launch the guest: reading the description, the end: Invalid argument"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Launch) launch = launch_new(g_getenv("LAUNCHER"), open("/dev/null", O_RDONLY | O_CLOEXEC));
        g_autoptr(GError) error = NULL;
        Process process;
        launch_add(launch, cases[i].key, "%s", cases[i].value);
        if (!g_str_equal(cases[i].key, "arg") && !g_str_equal(cases[i].key, "end"))
            launch_add(launch, "arg", "/bin/true");
        g_assert_true(launch_fork(launch, &process, &error));
        g_assert_false(launch_wait(launch, soon(), &error));
        g_assert_true(error_is(error, VIR_ERR_INTERNAL_ERROR));
        g_assert_cmpstr(error_detail(error), ==, cases[i].says);
        process_end(&process);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(Launch) absent = launch_new("/does/not/exist", -1);
    Process process;
    g_assert_false(launch_fork(absent, &process, &error));
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/driver-kvm/launch/program", Fixture, NULL, setup, test_program, teardown);
    g_test_add("/driver-kvm/launch/ids", Fixture, NULL, setup, test_ids, teardown);
    g_test_add("/driver-kvm/launch/lock", Fixture, NULL, setup, test_lock, teardown);
    g_test_add("/driver-kvm/launch/rotation", Fixture, NULL, setup, test_rotation, teardown);
    g_test_add("/driver-kvm/launch/rotation-without-room", Fixture, NULL, setup, test_rotation_without_room, teardown);
    g_test_add("/driver-kvm/launch/failures", Fixture, NULL, setup, test_failures, teardown);
    return g_test_run();
}
