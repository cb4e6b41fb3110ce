/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which guest is meant, and whether there is a process: what two that ask at once are told. */
#include "driver-kvm/guest.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"

#define THREADS 8

static DriverPaths paths;
static int run_id, n_stopped;
static char *folder;
static Vm *const vm = (Vm *)&run_id; /* never looked into */

static VmView *host_view(Vm *of)
{
    VmView *view = g_new0(VmView, 1);

    g_atomic_ref_count_init(&view->refs);
    view->id = g_atomic_int_get(&run_id);
    return view;
}

static const char *host_uuid(Vm *of)
{
    return "u";
}

static Vm *host_ref(Vm *of)
{
    return of;
}

static void host_unref(Vm *of)
{
}

static void host_stopped(Vm *of, int detail, int reason)
{
    g_atomic_int_inc(&n_stopped);
}

static void host_log(Vm *of, int priority, const char *text)
{
}

static DriverHost host = {.paths = &paths, .view = host_view, .uuid = host_uuid, .ref = host_ref, .unref = host_unref,
                          .stopped = host_stopped, .log = host_log};

static void setup(Kvm *kvm, gconstpointer data)
{
    g_autofree char *root = g_dir_make_tmp("guest-XXXXXX", NULL);

    paths.run = g_strdup(root);
    folder = g_build_filename(root, "domains", "u", NULL);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    host.loop = loop_new("event", NULL);
    g_assert_true(loop_start(host.loop, NULL));
    kvm->host = &host;
    kvm->guests = g_hash_table_new(NULL, NULL);
    g_mutex_init(&kvm->lock);
    g_cond_init(&kvm->idle);
    run_id = 1;
    n_stopped = 0;
}

static void teardown(Kvm *kvm, gconstpointer data)
{
    g_autoptr(Guest) guest = guest_lookup(kvm, vm);

    if (guest)
        guest_forget(guest);
    g_assert_cmpuint(g_hash_table_size(kvm->guests), ==, 0);
    g_hash_table_unref(kvm->guests);
    loop_free(host.loop);
    g_assert_true(file_remove_tree(paths.run, NULL));
    g_free((char *)paths.run);
    g_free(folder);
}

static gpointer obtain(gpointer kvm)
{
    return guest_obtain(kvm, vm);
}

static void test_once(Kvm *kvm, gconstpointer data)
{
    for (run_id = 1; run_id < 50; run_id++) {
        GThread *threads[THREADS];
        g_autoptr(Guest) first = NULL;

        for (guint i = 0; i < THREADS; i++)
            threads[i] = g_thread_new("obtain", obtain, kvm);
        for (guint i = 0; i < THREADS; i++) {
            g_autoptr(Guest) guest = g_thread_join(threads[i]);
            if (!first)
                first = guest_ref(guest);
            g_assert_true(guest == first);
        }
        g_assert_cmpint(first->run, ==, run_id);
        g_assert_cmpuint(g_hash_table_size(kvm->guests), ==, 1);
    }
}

/* A kill before the start has come to the driver holds for that run, and for no other. */
static void test_early_kill(Kvm *kvm, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(stop_kill(kvm, vm, FALSE, &error));
    g_autoptr(Guest) same = guest_obtain(kvm, vm);
    g_assert_true(same->doomed);
    run_id = -1; /* it has ended, and waits for its cleanup */
    g_autoptr(Guest) ended = guest_obtain(kvm, vm);
    g_assert_true(ended == same);
    run_id = 2;
    g_autoptr(Guest) next = guest_obtain(kvm, vm);
    g_assert_false(next->doomed);
}

/* A kill that comes when the run and its cleanup are over leaves nothing: nobody would ever look for it again. */
static void test_late_kill(Kvm *kvm, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    run_id = -1;
    g_assert_true(stop_kill(kvm, vm, FALSE, &error));
    g_assert_cmpuint(g_hash_table_size(kvm->guests), ==, 0);
}

/* A process that holds the lock and has told who it is, as a launcher does. */
static pid_t make_process(void)
{
    g_autofree char *lock = g_build_filename(folder, "lock", NULL), *file = g_build_filename(folder, "pid", NULL);
    int fd = file_lock(lock, NULL);
    pid_t pid = fork();

    if (pid == 0) {
        pause();
        _exit(0);
    }
    g_autofree char *text = g_strdup_printf("%d %" G_GUINT64_FORMAT "\n", pid, process_start_time(pid));
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    close(fd);
    return pid;
}

static gpointer kill_it(gpointer kvm)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(stop_kill(kvm, vm, FALSE, &error));
    g_assert_no_error(error);
    return NULL;
}

/* Several that end what an earlier daemon began: each waits for its end, and the daemon is told once. */
static void test_found(Kvm *kvm, gconstpointer data)
{
    GThread *threads[THREADS];
    pid_t pid = make_process();

    for (guint i = 0; i < THREADS; i++)
        threads[i] = g_thread_new("kill", kill_it, kvm);
    for (guint i = 0; i < THREADS; i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(waitpid(pid, NULL, WNOHANG), ==, pid);
    for (guint i = 0; i < 500 && g_atomic_int_get(&n_stopped) == 0; i++)
        g_usleep(10000);
    g_assert_cmpint(g_atomic_int_get(&n_stopped), ==, 1);
}

/* Only a clear answer says that there is no process. */
static void test_lock(Kvm *kvm, gconstpointer data)
{
    g_autofree char *lock = g_build_filename(folder, "lock", NULL);
    g_autoptr(GError) error = NULL;
    Process process;

    g_assert_false(guest_find_process(folder, &process, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_set_contents(lock, "", 0, NULL));
    g_assert_false(guest_find_process(folder, &process, &error));
    g_assert_no_error(error);
    g_unlink(lock);
    g_assert_cmpint(g_mkdir(lock, 0700), ==, 0); /* cannot be asked */
    g_assert_false(guest_find_process(folder, &process, &error));
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
    g_clear_error(&error);
    g_assert_false(stop_kill(kvm, vm, FALSE, &error));
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
    g_assert_false(guest_find_process("/dev/null/x", &process, NULL));
}

#define ADD(name, fn) g_test_add("/guest/" name, Kvm, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("once", test_once);
    ADD("early-kill", test_early_kill);
    ADD("late-kill", test_late_kill);
    ADD("found", test_found);
    ADD("lock", test_lock);
    return g_test_run();
}
