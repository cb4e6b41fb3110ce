/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding a guest again. Who QEMU is, is never believed from a number alone: its folder has a lock that only it can still
 * hold (the launcher took it over from us and passed it on), a file with the pid that the launcher wrote, and the
 * process of that pid must have been started when the file says and have the lock open. It is held by a pidfd before it is
 * looked at, so what was looked at is what will be signalled.
 */
#include "driver-kvm/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver-kvm/argv.h"
#include "driver-kvm/balloon.h"
#include "driver-kvm/channel.h"
#include "driver-kvm/memory-live.h"
#include "driver-kvm/plug.h"
#include "driver-kvm/perf.h"
#include "driver-kvm/qmp-commands.h"
#include "driver-kvm/side.h"
#include "driver-kvm/vcpu-plug.h"
#include "lib/error.h"
#include "lib/file.h"

/* A launcher that the last daemon made just before its end writes its pid at once. */
#define PID_PATIENCE (G_USEC_PER_SEC)
#define PID_INTERVAL 10000

static gboolean has_open(pid_t pid, const struct stat *file)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
    DIR *dir = opendir(path);
    gboolean found = FALSE;

    for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
        struct stat st;
        found = entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && st.st_dev == file->st_dev &&
                st.st_ino == file->st_ino;
    }
    if (dir)
        closedir(dir);
    return found;
}

/* A pidfd of PID if that process has FILE open; START 0: whenever it was started. */
static gboolean prove(pid_t pid, guint64 start, const struct stat *file, Process *ret_process)
{
    int pidfd = process_open(pid);

    if (pidfd < 0)
        return FALSE;
    /* what is read of /proc is that process's, if it still lives after */
    if ((start == 0 || process_start_time(pid) == start) && has_open(pid, file) && !process_is_gone(pidfd)) {
        *ret_process = (Process){pid, pidfd};
        return TRUE;
    }
    close(pidfd);
    return FALSE;
}

static gboolean prove_by_file(const char *path, const struct stat *lock, Process *ret_process)
{
    g_autofree char *text = file_read(path, 100, NULL, NULL);
    int pid;
    unsigned long long start;

    return text && sscanf(text, "%d %llu", &pid, &start) == 2 && pid > 1 && start > 0 &&
           prove(pid, start, lock, ret_process);
}

/* The last resort: everybody. */
static gboolean prove_by_search(const struct stat *lock, Process *ret_process)
{
    DIR *dir = opendir("/proc");
    gboolean found = FALSE;

    for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
        int pid = atoi(entry->d_name);
        found = pid > 1 && pid != getpid() && has_open(pid, lock) && prove(pid, 0, lock, ret_process);
    }
    if (dir)
        closedir(dir);
    return found;
}

/* FALSE without ERROR: nobody holds it. Only that clear answer says that there is no process. */
static gboolean is_locked(const char *path, GError **error)
{
    g_autoptr(GError) cause = NULL;
    int fd = file_lock(path, &cause);

    if (fd >= 0)
        close(fd);
    else if (error_is(cause, VIR_ERR_RESOURCE_BUSY))
        return TRUE;
    else
        g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

gboolean guest_find_holder(const char *path, const char *pidfile, Process *ret_process, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + PID_PATIENCE;
    struct stat lock;

    if (stat(path, &lock) < 0)
        return errno != ENOENT && error_set_errno(error, VIR_FROM_QEMU, errno, "cannot look at '%s'", path);
    while (is_locked(path, error)) {
        if (prove_by_file(pidfile, &lock, ret_process))
            return TRUE;
        if (g_get_monotonic_time() >= deadline) {
            if (prove_by_search(&lock, ret_process))
                return TRUE;
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "'%s' is held by a process that cannot be found", path);
        }
        g_usleep(PID_INTERVAL);
    }
    return FALSE;
}

gboolean guest_find_process(const char *folder, Process *ret_process, GError **error)
{
    g_autofree char *lock = g_build_filename(folder, "lock", NULL);
    g_autofree char *pidfile = g_build_filename(folder, "pid", NULL);

    return guest_find_holder(lock, pidfile, ret_process, error);
}

static gboolean attach(Guest *guest, GError **error)
{
    if (!guest_watch(guest, error))
        return FALSE;
    g_autoptr(GError) cause = NULL;
    gboolean connected = guest_connect(guest, QMP_DEADLINE, &cause) &&
                         guest_wait_ready(guest, g_get_monotonic_time() + QMP_DEADLINE, &cause);
    /* one that does not answer is still a guest that runs: it is kept, marked unresponsive, until it answers or is
     * destroyed */
    if (!connected && cause) {
        guest->kvm->host->log(guest->vm, LOG_WARNING, cause->message);
        guest->kvm->host->set_responsive(guest->vm, FALSE);
        return TRUE;
    }
    if (!connected)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "QEMU ended while it was looked for");
    return TRUE;
}

