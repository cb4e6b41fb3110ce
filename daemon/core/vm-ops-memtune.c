/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: limits of a domain's memory, and the host's nodes that it comes from. */
#include "daemon/core/vm-ops-tune.h"
#include "daemon/core/wire-params.h"
#include "lib/cpuset.h"
#include "lib/error.h"
#include "lib/params-check.h"

/* --- limits --- */

static const struct {
    const char *field;
    gsize offset; /* in Memtune */
} limits[] = {
    {VIR_DOMAIN_MEMORY_HARD_LIMIT, offsetof(Memtune, hard_limit)},
    {VIR_DOMAIN_MEMORY_SOFT_LIMIT, offsetof(Memtune, soft_limit)},
    {VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT, offsetof(Memtune, swap_hard_limit)},
};
enum { HARD, SOFT, SWAP_HARD };

static guint64 *limit_in(const Memtune *tune, guint i)
{
    return (guint64 *)(gpointer)((char *)tune + limits[i].offset);
}

static guint64 limit_of(const Domain *def, guint i)
{
    guint64 limit = def->memtune ? *limit_in(def->memtune, i) : UNSET64;
    return limit == UNSET64 ? VIR_DOMAIN_MEMORY_PARAM_UNLIMITED : limit;
}

static gboolean no_memory_group(GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "%s", "cgroup memory controller is not mounted");
}

gboolean remote_domain_get_memory_parameters(Call *call, const RemoteDomainGetMemoryParametersArgs *args,
                                             RemoteDomainGetMemoryParametersRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    g_autoptr(Params) params = params_new();
    const Domain *def = view ? ops_affected(vm, view, args->flags, error) : NULL;
    if (!def)
        return FALSE;
    ret->nparams = G_N_ELEMENTS(limits);
    if (args->nparams == 0)
        return TRUE;
    if (def == view->live)
        return no_memory_group(error);
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++)
        params_ullong(params, limit_of(def, i), "%s", limits[i].field);
    ret->params = ops_some_params(params, args->nparams, &ret->n_params);
    ret->nparams = ret->n_params;
    return TRUE;
}

static gboolean edit_limits(Domain *def, gpointer data, GError **error)
{
    const Params *params = data;
    if (!def->memtune)
        def->memtune = memtune_new();
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        const Param *param = params_find(params, limits[i].field);
        if (param)
            *limit_in(def->memtune, i) = param->value.ul >= VIR_DOMAIN_MEMORY_PARAM_UNLIMITED ? UNSET64 : param->value.ul;
    }
    return TRUE;
}

/* Swap counts with memory: it cannot have the lower limit. */
static gboolean check_limits(const Domain *def, const Params *params, GError **error)
{
    const Param *hard = params_find(params, VIR_DOMAIN_MEMORY_HARD_LIMIT);
    const Param *swap = params_find(params, VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT);
    guint64 hard_limit = hard ? hard->value.ul : limit_of(def, HARD), swap_limit = swap ? swap->value.ul : limit_of(def, SWAP_HARD);
    return (!hard && !swap) || hard_limit <= swap_limit ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "%s",
                     "memory hard_limit tunable value must be lower than or equal to swap_hard_limit");
}

gboolean remote_domain_set_memory_parameters(Call *call, const RemoteDomainSetMemoryParametersArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Params) params = wire_params_read(args->params, args->n_params);
    ParamKnown known[G_N_ELEMENTS(limits)];
    OpsAffect affect;
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++)
        known[i] = (ParamKnown){limits[i].field, VIR_TYPED_PARAM_ULLONG};
    if (!params_check(params, known, G_N_ELEMENTS(known), error) || !vm_check_present(vm, error) ||
        !ops_affect(vm, view, args->flags, &affect, error))
        return FALSE;
    if (affect.live)
        return no_memory_group(error);
    /* beside what is in force now, as libvirtd has it */
    return check_limits(vm_view_def(view), params, error) && ops_edit(vm, affect, edit_limits, params, error);
}

/* --- nodes --- */

