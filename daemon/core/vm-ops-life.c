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

static gboolean shut_down(Call *call, guint flags, GError **error)
{
    Vm *vm = call->vm;
    if (!ops_of(vm)->shutdown)
        return ops_not_offered(call, error);
    return check_running(vm, error) && ops_of(vm)->shutdown(vm->instance->self, vm, flags, error);
}

gboolean remote_domain_shutdown(Call *call, const RemoteDomainShutdownArgs *args, GError **error)
{
    return shut_down(call, 0, error);
}

gboolean remote_domain_shutdown_flags(Call *call, const RemoteDomainShutdownFlagsArgs *args, GError **error)
{
    return shut_down(call, args->flags, error);
}

gboolean remote_domain_reboot(Call *call, const RemoteDomainRebootArgs *args, GError **error)
{
    Vm *vm = call->vm;
    if (!ops_of(vm)->reboot)
        return ops_not_offered(call, error);
    return vm_check_monitor(vm, error) && ops_of(vm)->reboot(vm->instance->self, vm, args->flags, error);
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
