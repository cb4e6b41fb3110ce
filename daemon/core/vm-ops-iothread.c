/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: the I/O threads of a domain. */
#include <sched.h>
#include <string.h>

#include "daemon/core/host-topology.h"
#include "daemon/core/vm-ops-tune.h"
#include "daemon/core/wire-params.h"
#include "lib/error.h"
#include "lib/model/domain-threads.h"
#include "lib/params-check.h"

#define INFO_BUDGET (5 * G_USEC_PER_SEC)

/* --- which there are --- */

static void add_info(RemoteDomainGetIothreadInfoRet *ret, guint id, const CpuSet *cpus)
{
    RemoteDomainIothreadInfo *info = &ret->info[ret->n_info++];
    int last = cpuset_last(cpus);
    info->iothread_id = id;
    info->n_cpumap = last < 0 ? 1 : last / 8 + 1;
    info->cpumap = g_malloc0(info->n_cpumap);
    cpuset_to_map(cpus, info->cpumap, info->n_cpumap);
}

static CpuSet *affinity_of(pid_t tid)
{
    gsize size = CPU_ALLOC_SIZE(CPUSET_MAX);
    cpu_set_t *mask = CPU_ALLOC(CPUSET_MAX);
    CpuSet *cpus = cpuset_new();
    if (sched_getaffinity(tid, size, mask) == 0)
        for (guint cpu = 0; cpu < CPUSET_MAX; cpu++)
            if (CPU_ISSET_S(cpu, size, mask))
                cpuset_add(cpus, cpu);
    CPU_FREE(mask);
    return cpus;
}

static gboolean live_info(Call *call, Vm *vm, RemoteDomainGetIothreadInfoRet *ret, GError **error)
{
    const DriverTuningOps *ops = ops_tuning(call, vm, offsetof(DriverTuningOps, iothreads), error);
    g_autoptr(GArray) threads = NULL;
    if (!ops || !ops->iothreads(vm->instance->self, vm, INFO_BUDGET, &threads, error))
        return FALSE;
    ret->info = g_new0(RemoteDomainIothreadInfo, threads->len);
    for (guint i = 0; i < threads->len; i++) {
        const DriverIothread *thread = &g_array_index(threads, DriverIothread, i);
        g_autoptr(CpuSet) cpus = affinity_of(thread->tid);
        add_info(ret, thread->id, cpus);
    }
    return TRUE;
}

static gboolean next_info(const Domain *def, RemoteDomainGetIothreadInfoRet *ret, GError **error)
{
    g_autoptr(GArray) ids = domain_iothread_ids(def);
    ret->info = g_new0(RemoteDomainIothreadInfo, ids->len);
    for (guint i = 0; i < ids->len; i++) {
        guint id = g_array_index(ids, guint, i), present;
        const char *said = domain_iothread_cpus(def, id);
        g_autoptr(CpuSet) cpus = said ? cpuset_parse(said, error) : host_online_cpus("", &present);
        if (!cpus)
            return said ? FALSE : error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "the kernel does not tell the host's CPUs");
        add_info(ret, id, cpus);
    }
    return TRUE;
}

gboolean remote_domain_get_iothread_info(Call *call, const RemoteDomainGetIothreadInfoArgs *args,
                                         RemoteDomainGetIothreadInfoRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    const Domain *def = view ? ops_affected(vm, view, args->flags, error) : NULL;
    if (!def || !(def == view->live ? live_info(call, vm, ret, error) : next_info(def, ret, error)))
        return FALSE;
    ret->ret = ret->n_info;
    return TRUE;
}

/* --- more and fewer --- */

typedef gboolean (*CheckFunc)(Vm *vm, const Domain *def, guint id, GError **error);

static gboolean check_free(Vm *vm, const Domain *def, guint id, GError **error)
{
    return !domain_has_iothread(def, id) || error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG,
                                               "an IOThread is already using iothread_id '%u'", id);
}

static gboolean check_unused(Vm *vm, const Domain *def, guint id, GError **error)
{
    g_autofree char *user = domain_iothread_user(def, id);
    if (!domain_has_iothread(def, id))
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "cannot find IOThread '%u' in iothreadids list", id);
    return !user || error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG,
                              "cannot remove IOThread %s", user);
}

static gboolean edit_add(Domain *def, gpointer data, GError **error)
{
    domain_add_iothread(def, *(const guint *)data);
    return TRUE;
}

static gboolean edit_del(Domain *def, gpointer data, GError **error)
{
    domain_del_iothread(def, *(const guint *)data);
    return TRUE;
}

static gboolean change(Call *call, guint id, guint flags, CheckFunc check, VmEdit edit, gboolean add, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    OpsAffect affect;
    if (!vm_check_present(vm, error) || !ops_affect(vm, view, flags, &affect, error))
        return FALSE;
    if (id == 0)
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "%s", "invalid value of 0 for iothread_id");
    if ((affect.live && !check(vm, view->live, id, error)) || (affect.config && !check(vm, view->next, id, error)))
        return FALSE;
    if (affect.live) {
        gsize slot = add ? offsetof(DriverTuningOps, add_iothread) : offsetof(DriverTuningOps, del_iothread);
        const DriverTuningOps *ops = ops_tuning(call, vm, slot, error);
        gpointer self = vm->instance->self;
        if (!ops || !(add ? ops->add_iothread(self, vm, id, error) : ops->del_iothread(self, vm, id, error)))
            return FALSE;
    }
    return ops_edit(vm, affect, edit, &id, error);
}

