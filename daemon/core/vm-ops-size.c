/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: memory and virtual CPUs of a domain, and whether it starts with the host. */
#include "daemon/core/agent-vcpus.h"
#include "daemon/core/store.h"
#include "daemon/core/vm-ops-plug.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-plug.h"
#include "lib/model/domain-resize.h"

#define MEMORY_KIB_MAX (G_MAXINT64 / 1024)

static gboolean invalid(Vm *vm, GError **error, const char *text)
{
    return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "%s", text);
}

/* --- memory --- */

static gboolean edit_memory(Domain *def, gpointer data, GError **error)
{
    def->current_memory = *(const guint64 *)data;
    return TRUE;
}

static gboolean edit_max_memory(Domain *def, gpointer data, GError **error)
{
    def->memory = *(const guint64 *)data;
    if (def->current_memory == UNSET64 || def->current_memory > def->memory)
        def->current_memory = def->memory;
    return TRUE;
}

static gboolean balloon(Call *call, guint64 kib, GError **error)
{
    Vm *vm = call->vm;
    const DriverResizeOps *resize = vm->instance->driver->resize;
    if (!resize || !resize->set_memory)
        return ops_not_offered(call, error);
    return vm_check_monitor(vm, error) && resize->set_memory(vm->instance->self, vm, kib, error);
}

/* The sum of their memory is the domain's. */
static gboolean has_cells(const Domain *def)
{
    return def->cpu && def->cpu->numa && def->cpu->numa->cells->len > 0;
}

static gboolean set_max_memory(Vm *vm, OpsAffect affect, guint64 kib, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    if (affect.live)
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID,
                         "cannot resize the maximum memory on an active domain");
    if (has_cells(view->next))
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID,
                         "initial memory size of a domain with NUMA nodes cannot be modified with this API");
    return ops_edit(vm, affect, edit_max_memory, &kib, error);
}

static gboolean set_current_memory(Call *call, OpsAffect affect, guint64 kib, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    if ((affect.live && kib > domain_balloon_max(view->live)) || (affect.config && kib > domain_balloon_max(view->next)))
        return invalid(vm, error, "cannot set memory higher than max memory");
    OpsAffect config = {FALSE, affect.config};
    return (!affect.live || balloon(call, kib, error)) && ops_edit(vm, config, edit_memory, &kib, error);
}

static gboolean set_memory(Call *call, guint64 kib, guint flags, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    OpsAffect affect;
    if (!vm_check_present(vm, error) || !ops_affect(vm, view, flags, &affect, error))
        return FALSE;
    if (kib == 0 || kib > MEMORY_KIB_MAX)
        return invalid(vm, error, "amount of memory out of range");
    return flags & VIR_DOMAIN_MEM_MAXIMUM ? set_max_memory(vm, affect, kib, error)
                                          : set_current_memory(call, affect, kib, error);
}

gboolean remote_domain_set_memory(Call *call, const RemoteDomainSetMemoryArgs *args, GError **error)
{
    return set_memory(call, args->memory, VIR_DOMAIN_AFFECT_LIVE, error);
}

gboolean remote_domain_set_max_memory(Call *call, const RemoteDomainSetMaxMemoryArgs *args, GError **error)
{
    return set_memory(call, args->memory, VIR_DOMAIN_MEM_MAXIMUM, error);
}

gboolean remote_domain_set_memory_flags(Call *call, const RemoteDomainSetMemoryFlagsArgs *args, GError **error)
{
    return set_memory(call, args->memory, args->flags, error);
}

/* --- how often the balloon reports --- */

static gboolean edit_stats_period(Domain *def, gpointer data, GError **error)
{
    domain_set_stats_period(def, *(const int *)data);
    return TRUE;
}

static gboolean has_balloon(Vm *vm, const Domain *def, GError **error)
{
    const Memballoon *memballoon = def->devices ? def->devices->memballoon : NULL;
    return (memballoon && memballoon->model != MEMBALLOON_MODEL_NONE) ||
           error_set(error, vm->instance->from, VIR_ERR_INTERNAL_ERROR,
                     "No memory balloon device configured, can not set the collection period");
}

gboolean remote_domain_set_memory_stats_period(Call *call, const RemoteDomainSetMemoryStatsPeriodArgs *args, GError **error)
{
    Vm *vm = call->vm;
    const DriverResizeOps *resize = vm->instance->driver->resize;
    g_autoptr(VmView) view = vm_view(vm);
    OpsAffect affect;
    int seconds = args->period;
    if (!resize || !resize->set_stats_period)
        return ops_not_offered(call, error);
    if (!vm_check_present(vm, error) || !ops_affect(vm, view, args->flags, &affect, error))
        return FALSE;
    if (seconds < 0)
        return invalid(vm, error, "the collection period must not be negative");
    if ((affect.live && !has_balloon(vm, view->live, error)) || (affect.config && !has_balloon(vm, view->next, error)))
        return FALSE;
    if (affect.live && !(vm_check_monitor(vm, error) && resize->set_stats_period(vm->instance->self, vm, seconds, error)))
        return FALSE;
    OpsAffect config = {FALSE, affect.config};
    return ops_edit(vm, config, edit_stats_period, &seconds, error);
}

