/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: which host CPUs the threads of a domain may be on. */
#include "daemon/core/vm-ops-tune.h"
#include "lib/error.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-threads.h"

typedef struct {
    DriverThread kind;
    guint number;
    const char *cpus;
} Pin;

static gboolean edit_pin(Domain *def, gpointer data, GError **error)
{
    const Pin *pin = data;
    switch (pin->kind) {
    case DRIVER_THREAD_EMULATOR:
        domain_pin_emulator(def, pin->cpus);
        break;
    case DRIVER_THREAD_VCPU:
        domain_pin_vcpu(def, pin->number, pin->cpus);
        break;
    case DRIVER_THREAD_IOTHREAD:
        domain_pin_iothread(def, pin->number, pin->cpus);
        break;
    }
    return TRUE;
}

static void tell(Vm *vm, const Pin *pin)
{
    g_autoptr(Params) params = params_new();
    switch (pin->kind) {
    case DRIVER_THREAD_EMULATOR:
        params_string(params, pin->cpus, "%s", VIR_DOMAIN_TUNABLE_CPU_EMULATORPIN);
        break;
    case DRIVER_THREAD_VCPU:
        params_string(params, pin->cpus, VIR_DOMAIN_TUNABLE_CPU_VCPUPIN, pin->number);
        break;
    case DRIVER_THREAD_IOTHREAD:
        params_string(params, pin->cpus, VIR_DOMAIN_TUNABLE_CPU_IOTHREADSPIN, pin->number);
        break;
    }
    ops_tell_tuned(vm, params);
}

/* The running guest first: what cannot be done there is not promised for the next start. */
static gboolean pin(Call *call, OpsAffect affect, DriverThread kind, guint number, const CpuSet *cpus, GError **error)
{
    Vm *vm = call->vm;
    const DriverTuningOps *ops = affect.live ? ops_tuning(call, vm, offsetof(DriverTuningOps, pin), error) : NULL;
    g_autofree char *text = cpuset_format(cpus);
    Pin pin = {kind, number, text};
    if (affect.live && (!ops || !ops->pin(vm->instance->self, vm, kind, number, cpus, error)))
        return FALSE;
    if (!ops_edit(vm, affect, edit_pin, &pin, error))
        return FALSE;
    if (affect.live)
        tell(vm, &pin);
    return TRUE;
}

/* A client's map; NULL with ERROR if nothing is in it. */
static CpuSet *set_of(Vm *vm, const guint8 *map, guint n, const char *empty, GError **error)
{
    g_autoptr(CpuSet) cpus = cpuset_from_map(map, n);
    if (cpuset_count(cpus) > 0)
        return g_steal_pointer(&cpus);
    error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "%s", empty);
    return NULL;
}

/* --- virtual CPUs --- */

static gboolean pin_vcpu(Call *call, guint vcpu, const guint8 *map, guint n, guint flags, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    OpsAffect affect;
    if (!vm_check_present(vm, error) || !ops_affect(vm, view, flags, &affect, error))
        return FALSE;
    g_autoptr(CpuSet) cpus = set_of(vm, map, n, "Empty cpu list for pinning", error);
    if (!cpus)
        return FALSE;
    if (affect.config && vcpu >= domain_max_vcpus(view->next))
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "vcpu %u is out of range of persistent cpu count %u",
                         vcpu, domain_vcpus(view->next));
    if (affect.live && vcpu >= domain_max_vcpus(view->live))
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "vcpu %u is out of range of live cpu count %u", vcpu,
                         domain_max_vcpus(view->live));
    return pin(call, affect, DRIVER_THREAD_VCPU, vcpu, cpus, error);
}

gboolean remote_domain_pin_vcpu(Call *call, const RemoteDomainPinVcpuArgs *args, GError **error)
{
    return pin_vcpu(call, args->vcpu, args->cpumap, args->n_cpumap, VIR_DOMAIN_AFFECT_LIVE, error);
}

gboolean remote_domain_pin_vcpu_flags(Call *call, const RemoteDomainPinVcpuFlagsArgs *args, GError **error)
{
    return pin_vcpu(call, args->vcpu, args->cpumap, args->n_cpumap, args->flags, error);
}

/* --- the emulator --- */

gboolean remote_domain_pin_emulator(Call *call, const RemoteDomainPinEmulatorArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    OpsAffect affect;
    if (!vm_check_present(vm, error) || !ops_affect(vm, view, args->flags, &affect, error))
        return FALSE;
    g_autoptr(CpuSet) cpus = set_of(vm, args->cpumap, args->n_cpumap, "Empty cpu list for pinning", error);
    return cpus && pin(call, affect, DRIVER_THREAD_EMULATOR, 0, cpus, error);
}

/* --- I/O threads --- */

gboolean remote_domain_pin_iothread(Call *call, const RemoteDomainPinIothreadArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    guint id = args->iothreads_id;
    OpsAffect affect;
    if (!vm_check_present(vm, error) || !ops_affect(vm, view, args->flags, &affect, error))
        return FALSE;
    g_autoptr(CpuSet) cpus = set_of(vm, args->cpumap, args->n_cpumap, "Empty iothread cpumap list for pinning", error);
    if (!cpus)
        return FALSE;
    if (affect.config && !domain_has_iothread(view->next, id))
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "iothreadid %u not found", id);
    if (affect.live && !domain_has_iothread(view->live, id))
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "iothread %u not found", id);
    return pin(call, affect, DRIVER_THREAD_IOTHREAD, id, cpus, error);
}
