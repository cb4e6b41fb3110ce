/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The wish that a job shall end is a flag here, set before the driver is asked: a driver that has not begun yet sees the flag
 * when it does (DriverHost.aborted), one that has begun is stopped, and one that is done by then has worked in vain.
 */
#include "daemon/core/vm-job.h"

#include "daemon/core/event.h"

#define FIGURES_BUDGET G_USEC_PER_SEC

typedef enum {
    STEP_BEGUN,
    STEP_DRIVER, /* the driver is at it */
    STEP_DONE,
} Step;

struct VmJob {
    int operation;
    gint64 began;
    Step step;
    gboolean figures, aborted;
};

static const char *name_of(int operation)
{
    return operation == VIR_DOMAIN_JOB_OPERATION_SAVE ? "domain save" : "domain core dump";
}

void vm_job_begin(Vm *vm, int operation, gboolean figures)
{
    VmJob *job = g_new0(VmJob, 1);
    job->operation = operation;
    job->began = g_get_monotonic_time();
    job->figures = figures;
    g_mutex_lock(&vm->lock);
    g_assert(!vm->job);
    vm->job = job;
    g_mutex_unlock(&vm->lock);
}

void vm_job_end(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    g_clear_pointer(&vm->job, g_free);
    g_mutex_unlock(&vm->lock);
}

/* A copy; FALSE if there is none. */
static gboolean get(Vm *vm, VmJob *ret_job)
{
    g_mutex_lock(&vm->lock);
    gboolean is = vm->job != NULL;
    if (is)
        *ret_job = *vm->job;
    g_mutex_unlock(&vm->lock);
    return is;
}

gboolean vm_job_is(Vm *vm)
{
    VmJob job;
    return get(vm, &job);
}

gboolean vm_job_aborted(Vm *vm)
{
    VmJob job;
    return get(vm, &job) && job.aborted;
}

static gboolean canceled(Vm *vm, int operation, GError **error)
{
    return error_set(error, vm->instance->from, VIR_ERR_OPERATION_ABORTED, "job '%s' canceled by client", name_of(operation));
}

/* The job goes on to STEP, unless a client has ended it. */
static gboolean advance(Vm *vm, Step step, GError **error)
{
    g_mutex_lock(&vm->lock);
    gboolean aborted = vm->job->aborted;
    int operation = vm->job->operation;
    if (!aborted)
        vm->job->step = step;
    g_mutex_unlock(&vm->lock);
    return !aborted || canceled(vm, operation, error);
}

gboolean vm_job_enter(Vm *vm, GError **error)
{
    return advance(vm, STEP_DRIVER, error);
}

gboolean vm_job_explain(Vm *vm, GError **error)
{
    VmJob job;
    if (!get(vm, &job) || !job.aborted)
        return FALSE;
    g_clear_error(error);
    return !canceled(vm, job.operation, error);
}

static Params *figures_of(Vm *vm, const VmJob *job, guint64 budget, GError **error)
{
    const DriverInstance *instance = vm->instance;
    const DriverSaveOps *ops = instance->driver->save;
    g_autoptr(Params) params = params_new();
    params_int(params, job->operation, VIR_DOMAIN_JOB_OPERATION);
    params_ullong(params, (g_get_monotonic_time() - job->began) / 1000, VIR_DOMAIN_JOB_TIME_ELAPSED);
    if (job->step > STEP_BEGUN && ops->progress && !ops->progress(instance->self, vm, budget, params, error))
        return NULL;
    return g_steal_pointer(&params);
}

/* A driver that does not say how far it came, although it came to the end, leaves nothing to tell. */
static void tell(Vm *vm, const VmJob *job)
{
    g_autoptr(Params) params = figures_of(vm, job, FIGURES_BUDGET, NULL);
    if (!params)
        return;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, .job = {params}};
    event_emit(vm, &event);
    g_mutex_lock(&vm->lock);
    Params *old = vm->last_job;
    vm->last_job = g_steal_pointer(&params);
    g_mutex_unlock(&vm->lock);
    params_free(old);
}

gboolean vm_job_done(Vm *vm, GError **error)
{
    VmJob job;
    if (!advance(vm, STEP_DONE, error))
        return FALSE;
    if (get(vm, &job) && job.figures)
        tell(vm, &job);
    return TRUE;
}

Params *vm_job_figures(Vm *vm, guint64 budget, GError **error)
{
    VmJob job;
    return get(vm, &job) ? figures_of(vm, &job, budget, error) : NULL;
}

Params *vm_job_last(Vm *vm, gboolean keep)
{
    Params *result = NULL;
    g_mutex_lock(&vm->lock);
    if (vm->last_job && !vm->job && keep) {
        result = params_new();
        params_extend(result, vm->last_job);
    } else if (!vm->job) {
        result = g_steal_pointer(&vm->last_job);
    }
    g_mutex_unlock(&vm->lock);
    return result;
}

gboolean vm_job_abort(Vm *vm, GError **error)
{
    const DriverInstance *instance = vm->instance;
    const DriverSaveOps *ops = instance->driver->save;
    g_mutex_lock(&vm->lock);
    gboolean is = vm->job && vm->job->step < STEP_DONE, figures = is && vm->job->figures;
    if (figures)
        vm->job->aborted = TRUE;
    g_mutex_unlock(&vm->lock);
    if (!is)
        return error_set(error, instance->from, VIR_ERR_OPERATION_INVALID, "no job is active on the domain");
    if (!figures)
        return error_set(error, instance->from, VIR_ERR_OPERATION_INVALID, "cannot abort memory-only dump");
    return !ops->abort || ops->abort(instance->self, vm, error);
}
