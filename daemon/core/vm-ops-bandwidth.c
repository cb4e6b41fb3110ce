/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handler: how fast an interface of a domain may be, as its definition has it. */
#include "daemon/core/vm-ops-tune.h"
#include "lib/error.h"

#define LIMITS 7

/* The interface that NAME, its host's device or its MAC address, means. Borrowed from DEF; NULL with ERROR. */
static const Interface *find_interface(const Domain *def, const char *name, GError **error)
{
    const GPtrArray *interfaces = def->devices->interfaces;
    for (guint i = 0; i < interfaces->len; i++) {
        const Interface *interface = interfaces->pdata[i];
        if ((interface->mac && interface->mac->address && g_ascii_strcasecmp(interface->mac->address, name) == 0) ||
            (interface->target && g_strcmp0(interface->target->dev, name) == 0))
            return interface;
    }
    error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "'%s' is not a known interface", name);
    return NULL;
}

typedef struct {
    const char *average, *peak, *burst, *floor; /* floor NULL: a direction without */
} Fields;

static guint value_of(guint64 value)
{
    return value == UNSET64 ? 0 : (guint)MIN(value, G_MAXUINT);
}

static void add(Params *params, const Fields *fields, const BandwidthRate *rate)
{
    params_uint(params, rate ? value_of(rate->average) : 0, "%s", fields->average);
    params_uint(params, rate ? value_of(rate->peak) : 0, "%s", fields->peak);
    params_uint(params, rate ? value_of(rate->burst) : 0, "%s", fields->burst);
    if (fields->floor)
        params_uint(params, rate ? value_of(rate->floor) : 0, "%s", fields->floor);
}

gboolean remote_domain_get_interface_parameters(Call *call, const RemoteDomainGetInterfaceParametersArgs *args,
                                                RemoteDomainGetInterfaceParametersRet *ret, GError **error)
{
    static const Fields inbound = {VIR_DOMAIN_BANDWIDTH_IN_AVERAGE, VIR_DOMAIN_BANDWIDTH_IN_PEAK, VIR_DOMAIN_BANDWIDTH_IN_BURST,
                                   VIR_DOMAIN_BANDWIDTH_IN_FLOOR};
    static const Fields outbound = {VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE, VIR_DOMAIN_BANDWIDTH_OUT_PEAK, VIR_DOMAIN_BANDWIDTH_OUT_BURST, NULL};
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    const Domain *def = view ? ops_affected(vm, view, args->flags, error) : NULL;
    g_autoptr(Params) params = params_new();
    if (!def)
        return FALSE;
    ret->nparams = LIMITS;
    if (args->nparams == 0)
        return TRUE;
    const Interface *interface = find_interface(def, args->device, error);
    if (!interface)
        return FALSE;
    const Bandwidth *bandwidth = interface->bandwidth;
    add(params, &inbound, bandwidth ? bandwidth->inbound : NULL);
    add(params, &outbound, bandwidth ? bandwidth->outbound : NULL);
    ret->params = ops_some_params(params, args->nparams, &ret->n_params);
    ret->nparams = ret->n_params;
    return TRUE;
}
