/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: which events of the host's processors are counted for a domain. */
#include "daemon/core/vm-ops-tune.h"
#include "daemon/core/wire-params.h"
#include "lib/error.h"
#include "lib/params-check.h"

#define EVENTS PERF_EVENT_NAME_EMULATION_FAULTS /* the last one */

static const PerfEvent *find_event(const Domain *def, PerfEventName name)
{
    for (guint i = 0; def->perf && i < def->perf->events->len; i++) {
        const PerfEvent *event = def->perf->events->pdata[i];
        if (event->name == name)
            return event;
    }
    return NULL;
}

gboolean remote_domain_get_perf_events(Call *call, const RemoteDomainGetPerfEventsArgs *args, RemoteDomainGetPerfEventsRet *ret,
                                       GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    const Domain *def = view ? ops_affected(vm, view, args->flags, error) : NULL;
    g_autoptr(Params) params = params_new();
    if (!def)
        return FALSE;
    for (PerfEventName name = 1; name <= EVENTS; name++) {
        const PerfEvent *event = find_event(def, name);
        params_boolean(params, event && event->enabled == TOGGLE_ON, "%s", perf_event_name_to_string(name));
    }
    ret->params = wire_params(params, &ret->n_params);
    return TRUE;
}

/* In the order of the names, as they are read from a document too. */
static gboolean edit_events(Domain *def, gpointer data, GError **error)
{
    const Params *params = data;
    g_autoptr(Perf) before = def->perf;
    def->perf = perf_new();
    for (PerfEventName name = 1; name <= EVENTS; name++) {
        const Param *param = params_find(params, perf_event_name_to_string(name));
        const PerfEvent *old = NULL;
        for (guint i = 0; before && !old && i < before->events->len; i++)
            old = ((PerfEvent *)before->events->pdata[i])->name == name ? before->events->pdata[i] : NULL;
        if (!param && !old)
            continue;
        PerfEvent *event = perf_event_new();
        event->name = name;
        event->enabled = param ? param->value.b ? TOGGLE_ON : TOGGLE_OFF : old->enabled;
        g_ptr_array_add(def->perf->events, event);
    }
    return TRUE;
}

gboolean remote_domain_set_perf_events(Call *call, const RemoteDomainSetPerfEventsArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Params) params = wire_params_read(args->params, args->n_params);
    ParamKnown known[EVENTS];
    OpsAffect affect;
    for (PerfEventName name = 1; name <= EVENTS; name++)
        known[name - 1] = (ParamKnown){perf_event_name_to_string(name), VIR_TYPED_PARAM_BOOLEAN};
    if (!params_check(params, known, EVENTS, error) || !vm_check_present(vm, error) ||
        !ops_affect(vm, view, args->flags, &affect, error))
        return FALSE;
    const DriverTuningOps *ops = affect.live ? ops_tuning(call, vm, offsetof(DriverTuningOps, count_event), error) : NULL;
    if (affect.live && !ops)
        return FALSE;
    for (guint i = 0; affect.live && i < params_length(params); i++) {
        const Param *param = params_at(params, i);
        if (!ops->count_event(vm->instance->self, vm, perf_event_name_from_string(param->field), param->value.b, error))
            return FALSE;
    }
    return ops_edit(vm, affect, edit_events, params, error);
}
