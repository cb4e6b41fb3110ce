/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"

#define AGAIN_FIRST G_USEC_PER_SEC
#define AGAIN_MAX (60 * G_USEC_PER_SEC)

Guest *guest_ref(Guest *guest)
{
    g_atomic_ref_count_inc(&guest->refs);
    return guest;
}

void guest_unref(Guest *guest)
{
    if (!guest || !g_atomic_ref_count_dec(&guest->refs))
        return;
    qmp_unref(guest->qmp);
    if (guest->process.pid > 0)
        close(guest->process.pidfd);
    domain_unref(guest->live);
    g_clear_pointer(&guest->threads, g_array_unref);
    g_free(guest->job_error);
    g_free(guest->lost_why);
    guest->kvm->host->unref(guest->vm);
    g_mutex_clear(&guest->lock);
    g_cond_clear(&guest->changed);
    g_free(guest->folder);
    g_free(guest->private_dir);
    g_free(guest);
}

Guest *guest_new(Kvm *kvm, Vm *vm)
{
    Guest *guest = g_new0(Guest, 1);
    g_autoptr(VmView) view = kvm->host->view(vm);
    g_autoptr(Guest) old = guest_lookup(kvm, vm);

    if (old)
        guest_forget(old);
    g_atomic_ref_count_init(&guest->refs);
    guest->kvm = kvm;
    guest->vm = kvm->host->ref(vm);
    guest->folder = g_build_filename(kvm->host->paths->run, "domains", kvm->host->uuid(vm), NULL);
    guest->private_dir = g_build_filename(guest->folder, "guest", NULL);
    g_mutex_init(&guest->lock);
    g_cond_init(&guest->changed);
    guest->live = view->live ? domain_ref(view->live) : NULL;
    guest->process.pidfd = -1;
    guest->pause_reason = VIR_DOMAIN_PAUSED_UNKNOWN;
    guest->run_reason = VIR_DOMAIN_RUNNING_UNPAUSED;
    guest->again_after = AGAIN_FIRST;

    g_mutex_lock(&kvm->lock);
    g_hash_table_insert(kvm->guests, vm, guest_ref(guest));
    g_mutex_unlock(&kvm->lock);
    return guest;
}

Guest *guest_lookup(Kvm *kvm, Vm *vm)
{
    g_mutex_lock(&kvm->lock);
    Guest *guest = g_hash_table_lookup(kvm->guests, vm);
    if (guest)
        guest_ref(guest);
    g_mutex_unlock(&kvm->lock);
    return guest;
}

static gboolean is_gone(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    gboolean gone = guest->gone;
    g_mutex_unlock(&guest->lock);
    return gone;
}

Guest *guest_need(Kvm *kvm, Vm *vm, GError **error)
{
    g_autoptr(Guest) guest = guest_lookup(kvm, vm);

    if (guest && !is_gone(guest))
        return g_steal_pointer(&guest);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is not running");
    return NULL;
}

Qmp *guest_qmp(Guest *guest, GError **error)
{
    g_mutex_lock(&guest->lock);
    Qmp *qmp = guest->qmp ? qmp_ref(guest->qmp) : NULL;
    g_mutex_unlock(&guest->lock);
    if (!qmp)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "the domain's monitor is not connected");
    return qmp;
}

char *guest_path(const Guest *guest, const char *name)
{
    return g_build_filename(guest->folder, name, NULL);
}

Domain *guest_live(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    Domain *live = guest->live ? domain_ref(guest->live) : NULL;
    g_mutex_unlock(&guest->lock);
    return live;
}

gboolean guest_edit(Guest *guest, VmEdit edit, gpointer data, GError **error)
{
    const DriverHost *host = guest->kvm->host;

    if (!host->edit_live(guest->vm, edit, data, error))
        return FALSE;
    g_autoptr(VmView) view = host->view(guest->vm);
    g_mutex_lock(&guest->lock);
    if (view->live) {
        domain_unref(guest->live);
        guest->live = domain_ref(view->live);
    }
    g_mutex_unlock(&guest->lock);
    return TRUE;
}

/* --- the process --- */

static void ended_how(Guest *guest, int *ret_detail, int *ret_reason)
{
    if (guest->panicked) {
        *ret_detail = VIR_DOMAIN_EVENT_STOPPED_CRASHED;
        *ret_reason = VIR_DOMAIN_SHUTOFF_CRASHED;
    } else if (guest->shut_down) {
        *ret_detail = VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN;
        *ret_reason = VIR_DOMAIN_SHUTOFF_SHUTDOWN;
    } else {
        *ret_detail = VIR_DOMAIN_EVENT_STOPPED_FAILED;
        *ret_reason = VIR_DOMAIN_SHUTOFF_CRASHED;
    }
}