/* What the last daemon was at when it was killed goes on in QEMU, for nobody, and would stop the guest at its end. */
static void cancel_save(Guest *guest)
{
    g_autoptr(VmView) view = guest->kvm->host->view(guest->vm);
    g_autoptr(Qmp) qmp = guest_qmp(guest, NULL);
    gboolean ours = view->reason == VIR_DOMAIN_PAUSED_SAVE || view->reason == VIR_DOMAIN_PAUSED_DUMP;

    if (view->state == VIR_DOMAIN_PAUSED && ours && qmp && qmp_is_responsive(qmp))
        qmp_do(qmp, "migrate_cancel", NULL, QMP_DEADLINE, NULL);
}

typedef struct {
    const char *command;
    JsonNode *answer;
} Lesson;

static gboolean edit_learn(Domain *live, gpointer data, GError **error)
{
    const Lesson *lesson = data;

    return argv_learn(live, lesson->command, lesson->answer, error);
}

/* The last daemon may have been killed when a device had come and its terminal was not known yet. */
static gboolean learn_answers(Guest *guest, Qmp *qmp)
{
    for (guint i = 0; argv_questions[i]; i++) {
        g_autoptr(JsonNode) answer = qmp_call(qmp, argv_questions[i], NULL, QMP_DEADLINE, NULL);
        Lesson lesson = {argv_questions[i], answer};

        if (!answer || !guest_edit(guest, edit_learn, &lesson, NULL))
            return FALSE;
    }
    return TRUE;
}

/* What may have changed while nobody listened. */
static void learn_again(Guest *guest)
{
    g_autoptr(Qmp) qmp = guest_qmp(guest, NULL);
    g_autoptr(GArray) threads = NULL;

    if (!qmp || !qmp_is_responsive(qmp) || !balloon_learn(guest, qmp, NULL) || !unplug_learn(guest, qmp, NULL) ||
        !memory_learn(guest, qmp, NULL) || !learn_answers(guest, qmp) ||
        !channel_learn(guest, qmp, VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_UNKNOWN, NULL) ||
        !qmp_query_cpus(qmp, &threads, NULL))
        return;
    g_mutex_lock(&guest->lock);
    g_clear_pointer(&guest->threads, g_array_unref);
    guest->threads = g_steal_pointer(&threads);
    g_mutex_unlock(&guest->lock);
    vcpu_learn(guest);
}

/* What the last daemon was about to pause the guest for, if it would have let it go on. */
static int pausing(GHashTable *status)
{
    const char *text = g_hash_table_lookup(status, "pausing");
    int reason = text ? atoi(text) : VIR_DOMAIN_PAUSED_UNKNOWN;
    return reason == VIR_DOMAIN_PAUSED_SAVE || reason == VIR_DOMAIN_PAUSED_DUMP ? reason : VIR_DOMAIN_PAUSED_UNKNOWN;
}

gboolean reconnect_guest(gpointer self, Vm *vm, GHashTable *status, GError **error)
{
    g_autoptr(Guest) guest = guest_obtain(self, vm);
    g_autoptr(GError) cause = NULL;
    Process process;

    if (!guest_find_process(guest->folder, &process, &cause)) {
        if (cause)
            g_propagate_error(error, g_steal_pointer(&cause));
        else
            error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "its process has ended");
        return FALSE;
    }
    g_mutex_lock(&guest->lock);
    guest_set_process(guest, process, FALSE);
    guest->adopted = TRUE;
    guest->fake_reboot = g_hash_table_contains(status, "fake-reboot");
    guest->pause_reason = pausing(status);
    g_mutex_unlock(&guest->lock);
    side_find(guest);
    if (!attach(guest, error))
        return FALSE;
    perf_count_all(guest, NULL); /* from the beginning */
    learn_again(guest); /* after which what QEMU is doing is known, too */
    cancel_save(guest);
    return TRUE;
}

void reconnect_status(gpointer self, Vm *vm, GHashTable *out)
{
    g_autoptr(Guest) guest = guest_lookup(self, vm);

    if (!guest)
        return;
    g_mutex_lock(&guest->lock);
    if (guest->process.pid > 0) {
        g_hash_table_insert(out, g_strdup("pid"), g_strdup_printf("%d", guest->process.pid));
        g_hash_table_insert(out, g_strdup("start-time"), g_strdup_printf("%" G_GUINT64_FORMAT, guest->start_time));
    }
    if (guest->fake_reboot)
        g_hash_table_insert(out, g_strdup("fake-reboot"), g_strdup("yes"));
    if (guest->pause_reason != VIR_DOMAIN_PAUSED_UNKNOWN)
        g_hash_table_insert(out, g_strdup("pausing"), g_strdup_printf("%d", guest->pause_reason));
    g_mutex_unlock(&guest->lock);
}
