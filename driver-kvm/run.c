/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of what a running guest does. Each says what the event will mean that QEMU sends, and sends the command. */
#include "driver-kvm/guest.h"

#include "driver-kvm/qmp-commands.h"
#include "driver-kvm/validate.h"
#include "lib/error.h"

static int state_of(Guest *guest, int *ret_reason)
{
    g_autoptr(VmView) view = guest->kvm->host->view(guest->vm);

    *ret_reason = view->reason;
    return view->state;
}

static gboolean invalid(GError **error, const char *why)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "%s", why);
}

gboolean run_suspend(gpointer self, Vm *vm, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;
    int reason, state;

    if (!qmp)
        return FALSE;
    state = state_of(guest, &reason);
    if (state == VIR_DOMAIN_PMSUSPENDED)
        return invalid(error, "domain is pmsuspended");
    if (state == VIR_DOMAIN_PAUSED)
        return TRUE;
    g_mutex_lock(&guest->lock);
    guest->pause_reason = VIR_DOMAIN_PAUSED_USER;
    g_mutex_unlock(&guest->lock);
    return qmp_stop(qmp, error);
}

gboolean run_resume(gpointer self, Vm *vm, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;
    int reason, state;

    if (!qmp)
        return FALSE;
    state = state_of(guest, &reason);
    if (state == VIR_DOMAIN_PMSUSPENDED)
        return invalid(error, "domain is pmsuspended");
    if (state == VIR_DOMAIN_RUNNING)
        return invalid(error, "domain is already running");
    g_mutex_lock(&guest->lock);
    guest->run_reason = reason == VIR_DOMAIN_PAUSED_SAVE ? VIR_DOMAIN_RUNNING_SAVE_CANCELED : VIR_DOMAIN_RUNNING_UNPAUSED;
    guest->finished = FALSE;
    g_mutex_unlock(&guest->lock);
    return qmp_cont(qmp, error);
}

/* Presses the power button. FAKE_REBOOT: what follows is to be a reboot. */
static gboolean press_button(Guest *guest, gboolean fake_reboot, GError **error)
{
    g_autoptr(Qmp) qmp = guest_qmp(guest, error);

    if (!qmp)
        return FALSE;
    g_mutex_lock(&guest->lock);
    guest->fake_reboot = fake_reboot;
    g_mutex_unlock(&guest->lock);
    /* a daemon that restarts in between must know what the end of the guest will mean */
    return guest->kvm->host->save_status(guest->vm, error) && qmp_system_powerdown(qmp, error);
}

static gboolean is_restart(Lifecycle action)
{
    return action == LIFECYCLE_RESTART || action == LIFECYCLE_RENAME_RESTART;
}

gboolean run_shutdown(gpointer self, Vm *vm, guint flags, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    int reason;

    if (!guest)
        return FALSE;
    if (state_of(guest, &reason) != VIR_DOMAIN_RUNNING)
        return invalid(error, "domain is not running");
    g_autoptr(Domain) live = guest_live(guest);
    return press_button(guest, is_restart(live->on_poweroff), error);
}

gboolean run_reboot(gpointer self, Vm *vm, guint flags, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);

    if (!guest)
        return FALSE;
    g_autoptr(Domain) live = guest_live(guest);
    return press_button(guest, is_restart(live->on_reboot), error);
}

gboolean run_reset(gpointer self, Vm *vm, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;
    int reason;

    if (!qmp || !qmp_system_reset(qmp, error))
        return FALSE;
    g_mutex_lock(&guest->lock);
    guest->fake_reboot = FALSE;
    g_mutex_unlock(&guest->lock);
    if (state_of(guest, &reason) == VIR_DOMAIN_CRASHED)
        guest->kvm->host->set_state(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED);
    return TRUE;
}

gboolean run_wakeup(gpointer self, Vm *vm, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    return qmp && qmp_do(qmp, "system_wakeup", NULL, QMP_DEADLINE, error);
}

gboolean run_set_actions(gpointer self, Vm *vm, const Domain *def, gboolean live, GError **error)
{
    if (!validate_lifecycle(def, error))
        return FALSE;
    if (!live)
        return TRUE;
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;
    if (!qmp)
        return FALSE;
    g_autoptr(Domain) now = guest_live(guest);
    gboolean ends = def->on_reboot == LIFECYCLE_DESTROY;
    return ends == (now->on_reboot == LIFECYCLE_DESTROY) ||
           qmp_do(qmp, "set-action", qmp_args("s:reboot", ends ? "shutdown" : "reset", NULL), QMP_DEADLINE, error);
}
