/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: how far a save or dump is, and its end before its time. None of them waits for the domain's queue. */
#include "daemon/core/vm-job.h"
#include "daemon/core/vm-ops.h"
#include "daemon/core/wire-params.h"

#define BUDGET G_USEC_PER_SEC /* QEMU's main loop stands still now and then while it migrates */

static guint64 value_of(const Params *params, const char *field)
{
    const Param *param = params_find(params, field);
    return param ? param->value.ul : 0;
}

static gboolean has_jobs(Call *call, GError **error)
{
    const DriverSaveOps *ops = call->instance->driver->save;
    return (ops && ops->save) || ops_not_offered(call, error);
}

gboolean remote_domain_get_job_info(Call *call, const RemoteDomainGetJobInfoArgs *args, RemoteDomainGetJobInfoRet *ret,
                                    GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(GError) cause = NULL;
    if (!vm || !has_jobs(call, error) || !vm_check_active(vm, error))
        return FALSE;
    g_autoptr(Params) params = vm_job_figures(vm, BUDGET, &cause);
    if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    if (!params)
        return TRUE;
    ret->type = VIR_DOMAIN_JOB_UNBOUNDED;
    ret->time_elapsed = value_of(params, VIR_DOMAIN_JOB_TIME_ELAPSED);
    ret->mem_total = value_of(params, VIR_DOMAIN_JOB_MEMORY_TOTAL);
    ret->mem_processed = value_of(params, VIR_DOMAIN_JOB_MEMORY_PROCESSED);
    ret->mem_remaining = value_of(params, VIR_DOMAIN_JOB_MEMORY_REMAINING);
    /* there is nothing but memory in what is written */
    ret->data_total = ret->mem_total;
    ret->data_processed = ret->mem_processed;
    ret->data_remaining = ret->mem_remaining;
    return TRUE;
}

gboolean remote_domain_get_job_stats(Call *call, const RemoteDomainGetJobStatsArgs *args, RemoteDomainGetJobStatsRet *ret,
                                     GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(GError) cause = NULL;
    gboolean completed = args->flags & VIR_DOMAIN_JOB_STATS_COMPLETED;
    if (!vm || !has_jobs(call, error) || !(completed || vm_check_active(vm, error)))
        return FALSE;
    g_autoptr(Params) params = completed ? vm_job_last(vm, args->flags & VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED)
                                         : vm_job_figures(vm, BUDGET, &cause);
    if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    if (!params)
        return TRUE;
    ret->type = completed ? VIR_DOMAIN_JOB_COMPLETED : VIR_DOMAIN_JOB_UNBOUNDED;
    ret->params = wire_params(params, &ret->n_params);
    return TRUE;
}

static gboolean abort_job(Call *call, guint flags, GError **error)
{
    if (!has_jobs(call, error) || !vm_check_active(call->vm, error))
        return FALSE;
    if (flags & VIR_DOMAIN_ABORT_JOB_POSTCOPY)
        return error_set(error, call->instance->from, VIR_ERR_OPERATION_INVALID,
                         "current job is not outgoing migration in post-copy mode");
    return vm_job_abort(call->vm, error);
}

gboolean remote_domain_abort_job(Call *call, const RemoteDomainAbortJobArgs *args, GError **error)
{
    return abort_job(call, 0, error);
}

gboolean remote_domain_abort_job_flags(Call *call, const RemoteDomainAbortJobFlagsArgs *args, GError **error)
{
    return abort_job(call, args->flags, error);
}