static const ParamKnown numa_known[] = {{VIR_DOMAIN_NUMA_MODE, VIR_TYPED_PARAM_INT}, {VIR_DOMAIN_NUMA_NODESET, VIR_TYPED_PARAM_STRING}};

/* The enumeration of the description begins where libvirt's does, after its word for unset. */
static gint32 mode_of(const NumatuneMemory *memory)
{
    return memory ? (gint32)memory->mode - NUMATUNE_MODE_STRICT : VIR_DOMAIN_NUMATUNE_MEM_STRICT;
}

gboolean remote_domain_get_numa_parameters(Call *call, const RemoteDomainGetNumaParametersArgs *args,
                                           RemoteDomainGetNumaParametersRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    const Domain *def = view ? ops_affected(vm, view, args->flags, error) : NULL;
    g_autoptr(Params) params = params_new();
    if (!def)
        return FALSE;
    ret->nparams = G_N_ELEMENTS(numa_known);
    if (args->nparams == 0)
        return TRUE;
    const NumatuneMemory *memory = def->numatune ? def->numatune->memory : NULL;
    params_int(params, mode_of(memory), "%s", VIR_DOMAIN_NUMA_MODE);
    params_string(params, memory && memory->nodeset ? memory->nodeset : "", "%s", VIR_DOMAIN_NUMA_NODESET);
    ret->params = ops_some_params(params, args->nparams, &ret->n_params);
    ret->nparams = ret->n_params;
    return TRUE;
}

typedef struct {
    NumatuneMode mode; /* 0: as it is */
    const char *nodeset; /* NULL: as it is */
} Nodes;

static gboolean edit_nodes(Domain *def, gpointer data, GError **error)
{
    const Nodes *nodes = data;
    NumatuneMemory *memory = def->numatune ? def->numatune->memory : NULL;
    if (!nodes->nodeset && !(memory && memory->nodeset))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                         "nodeset for NUMA memory tuning must be set if 'placement' is 'static'");
    if (!def->numatune)
        def->numatune = numatune_new();
    if (!memory)
        memory = def->numatune->memory = numatune_memory_new();
    if (nodes->mode != NUMATUNE_MODE_UNSET || memory->mode == NUMATUNE_MODE_UNSET)
        memory->mode = nodes->mode != NUMATUNE_MODE_UNSET ? nodes->mode : NUMATUNE_MODE_STRICT;
    if (nodes->nodeset) {
        g_free(memory->nodeset);
        memory->nodeset = g_strdup(nodes->nodeset);
        memory->placement = NUMATUNE_PLACEMENT_UNSET;
    }
    return TRUE;
}

gboolean remote_domain_set_numa_parameters(Call *call, const RemoteDomainSetNumaParametersArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Params) params = wire_params_read(args->params, args->n_params);
    OpsAffect affect;
    if (!params_check(params, numa_known, G_N_ELEMENTS(numa_known), error))
        return FALSE;
    const Param *mode = params_find(params, VIR_DOMAIN_NUMA_MODE), *nodeset = params_find(params, VIR_DOMAIN_NUMA_NODESET);
    if (mode && (mode->value.i < 0 || mode->value.i > VIR_DOMAIN_NUMATUNE_MEM_RESTRICTIVE))
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "unsupported numatune mode: '%d'", mode->value.i);
    g_autoptr(CpuSet) nodes = nodeset ? cpuset_parse(nodeset->value.s ? nodeset->value.s : "", error) : NULL;
    if (nodeset && !nodes)
        return FALSE;
    if (nodeset && cpuset_count(nodes) == 0)
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "Invalid nodeset of 'numatune': %s", nodeset->value.s);
    if (!vm_check_present(vm, error) || !ops_affect(vm, view, args->flags, &affect, error))
        return FALSE;
    if (affect.live)
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "%s", "cgroup cpuset controller is not mounted");
    g_autofree char *text = nodes ? cpuset_format(nodes) : NULL;
    Nodes change = {mode ? (NumatuneMode)(mode->value.i + NUMATUNE_MODE_STRICT) : NUMATUNE_MODE_UNSET, text};
    return ops_edit(vm, affect, edit_nodes, &change, error);
}