static void log_end(Guest *guest, const siginfo_t *info)
{
    g_autofree char *text = NULL;

    if (info->si_code == CLD_EXITED && info->si_status == 0)
        return;
    text = info->si_code == CLD_EXITED ? g_strdup_printf("QEMU ended with status %d", info->si_status)
                                       : g_strdup_printf("QEMU was ended by signal %d", info->si_status);
    guest->kvm->host->log(guest->vm, LOG_NOTICE, text);
}

/* QEMU's last events are still in the socket: they say whether this is a good end. */
static int on_death(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    g_autoptr(Guest) guest = guest_ref(data);
    siginfo_t info = {0};
    int detail, reason;

    g_mutex_lock(&guest->lock);
    g_autoptr(Qmp) qmp = g_steal_pointer(&guest->qmp);
    gboolean child = guest->child;
    g_mutex_unlock(&guest->lock);
    guest->death = sd_event_source_disable_unref(guest->death);
    guest->again = sd_event_source_disable_unref(guest->again);
    if (qmp)
        qmp_drain(qmp);
    if (child && waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG) == 0)
        log_end(guest, &info);

    g_mutex_lock(&guest->lock);
    guest->gone = TRUE;
    ended_how(guest, &detail, &reason);
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
    guest->kvm->host->stopped(guest->vm, detail, reason);
    return 0;
}

void guest_set_process(Guest *guest, Process process, gboolean child)
{
    guest->process = process;
    guest->child = child;
    guest->start_time = process_start_time(process.pid);
}

typedef struct {
    Guest *guest;
    int r;
} Watch;

static void watch(gpointer data)
{
    Watch *what = data;
    Guest *guest = what->guest;

    what->r = sd_event_add_io(loop_event(guest->kvm->host->loop), &guest->death, guest->process.pidfd, EPOLLIN, on_death,
                              guest);
    /* before the monitor's end of file, which then needs no thought of its own */
    if (what->r >= 0)
        sd_event_source_set_priority(guest->death, SD_EVENT_PRIORITY_IMPORTANT);
}

gboolean guest_watch(Guest *guest, GError **error)
{
    Watch what = {guest, 0};

    loop_call(guest->kvm->host->loop, watch, &what);
    return what.r >= 0 || error_set_errno(error, VIR_FROM_QEMU, -what.r, "cannot watch QEMU's process");
}

/* --- the monitor --- */

static void on_ready(gpointer user)
{
    Guest *guest = user;

    g_mutex_lock(&guest->lock);
    guest->ready = TRUE;
    gboolean adopted = guest->adopted;
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
    guest->again_after = AGAIN_FIRST;
    if (guest->lost)
        guest->kvm->host->set_responsive(guest->vm, TRUE);
    guest->lost = FALSE;
    if (adopted)
        guest_ask_state(guest);
}

static void on_responsive(gboolean responsive, gpointer user)
{
    Guest *guest = user;

    guest->kvm->host->set_responsive(guest->vm, responsive);
    guest->kvm->host->log(guest->vm, responsive ? LOG_NOTICE : LOG_WARNING,
                          responsive ? "QEMU's monitor answers again" : "QEMU's monitor does not answer");
}

static void connect_again(gpointer data);

static void later(Guest *guest)
{
    guest->again = loop_after(guest->kvm->host->loop, guest->again_after, connect_again, guest);
    guest->again_after = MIN(guest->again_after * 2, AGAIN_MAX);
}

static void tell_lost(Guest *guest)
{
    const DriverHost *host = guest->kvm->host;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_CONTROL_ERROR};

    if (guest->lost)
        return;
    guest->lost = TRUE;
    g_mutex_lock(&guest->lock);
    g_autofree char *text = g_strconcat("the monitor is lost: ", guest->lost_why, NULL);
    g_mutex_unlock(&guest->lock);
    host->log(guest->vm, LOG_WARNING, text);
    host->set_responsive(guest->vm, FALSE);
    host->emit(guest->vm, &event);
}

