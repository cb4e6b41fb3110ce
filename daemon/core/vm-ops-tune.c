/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/vm-ops-tune.h"

#include "daemon/core/event.h"
#include "daemon/core/wire-params.h"

void ops_tell_tuned(Vm *vm, const Params *params)
{
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_TUNABLE, .tunable = {params}};
    event_emit(vm, &event);
}

const DriverTuningOps *ops_tuning(Call *call, Vm *vm, gsize slot, GError **error)
{
    const DriverTuningOps *ops = vm->instance->driver->tuning;
    if (!ops || !*(const gpointer *)(gconstpointer)((const char *)ops + slot)) {
        ops_not_offered(call, error);
        return NULL;
    }
    return vm_check_monitor(vm, error) ? ops : NULL;
}

RemoteTypedParam *ops_some_params(const Params *list, gint64 max, guint32 *ret_n)
{
    g_autoptr(Params) some = params_new();
    params_extend(some, list);
    if (max >= 0 && max < params_length(some))
        g_array_set_size(some->array, max);
    return wire_params(some, ret_n);
}
