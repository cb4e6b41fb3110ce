/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handler: a look into a guest's memory. */
#include "daemon/core/vm-ops.h"
#include "lib/error.h"

gboolean remote_domain_memory_peek(Call *call, const RemoteDomainMemoryPeekArgs *args, RemoteDomainMemoryPeekRet *ret, GError **error)
{
    Vm *vm = call->vm;
    const DriverSaveOps *ops = vm->instance->driver->save;

    if (!ops || !ops->peek)
        return ops_not_offered(call, error);
    if (args->size > REMOTE_DOMAIN_MEMORY_PEEK_BUFFER_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "%u octets are more than %u", args->size,
                         (guint)REMOTE_DOMAIN_MEMORY_PEEK_BUFFER_MAX);
    if (args->flags != VIR_MEMORY_VIRTUAL && args->flags != VIR_MEMORY_PHYSICAL)
        return error_set(error, call->instance->from, VIR_ERR_INVALID_ARG,
                         "flags parameter must be VIR_MEMORY_VIRTUAL or VIR_MEMORY_PHYSICAL");
    if (!vm_check_monitor(vm, error))
        return FALSE;
    ret->buffer = ops->peek(vm->instance->self, vm, args->offset, args->size, args->flags == VIR_MEMORY_VIRTUAL, error);
    if (!ret->buffer)
        return FALSE;
    ret->n_buffer = args->size;
    return TRUE;
}
