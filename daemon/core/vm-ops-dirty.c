/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handler: how fast a guest writes its memory begins to be measured; the group dirtyrate of its statistics tells. */
#include "daemon/core/vm-ops.h"
#include "lib/error.h"

#define BUDGET (5 * G_USEC_PER_SEC)
#define SECONDS_MAX 60

gboolean remote_domain_start_dirty_rate_calc(Call *call, const RemoteDomainStartDirtyRateCalcArgs *args, GError **error)
{
    Vm *vm = call->vm;
    const DriverStatsOps *ops = vm->instance->driver->stats;
    g_autoptr(VmView) view = vm_view(vm);
    if (!ops || !ops->measure_dirtying)
        return ops_not_offered(call, error);
    if ((args->flags & VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP) && (args->flags & VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING)) {
        error_set_plain(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "Flags '%s' and '%s' are mutually exclusive",
                        "VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP", "VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING");
        return FALSE;
    }
    if (args->seconds < 1 || args->seconds > SECONDS_MAX)
        return error_set(error, vm->instance->from, VIR_ERR_CONFIG_UNSUPPORTED,
                         "seconds=%d is invalid, please choose value within [1, %d].", args->seconds, SECONDS_MAX);
    return vm_check_active(vm, error) && vm_check_monitor(vm, error) &&
           ops->measure_dirtying(vm->instance->self, vm, (guint)args->seconds, args->flags, BUDGET, error);
}
