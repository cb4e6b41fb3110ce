/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/power.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <syslog.h>
#include <unistd.h>

#include "driver-kvm/qmp-commands.h"
#include "lib/file.h"

static void send_signal(Guest *guest, int signal)
{
    g_mutex_lock(&guest->lock);
    if (guest->process.pid > 0 && !guest->gone)
        process_signal(guest->process.pidfd, signal);
    g_mutex_unlock(&guest->lock);
}

void power_end(Guest *guest)
{
    send_signal(guest, SIGTERM);
}

/* --- reboot --- */

static void on_reset_answer(JsonNode *answer, const GError *error, gpointer data)
{
    g_autoptr(Guest) guest = data;

    if (!error)
        return;
    guest->kvm->host->log(guest->vm, LOG_ERR, error->message);
    power_end(guest);
}

static void on_cont_answer(JsonNode *answer, const GError *error, gpointer data)
{
    Guest *guest = data;

    g_mutex_lock(&guest->lock);
    guest->fake_reboot = FALSE;
    guest->boots_again = FALSE;
    g_mutex_unlock(&guest->lock);
    on_reset_answer(answer, error, data);
}

void power_reboot(Guest *guest)
{
    g_autoptr(Qmp) qmp = guest_qmp(guest, NULL);

    if (!qmp)
        return;
    g_mutex_lock(&guest->lock);
    guest->fake_reboot = TRUE;
    guest->boots_again = TRUE;
    g_mutex_unlock(&guest->lock);
    qmp_send(qmp, "system_reset", NULL, -1, QMP_DEADLINE, on_reset_answer, guest_ref(guest));
    qmp_send(qmp, "cont", NULL, -1, QMP_DEADLINE_LONG, on_cont_answer, guest_ref(guest));
}

/* --- crash --- */

static void destroy_crashed(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    guest->panicked = TRUE;
    g_mutex_unlock(&guest->lock);
    send_signal(guest, SIGKILL);
}

static void restart_crashed(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    guest->run_reason = VIR_DOMAIN_RUNNING_CRASHED;
    g_mutex_unlock(&guest->lock);
    power_reboot(guest);
}

static CrashAction action_of(Guest *guest)
{
    g_autoptr(Domain) live = guest_live(guest);

    return live ? live->on_crash : CRASH_ACTION_DESTROY;
}

/* After the dump, if there was to be one. */
static void finish_crashed(Guest *guest)
{
    CrashAction action = action_of(guest);

    if (action == CRASH_ACTION_RESTART || action == CRASH_ACTION_RENAME_RESTART || action == CRASH_ACTION_COREDUMP_RESTART)
        restart_crashed(guest);
    else
        destroy_crashed(guest);
}

typedef struct {
    Guest *guest;
    int fd; /* -1: it could not be opened */
} CrashDump;

static void on_dump_answer(JsonNode *answer, const GError *error, gpointer data)
{
    g_autoptr(Guest) guest = data;

    if (!error)
        return;
    guest->kvm->host->log(guest->vm, LOG_ERR, error->message);
    guest->crash_dump = FALSE;
    finish_crashed(guest);
}

static void on_fd_answer(JsonNode *answer, const GError *error, gpointer data)
{
    g_autoptr(Guest) guest = data; /* what goes wrong is said again by the command that needs it */
}

static void begin_dump(gpointer data)
{
    CrashDump *dump = data;
    g_autoptr(Guest) guest = dump->guest;
    g_autoptr(Qmp) qmp = guest_qmp(guest, NULL);

    if (qmp && dump->fd >= 0) {
        guest->crash_dump = TRUE;
        qmp_send(qmp, "getfd", qmp_args("s:fdname", "crash", NULL), dump->fd, QMP_DEADLINE, on_fd_answer, guest_ref(guest));
        qmp_send(qmp, "dump-guest-memory",
                 qmp_args("b:paging", FALSE, "s:protocol", "fd:crash", "b:detach", TRUE, NULL), -1, QMP_DEADLINE,
                 on_dump_answer, guest_ref(guest));
    } else {
        finish_crashed(guest);
    }
    if (dump->fd >= 0)
        close(dump->fd);
    g_free(dump);
}

/* A thread of its own: the event loop does not touch disks. */
static gpointer open_dump(gpointer data)
{
    CrashDump *dump = data;
    Guest *guest = dump->guest;
    Kvm *kvm = guest->kvm;
    g_autoptr(Domain) live = guest_live(guest);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%d-%H:%M:%S");
    g_autofree char *name = g_strdup_printf("%s-%s", live->name, time);
    g_autofree char *folder = g_build_filename(kvm->host->paths->state, "dump", NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;

    if (file_make_folder(folder, 0700, &error))
        dump->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (dump->fd < 0)
        kvm->host->log(guest->vm, LOG_ERR, error ? error->message : g_strerror(errno));
    loop_post(kvm->host->loop, begin_dump, dump);
    g_mutex_lock(&kvm->lock);
    kvm->busy--;
    g_cond_broadcast(&kvm->idle);
    g_mutex_unlock(&kvm->lock);
    return NULL;
}

static void dump_crashed(Guest *guest)
{
    CrashDump *dump = g_new(CrashDump, 1);
    Kvm *kvm = guest->kvm;

    *dump = (CrashDump){guest_ref(guest), -1};
    g_mutex_lock(&kvm->lock);
    kvm->busy++;
    g_mutex_unlock(&kvm->lock);
    g_thread_unref(g_thread_new("crash-dump", open_dump, dump));
}

void power_crashed(Guest *guest)
{
    CrashAction action = action_of(guest);

    if (action == CRASH_ACTION_COREDUMP_DESTROY || action == CRASH_ACTION_COREDUMP_RESTART)
        dump_crashed(guest);
    else if (action != CRASH_ACTION_PRESERVE)
        finish_crashed(guest);
}

void power_dumped(Guest *guest)
{
    if (!guest->crash_dump)
        return;
    guest->crash_dump = FALSE;
    finish_crashed(guest);
}