gboolean remote_domain_add_iothread(Call *call, const RemoteDomainAddIothreadArgs *args, GError **error)
{
    return change(call, args->iothread_id, args->flags, check_free, edit_add, TRUE, error);
}

gboolean remote_domain_del_iothread(Call *call, const RemoteDomainDelIothreadArgs *args, GError **error)
{
    return change(call, args->iothread_id, args->flags, check_unused, edit_del, FALSE, error);
}

/* --- how they work --- */

static const ParamKnown known[] = {
    {VIR_DOMAIN_IOTHREAD_POLL_MAX_NS, VIR_TYPED_PARAM_ULLONG},    {VIR_DOMAIN_IOTHREAD_POLL_GROW, VIR_TYPED_PARAM_UINT},
    {VIR_DOMAIN_IOTHREAD_POLL_SHRINK, VIR_TYPED_PARAM_UINT},      {VIR_DOMAIN_IOTHREAD_THREAD_POOL_MIN, VIR_TYPED_PARAM_INT},
    {VIR_DOMAIN_IOTHREAD_THREAD_POOL_MAX, VIR_TYPED_PARAM_INT},
};

static gboolean too_large(GError **error, const char *name, guint64 value)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "%s (%" G_GUINT64_FORMAT ") must be less than or equal to %d", name, value, G_MAXINT);
}

/* Values that QEMU has no place for, whatever thread they are for. */
static gboolean check_values(const Params *values, GError **error)
{
    const Param *most_ns = params_find(values, VIR_DOMAIN_IOTHREAD_POLL_MAX_NS);
    const Param *grow = params_find(values, VIR_DOMAIN_IOTHREAD_POLL_GROW);
    const Param *shrink = params_find(values, VIR_DOMAIN_IOTHREAD_POLL_SHRINK);
    const Param *least = params_find(values, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MIN);
    const Param *most = params_find(values, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MAX);
    if (most_ns && most_ns->value.ul > G_MAXINT)
        return too_large(error, "poll-max-ns", most_ns->value.ul);
    if (grow && grow->value.ui > G_MAXINT)
        return too_large(error, "poll-grow", grow->value.ui);
    if (shrink && shrink->value.ui > G_MAXINT)
        return too_large(error, "poll-shrink", shrink->value.ui);
    if (least && least->value.i < -1)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "thread_pool_min (%d) must be equal to or greater than -1", least->value.i);
    if (most && (most->value.i < -1 || most->value.i == 0))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "thread_pool_max (%d) must be a positive number or -1", most->value.i);
    return TRUE;
}

static gint64 pool_value(const Params *values, const char *field, guint32 listed)
{
    const Param *param = params_find(values, field);
    return param ? param->value.i : listed == UNSET32 ? -1 : (gint64)listed;
}

static gboolean check_thread(Vm *vm, const Domain *def, guint id, const Params *values, GError **error)
{
    const IothreadId *listed = domain_iothread(def, id);
    if (!domain_has_iothread(def, id))
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "cannot find IOThread '%u' in iothreadids", id);
    gint64 least = pool_value(values, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MIN, listed ? listed->thread_pool_min : UNSET32);
    gint64 most = pool_value(values, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MAX, listed ? listed->thread_pool_max : UNSET32);
    return most < 0 || least <= most ||
           error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID,
                     "thread_pool_min (%" G_GINT64_FORMAT ") can't be greater than thread_pool_max (%" G_GINT64_FORMAT ")", least, most);
}

typedef struct {
    guint id;
    const Params *values;
} Tune;

static gboolean edit_pool(Domain *def, gpointer data, GError **error)
{
    const Tune *tune = data;
    const Param *least = params_find(tune->values, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MIN);
    const Param *most = params_find(tune->values, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MAX);
    if (!least && !most)
        return TRUE;
    IothreadId *listed = domain_list_iothread(def, tune->id);
    if (least)
        listed->thread_pool_min = least->value.i < 0 ? UNSET32 : (guint32)least->value.i;
    if (most)
        listed->thread_pool_max = most->value.i < 0 ? UNSET32 : (guint32)most->value.i;
    return TRUE;
}

static gboolean only_pool(const Params *values)
{
    return !params_find(values, VIR_DOMAIN_IOTHREAD_POLL_MAX_NS) && !params_find(values, VIR_DOMAIN_IOTHREAD_POLL_GROW) &&
           !params_find(values, VIR_DOMAIN_IOTHREAD_POLL_SHRINK);
}

gboolean remote_domain_set_iothread_params(Call *call, const RemoteDomainSetIothreadParamsArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Params) values = wire_params_read(args->params, args->n_params);
    guint id = args->iothread_id;
    OpsAffect affect;
    if (!vm_check_present(vm, error))
        return FALSE;
    if (id == 0)
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "%s", "invalid value of 0 for iothread_id");
    if (!params_check(values, known, G_N_ELEMENTS(known), error) || !check_values(values, error) ||
        !ops_affect(vm, view, args->flags, &affect, error))
        return FALSE;
    if (affect.live && !check_thread(vm, view->live, id, values, error))
        return FALSE;
    if (affect.config && !check_thread(vm, view->next, id, values, error))
        return FALSE;
    if (affect.config && !only_pool(values))
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                         "configuring persistent polling values is not supported");
    const DriverTuningOps *ops = affect.live ? ops_tuning(call, vm, offsetof(DriverTuningOps, set_iothread), error) : NULL;
    if (affect.live && (!ops || !ops->set_iothread(vm->instance->self, vm, id, values, error)))
        return FALSE;
    Tune tune = {id, values};
    return ops_edit(vm, affect, edit_pool, &tune, error);
}
