/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a guest never needs its monitor. That the process is gone is known from its pidfd; the event loop sees the same
 * and tells the daemon (guest.c).
 *
 * A guest that this daemon does not know (one that an earlier daemon had half started) is found by its folder, as in
 * reconnect.c, and ended and cleaned up like any other.
 */
#include "driver-kvm/guest.h"

#include <errno.h>
#include <signal.h>
#include <syslog.h>
#include <unistd.h>
#include <fcntl.h>

#include "driver-kvm/argv.h"
#include "driver-kvm/cgroup.h"
#include "driver-kvm/side.h"
#include "driver-kvm/tpm.h"
#include "lib/error.h"

#define GRACE (15 * G_USEC_PER_SEC)
/* A QEMU that is well ends at SIGTERM within 20 ms, having told that it does; clients expect to hear that. */
#define POLITE (G_USEC_PER_SEC / 2)
#define KILL_PATIENCE (10 * G_USEC_PER_SEC)

/* Takes over the process of a run that an earlier daemon began, if there is one. It is watched, so that its end is seen
 * even if we cannot bring it about. */
static gboolean search(Guest *guest, GError **error)
{
    g_autoptr(GError) cause = NULL;
    Process process;

    if (!guest_find_process(guest->folder, &process, &cause)) {
        if (!cause)
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    g_mutex_lock(&guest->lock);
    guest_set_process(guest, process, FALSE);
    g_mutex_unlock(&guest->lock);
    return guest_watch(guest, error);
}

/* The guest, found by its folder if need be. */
static Guest *find(Kvm *kvm, Vm *vm, GError **error)
{
    g_autoptr(Guest) guest = guest_obtain(kvm, vm);

    g_mutex_lock(&guest->lock);
    gboolean known = guest->ours || guest->process.pid > 0;
    g_mutex_unlock(&guest->lock);
    return known || search(guest, error) ? g_steal_pointer(&guest) : NULL;
}

/* A pidfd of our own, since the guest's is closed with it; -1: there is no process, and there will be none. */
static int doom(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    guest->doomed = TRUE;
    int pidfd = guest->process.pid > 0 ? fcntl(guest->process.pidfd, F_DUPFD_CLOEXEC, 0) : -1;
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
    return pidfd;
}

static void spare(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    guest->doomed = FALSE;
    g_mutex_unlock(&guest->lock);
}

static gboolean signal_and_wait(int pidfd, int signal, guint64 wait)
{
    process_signal(pidfd, signal);
    return process_wait_gone(pidfd, g_get_monotonic_time() + wait);
}

static gboolean is_finished(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    gboolean finished = guest->finished;
    g_mutex_unlock(&guest->lock);
    return finished;
}

static gboolean end_process(Guest *guest, int pidfd, gboolean graceful, GError **error)
{
    if (graceful) {
        if (signal_and_wait(pidfd, SIGTERM, GRACE))
            return TRUE;
        spare(guest);
        return error_set_errno(error, VIR_FROM_NONE, EBUSY, "Failed to terminate process %d with SIGTERM", guest->process.pid);
    }
    g_autoptr(Qmp) qmp = guest_qmp(guest, NULL);
    if (!is_finished(guest) && qmp && qmp_is_responsive(qmp) && signal_and_wait(pidfd, SIGTERM, POLITE))
        return TRUE;
    if (signal_and_wait(pidfd, SIGKILL, KILL_PATIENCE))
        return TRUE;
    return error_set_errno(error, VIR_FROM_NONE, EBUSY, "Failed to terminate process %d with SIGKILL", guest->process.pid);
}

gboolean stop_kill(gpointer self, Vm *vm, gboolean graceful, GError **error)
{
    g_autoptr(Guest) guest = find(self, vm, error);

    if (!guest)
        return FALSE;
    int pidfd = doom(guest);
    gboolean ended = pidfd < 0 || end_process(guest, pidfd, graceful, error);
    if (pidfd >= 0)
        close(pidfd);
    if (ended && guest->run < 0) /* we came after its cleanup: nobody will forget this one */
        guest_forget(guest);
    return ended;
}

/* Nothing remembers a transient domain, and so nothing finds its TPM again. */
static void forget_tpm(Kvm *kvm, Vm *vm, const Domain *live)
{
    g_autoptr(VmView) view = kvm->host->view(vm);
    g_autoptr(GError) error = NULL;

    if (!view->next && !tpm_undefine(kvm, live, 0, &error))
        kvm->host->log(vm, LOG_WARNING, error_detail(error));
}

void stop_cleanup(gpointer self, Vm *vm)
{
    Kvm *kvm = self;
    g_autoptr(Guest) guest = guest_obtain(kvm, vm);

    side_end(guest);
    guest_forget(guest);
    if (guest->live) {
        argv_release(guest->live);
        forget_tpm(kvm, vm, guest->live);
    }
    dac_give_back(kvm->dac, guest->folder);
    cgroup_remove(guest->live && guest->live->resource ? guest->live->resource->partition : NULL, kvm->host->uuid(vm));
}
