/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers of the qemu program: what goes to a monitor as it is. */
#include "daemon/core/record.h"
#include "daemon/core/vm-ops.h"
#include "daemon/rpc/qemu-gen.h"

/* The answer, to free. FD: goes along with the command; -1: none. */
static char *command(Call *call, const char *text, guint flags, int fd, GError **error)
{
    Vm *vm = call->vm;
    const DriverMonitorOps *ops = vm->instance->driver->monitor;
    if (!ops || !ops->command) {
        ops_not_offered(call, error);
        return NULL;
    }
    if (!vm_check_monitor(vm, error))
        return NULL;
    if (vm_taint(vm, VM_TAINT_MONITOR_COMMAND) && !record_save(vm, error))
        return NULL;
    return ops->command(vm->instance->self, vm, text, flags, fd, error);
}

gboolean qemu_domain_monitor_command(Call *call, const QemuDomainMonitorCommandArgs *args,
                                     QemuDomainMonitorCommandRet *ret, GError **error)
{
    ret->result = command(call, args->cmd, args->flags, -1, error);
    return ret->result != NULL;
}

/* QEMU's monitor takes one descriptor with a command, and sends none back. */
gboolean qemu_domain_monitor_command_with_files(Call *call, const QemuDomainMonitorCommandWithFilesArgs *args,
                                                QemuDomainMonitorCommandWithFilesRet *ret, GError **error)
{
    if (call->n_fds > 1)
        return error_set(error, call->instance->from, VIR_ERR_INVALID_ARG, "at most 1 fd can be passed to qemu along with a command");
    ret->result = command(call, args->cmd, args->flags, call->n_fds ? call->fds[0] : -1, error);
    return ret->result != NULL;
}
