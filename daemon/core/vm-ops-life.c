/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: what a running domain is told to do. */
#include "daemon/core/managed-save.h"
#include "daemon/core/record.h"
#include "daemon/core/vm-ops.h"

static const DriverRunOps *ops_of(const Vm *vm)
{
    return vm->instance->driver->run;
}

static gboolean check_running(Vm *vm, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    if (!vm_check_present(vm, error))
        return FALSE;
    if (view->state != VIR_DOMAIN_RUNNING)
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "domain is not running");
    return vm_check_monitor(vm, error);
}

static gboolean check_not_sleeping(Vm *vm, const VmView *view, GError **error)
{
    return view->state != VIR_DOMAIN_PMSUSPENDED ||
           error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "domain is pmsuspended");
}

gboolean remote_domain_suspend(Call *call, const RemoteDomainSuspendArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    if (!ops_of(vm)->suspend)
        return ops_not_offered(call, error);
    if (!vm_check_monitor(vm, error) || !check_not_sleeping(vm, view, error))
        return FALSE;
    return view->state == VIR_DOMAIN_PAUSED ||
           (ops_of(vm)->suspend(vm->instance->self, vm, error) && record_save(vm, error));
}

gboolean remote_domain_resume(Call *call, const RemoteDomainResumeArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    if (!ops_of(vm)->resume)
        return ops_not_offered(call, error);
    if (!vm_check_monitor(vm, error) || !check_not_sleeping(vm, view, error))
        return FALSE;
    if (view->state == VIR_DOMAIN_RUNNING)
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "domain is already running");
    if (view->managed_save && !managed_save_remove(vm, error)) /* of a save after which the guest did not end */
        return FALSE;
    return ops_of(vm)->resume(vm->instance->self, vm, error) && record_save(vm, error);
}

/* --- shutting down and rebooting --- */

/* The two flags words mean the same. */
G_STATIC_ASSERT((int)VIR_DOMAIN_SHUTDOWN_GUEST_AGENT == (int)VIR_DOMAIN_REBOOT_GUEST_AGENT);
G_STATIC_ASSERT((int)VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN == (int)VIR_DOMAIN_REBOOT_ACPI_POWER_BTN);

typedef struct {
    Vm *vm;
    gboolean reboot; /* what the client asks for; the definition may have it become the other */
    guint flags;
    gboolean ok;
    GError *error;
} Press;

static gboolean restarts(Lifecycle action)
{
    return action == LIFECYCLE_RESTART || action == LIFECYCLE_RENAME_RESTART;
}

/* Without the agent; the domain's turn has come. */
static void press(gpointer data)
{
    Press *what = data;
    Vm *vm = what->vm;
    const DriverRunOps *ops = ops_of(vm);
    vm_set_operation(vm, what->reboot ? "domain_reboot" : "domain_shutdown");
    if (what->reboot)
        what->ok = vm_check_monitor(vm, &what->error) && ops->reboot(vm->instance->self, vm, what->flags, &what->error);
    else
        what->ok = check_running(vm, &what->error) && ops->shutdown(vm->instance->self, vm, what->flags, &what->error);
    vm_set_operation(vm, NULL);
}

static gboolean by_agent(const Press *what, GError **error)
{
    Vm *vm = what->vm;
    const DriverAgentOps *agent = vm->instance->driver->agent;
    g_autoptr(VmView) view = vm_view(vm);
    const Domain *def = vm_view_def(view);
    return vm_check_present(vm, error) && agent->check(vm->instance->self, vm, error) &&
           agent->shut_down(vm->instance->self, vm, restarts(what->reboot ? def->on_reboot : def->on_poweroff), error);
}

/* The agent is asked first, where there is one and nothing was said against it. That may take long, and is no matter of the
 * domain's queue; the power button is. */
static gboolean power(Call *call, gboolean reboot, guint flags, GError **error)
{
    Vm *vm = call->vm;
    const DriverAgentOps *agent = vm->instance->driver->agent;
    Press what = {vm, reboot, flags, FALSE, NULL};
    g_autoptr(GError) cause = NULL;
    if (reboot ? !ops_of(vm)->reboot : !ops_of(vm)->shutdown)
        return ops_not_offered(call, error);
    gboolean asks = agent && (flags ? (flags & VIR_DOMAIN_SHUTDOWN_GUEST_AGENT) != 0 : agent->is_there(vm->instance->self, vm));
    if (asks && by_agent(&what, &cause))
        return TRUE;
    if (asks && flags == VIR_DOMAIN_SHUTDOWN_GUEST_AGENT) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    g_autoptr(VmView) view = vm_view(vm);
    if (asks && view->id < 0 && !error_is(cause, VIR_ERR_OPERATION_INVALID))
        return TRUE; /* it went while we waited for the agent */
    if (!queue_run(vm->queue, press, &what, error))
        return FALSE;
    if (what.error)
        g_propagate_error(error, what.error);
    return what.ok;
}

gboolean remote_domain_shutdown(Call *call, const RemoteDomainShutdownArgs *args, GError **error)
{
    return power(call, FALSE, 0, error);
}

gboolean remote_domain_shutdown_flags(Call *call, const RemoteDomainShutdownFlagsArgs *args, GError **error)
{
    return power(call, FALSE, args->flags, error);
}

gboolean remote_domain_reboot(Call *call, const RemoteDomainRebootArgs *args, GError **error)
{
    return power(call, TRUE, args->flags, error);
}

gboolean remote_domain_reset(Call *call, const RemoteDomainResetArgs *args, GError **error)
{
    Vm *vm = call->vm;
    if (!ops_of(vm)->reset)
        return ops_not_offered(call, error);
    return vm_check_monitor(vm, error) && ops_of(vm)->reset(vm->instance->self, vm, error);
}

static gboolean destroy(Vm *vm, gboolean graceful, GError **error)
{
    return run_kill(vm, graceful, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED, error);
}

gboolean remote_domain_destroy(Call *call, const RemoteDomainDestroyArgs *args, GError **error)
{
    return destroy(call->vm, FALSE, error);
}

gboolean remote_domain_destroy_flags(Call *call, const RemoteDomainDestroyFlagsArgs *args, GError **error)
{
    return destroy(call->vm, (args->flags & VIR_DOMAIN_DESTROY_GRACEFUL) != 0, error);
}