/* --- virtual CPUs --- */

static gboolean edit_vcpus(Domain *def, gpointer data, GError **error)
{
    domain_set_vcpus(def, *(const guint *)data);
    return TRUE;
}

/* Those that come can go again. */
static gboolean edit_loose_vcpus(Domain *def, gpointer data, GError **error)
{
    guint count = *(const guint *)data;

    for (guint i = 0; i < domain_max_vcpus(def) && domain_vcpus(def) < count; i++)
        if (!domain_vcpu_enabled(def, i))
            domain_plug_vcpu(def, i, TRUE, FALSE);
    domain_set_vcpus(def, count);
    return TRUE;
}

static gboolean edit_max_vcpus(Domain *def, gpointer data, GError **error)
{
    return domain_set_max_vcpus(def, *(const guint *)data, error);
}

static gboolean check_max_vcpus(Vm *vm, OpsAffect affect, GError **error)
{
    return !affect.live || error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID,
                                     "maximum vcpu count of a live domain can't be modified");
}

static gboolean check_vcpus(Vm *vm, const VmView *view, OpsAffect affect, guint count, GError **error)
{
    guint live = affect.live ? domain_max_vcpus(view->live) : G_MAXUINT;
    guint next = affect.config ? domain_max_vcpus(view->next) : G_MAXUINT;
    if (count > live)
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG,
                         "requested vcpus is greater than max allowable vcpus for the live domain: %u > %u", count, live);
    return count <= next ||
           error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG,
                     "requested vcpus is greater than max allowable vcpus for the persistent domain: %u > %u", count, next);
}

static gboolean set_vcpus(Call *call, guint count, guint flags, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    OpsAffect affect;
    gboolean maximum = (flags & VIR_DOMAIN_VCPU_MAXIMUM) != 0;
    if (!vm_check_present(vm, error) || !ops_affect(vm, view, flags, &affect, error))
        return FALSE;
    if (count == 0 || count > G_MAXUINT16)
        return invalid(vm, error, "number of virtual CPUs out of range");
    if (maximum ? !check_max_vcpus(vm, affect, error)
                : !check_vcpus(vm, view, affect, count, error) || (affect.live && !plug_vcpus(call, view, count, error)))
        return FALSE;
    affect.live = FALSE;
    return ops_edit(vm, affect, maximum ? edit_max_vcpus : flags & VIR_DOMAIN_VCPU_HOTPLUGGABLE ? edit_loose_vcpus : edit_vcpus,
                    &count, error);
}

gboolean remote_domain_set_vcpus(Call *call, const RemoteDomainSetVcpusArgs *args, GError **error)
{
    return set_vcpus(call, args->nvcpus, VIR_DOMAIN_AFFECT_LIVE, error);
}

gboolean remote_domain_set_vcpus_flags(Call *call, const RemoteDomainSetVcpusFlagsArgs *args, GError **error)
{
    if (args->flags & VIR_DOMAIN_VCPU_GUEST)
        return agent_vcpus_set(call, args->nvcpus, args->flags, error);
    return set_vcpus(call, args->nvcpus, args->flags, error);
}

static gboolean get_vcpus(Call *call, const RemoteNonnullDomain *dom, guint flags, gint32 *ret_num, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    const Domain *def = vm ? ops_affected(vm, view, flags, error) : NULL;
    if (!def)
        return FALSE;
    *ret_num = (gint32)(flags & VIR_DOMAIN_VCPU_MAXIMUM ? domain_max_vcpus(def) : domain_vcpus(def));
    return TRUE;
}

gboolean remote_domain_get_vcpus_flags(Call *call, const RemoteDomainGetVcpusFlagsArgs *args,
                                       RemoteDomainGetVcpusFlagsRet *ret, GError **error)
{
    if (args->flags & VIR_DOMAIN_VCPU_GUEST)
        return agent_vcpus_count(call, args->flags, &ret->num, error);
    return get_vcpus(call, &args->dom, args->flags, &ret->num, error);
}

gboolean remote_domain_get_max_vcpus(Call *call, const RemoteDomainGetMaxVcpusArgs *args, RemoteDomainGetMaxVcpusRet *ret,
                                     GError **error)
{
    return get_vcpus(call, &args->dom, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_VCPU_MAXIMUM, &ret->num, error);
}

/* --- autostart --- */

static void change_autostart(VmView *view, gpointer data)
{
    view->autostart = GPOINTER_TO_INT(data);
}

gboolean remote_domain_set_autostart(Call *call, const RemoteDomainSetAutostartArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    gboolean wanted = args->autostart != 0;
    if (!vm_check_present(vm, error))
        return FALSE;
    if (!view->next)
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "cannot set autostart for transient domain");
    if (view->autostart == wanted)
        return TRUE;
    if (!store_set_autostart(vm, wanted, error))
        return FALSE;
    vm_publish(vm, change_autostart, GINT_TO_POINTER(wanted));
    return TRUE;
}