/* QEMU is still there, without a monitor. It listens for the next who connects. */
static void connect_again(gpointer data)
{
    Guest *guest = data;

    guest->again = sd_event_source_disable_unref(guest->again);
    tell_lost(guest);
    if (!guest_connect(guest, QMP_DEADLINE, NULL))
        later(guest);
}

/* Most often QEMU is about to end: its process will tell, before we try again. */
static void on_closed(const GError *why, gpointer user)
{
    Guest *guest = user;

    g_mutex_lock(&guest->lock);
    g_autoptr(Qmp) qmp = g_steal_pointer(&guest->qmp);
    guest->adopted = TRUE;
    g_free(guest->lost_why);
    guest->lost_why = g_strdup(error_detail(why));
    gboolean dying = guest->gone || process_is_gone(guest->process.pidfd);
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
    if (dying || !guest->death)
        return;
    later(guest);
}

static const QmpHandler handler = {on_ready, guest_on_event, on_responsive, on_closed};

/* Through the folder's descriptor, since a socket's name may have 107 bytes at most. */
static int connect_below(const char *folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, name);
    gboolean ok = dir >= 0 && fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    int errnum = errno;
    if (dir >= 0)
        close(dir);
    if (!ok && fd >= 0)
        close(fd);
    errno = errnum;
    return ok ? fd : -1;
}

gboolean guest_connect(Guest *guest, guint64 greeting, GError **error)
{
    int fd = connect_below(guest->folder, "monitor.sock");

    if (fd < 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "Failed to connect to QEMU's monitor");
    g_mutex_lock(&guest->lock);
    guest->ready = FALSE;
    guest->qmp = qmp_new(guest->kvm->host->loop, fd, greeting, &handler, guest);
    g_mutex_unlock(&guest->lock);
    return TRUE;
}

gboolean guest_wait_ready(Guest *guest, gint64 deadline, GError **error)
{
    gboolean in_time = TRUE;

    g_mutex_lock(&guest->lock);
    while (!guest->ready && !guest->gone && !guest->doomed && guest->qmp && in_time)
        in_time = g_cond_wait_until(&guest->changed, &guest->lock, deadline);
    gboolean ready = guest->ready && !guest->gone && !guest->doomed;
    gboolean late = !ready && !guest->gone && !guest->doomed && guest->qmp;
    g_mutex_unlock(&guest->lock);
    if (late)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "QEMU's monitor did not answer");
    return ready;
}

/* --- jobs --- */

void guest_set_job(Guest *guest, JobState *job, JobState state, const char *why)
{
    g_mutex_lock(&guest->lock);
    *job = state;
    g_free(guest->job_error);
    guest->job_error = g_strdup(why);
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
}

gboolean guest_wait_job(Guest *guest, const JobState *job, gint64 deadline, GError **error)
{
    gboolean in_time = TRUE;

    g_mutex_lock(&guest->lock);
    while (*job == JOB_UNDER_WAY && !guest->gone && in_time)
        in_time = g_cond_wait_until(&guest->changed, &guest->lock, deadline);
    JobState state = *job;
    g_autofree char *why = g_strdup(guest->job_error);
    gboolean gone = guest->gone;
    g_mutex_unlock(&guest->lock);
    if (state == JOB_DONE)
        return TRUE;
    if (state == JOB_FAILED)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "%s", why ? why : "job failed unexpectedly");
    if (gone)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "domain is no longer running");
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "QEMU does not come to an end with it");
}

/* --- the end --- */

static void let_go(gpointer data)
{
    Guest *guest = data;

    guest->death = sd_event_source_disable_unref(guest->death);
    guest->again = sd_event_source_disable_unref(guest->again);
    g_mutex_lock(&guest->lock);
    g_autoptr(Qmp) qmp = g_steal_pointer(&guest->qmp);
    guest->gone = TRUE;
    gboolean child = guest->child && guest->process.pid > 0;
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
    if (qmp)
        qmp_close(qmp);
    if (child)
        waitid(P_PIDFD, guest->process.pidfd, &(siginfo_t){0}, WEXITED | WNOHANG);
}

void guest_forget(Guest *guest)
{
    Kvm *kvm = guest->kvm;

    loop_call(kvm->host->loop, let_go, guest);
    g_mutex_lock(&kvm->lock);
    Guest *held = g_hash_table_lookup(kvm->guests, guest->vm);
    gboolean mine = held == guest;
    if (mine)
        g_hash_table_remove(kvm->guests, guest->vm);
    g_mutex_unlock(&kvm->lock);
    if (mine)
        guest_unref(held);
}
