/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers of the qemu program: what goes to a monitor as it is. */
#include "daemon/core/vm-ops.h"
#include "daemon/rpc/qemu-gen.h"

gboolean qemu_domain_monitor_command(Call *call, const QemuDomainMonitorCommandArgs *args,
                                     QemuDomainMonitorCommandRet *ret, GError **error)
{
    Vm *vm = call->vm;
    const DriverMonitorOps *ops = vm->instance->driver->monitor;
    if (!ops || !ops->command)
        return ops_not_offered(call, error);
    if (!vm_check_monitor(vm, error))
        return FALSE;
    ret->result = ops->command(vm->instance->self, vm, args->cmd, args->flags, error);
    return ret->result != NULL;
}
