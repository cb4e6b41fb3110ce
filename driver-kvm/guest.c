/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/guest.h"

#include <syslog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver-kvm/side.h"
#include "lib/error.h"

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
    g_clear_pointer(&guest->counters, g_hash_table_unref);
    g_free(guest->job_error);
    g_free(guest->lost_why);
    g_free(guest->leaving);
    agent_free(guest->agent);
    guest->kvm->host->unref(guest->vm);
    g_mutex_clear(&guest->lock);
    g_cond_clear(&guest->changed);
    g_free(guest->folder);
    g_free(guest->private_dir);
    g_free(guest);
}

static Guest *make(Kvm *kvm, Vm *vm, const VmView *view)
{
    Guest *guest = g_new0(Guest, 1);

    g_atomic_ref_count_init(&guest->refs);
    guest->kvm = kvm;
    guest->vm = kvm->host->ref(vm);
    guest->run = view->id;
    guest->folder = g_build_filename(kvm->host->paths->run, "domains", kvm->host->uuid(vm), NULL);
    guest->private_dir = g_build_filename(guest->folder, "guest", NULL);
    guest->agent = agent_new();
    g_mutex_init(&guest->lock);
    g_cond_init(&guest->changed);
    guest->live = view->live ? domain_ref(view->live) : NULL;
    guest->process.pidfd = -1;
    guest->pause_reason = VIR_DOMAIN_PAUSED_UNKNOWN;
    guest->run_reason = VIR_DOMAIN_RUNNING_UNPAUSED;
    guest->again_after = GUEST_AGAIN_FIRST;
    return guest;
}

static void let_go(gpointer data);

Guest *guest_obtain(Kvm *kvm, Vm *vm)
{
    g_autoptr(VmView) view = kvm->host->view(vm);
    g_autoptr(Guest) fresh = make(kvm, vm, view);
    g_autoptr(Guest) stale = NULL;

    g_mutex_lock(&kvm->lock);
    Guest *known = g_hash_table_lookup(kvm->guests, vm);
    if (!known || (view->id >= 0 && known->run != view->id)) {
        stale = known; /* with the table's reference */
        g_hash_table_insert(kvm->guests, vm, guest_ref(fresh));
        known = fresh;
    }
    guest_ref(known);
    g_mutex_unlock(&kvm->lock);
    if (stale)
        loop_call(kvm->host->loop, let_go, stale);
    return known;
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
    g_mutex_lock(&guest->lock);
    gboolean killed = guest->doomed && info->si_code != CLD_EXITED; /* by us */
    g_mutex_unlock(&guest->lock);
    guest->kvm->host->log(guest->vm, killed ? LOG_INFO : LOG_NOTICE, text);
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
    if (guest->process.pid > 0) {
        close(process.pidfd);
        return;
    }
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

    if (guest->death || guest->gone)
        return;
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

    side_forget(guest);
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
