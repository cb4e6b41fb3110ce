/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: shares and quotas of the host's processors. A running guest has them by control groups; where it is in none that can
 * hold them, that is said in libvirt's words. */
#include "daemon/core/vm-ops-tune.h"
#include "daemon/core/wire-params.h"
#include "lib/error.h"
#include "lib/params-check.h"

#define PERIOD_MIN 1000
#define PERIOD_MAX 1000000
#define QUOTA_MAX 17592186044415
#define SCHEDULER "posix"

/* What is a quota is signed, and -1 means as much as there is. */
typedef struct {
    const char *field;
    gsize offset; /* in Cputune; all are 64 bit wide */
    gint64 low, high;
    gboolean quota;
} Value;

#define ROW(name, member, low, high, quota) {VIR_DOMAIN_SCHEDULER_##name, offsetof(Cputune, member), low, high, quota}
static const Value values[] = {
    ROW(CPU_SHARES, shares, 0, G_MAXINT64, FALSE),
    ROW(VCPU_PERIOD, period, PERIOD_MIN, PERIOD_MAX, FALSE),
    ROW(VCPU_QUOTA, quota, PERIOD_MIN, QUOTA_MAX, TRUE),
    ROW(EMULATOR_PERIOD, emulator_period, PERIOD_MIN, PERIOD_MAX, FALSE),
    ROW(EMULATOR_QUOTA, emulator_quota, PERIOD_MIN, QUOTA_MAX, TRUE),
    ROW(GLOBAL_PERIOD, global_period, PERIOD_MIN, PERIOD_MAX, FALSE),
    ROW(GLOBAL_QUOTA, global_quota, PERIOD_MIN, QUOTA_MAX, TRUE),
    ROW(IOTHREAD_PERIOD, iothread_period, PERIOD_MIN, PERIOD_MAX, FALSE),
    ROW(IOTHREAD_QUOTA, iothread_quota, PERIOD_MIN, QUOTA_MAX, TRUE),
};

static gboolean no_group(GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "%s", "cgroup CPU controller is not mounted");
}

/* --- a hypervisor's own --- */

static const DriverSchedulerOps *own(const Vm *vm)
{
    return vm->instance->driver->scheduler;
}

/* What the hypervisor's scheduler has for VM; to free, NULL with ERROR. */
static Params *own_params(Vm *vm, guint flags, const char **ret_name, GError **error)
{
    g_autoptr(Params) params = params_new();
    if (flags & ~VIR_TYPED_PARAM_STRING_OKAY) {
        error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "unsupported flags (0x%x): the hypervisor keeps none of that for later",
                  flags & ~VIR_TYPED_PARAM_STRING_OKAY);
        return NULL;
    }
    return vm_check_active(vm, error) && own(vm)->get(vm->instance->self, vm, ret_name, params, error) ? g_steal_pointer(&params) : NULL;
}

static gboolean own_check(const Params *wanted, const Params *there, GError **error)
{
    g_autofree ParamKnown *known = g_new0(ParamKnown, params_length(there));
    for (guint i = 0; i < params_length(there); i++)
        known[i] = (ParamKnown){params_at(there, i)->field, params_at(there, i)->type};
    return params_check(wanted, known, params_length(there), error);
}

static gboolean own_set(Vm *vm, const Params *wanted, guint flags, GError **error)
{
    const char *name;
    g_autoptr(Params) there = own_params(vm, flags, &name, error);
    return there && own_check(wanted, there, error) && own(vm)->set(vm->instance->self, vm, wanted, error);
}

/* --- asking --- */

gboolean remote_domain_get_scheduler_type(Call *call, const RemoteDomainGetSchedulerTypeArgs *args,
                                          RemoteDomainGetSchedulerTypeRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    if (!vm)
        return FALSE;
    if (own(vm)) {
        const char *name;
        g_autoptr(Params) params = own_params(vm, 0, &name, error);
        if (!params)
            return FALSE;
        ret->type = g_strdup(name);
        ret->nparams = params_length(params);
        return TRUE;
    }
    if (view->id >= 0)
        return no_group(error);
    ret->type = g_strdup(SCHEDULER);
    ret->nparams = G_N_ELEMENTS(values);
    return TRUE;
}

static const guint64 *value_in(const Cputune *tune, const Value *value)
{
    return (const guint64 *)(gconstpointer)((const char *)tune + value->offset);
}

/* In a definition "as much as there is" is 0. */
static gint64 read_value(const Domain *def, const Value *value)
{
    guint64 set = def->cputune ? *value_in(def->cputune, value) : UNSET64;
    if (set == UNSET64)
        return 0;
    return value->quota && set == 0 ? -1 : (gint64)set;
}

static Params *params_of(const Domain *def)
{
    Params *params = params_new();
    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        if (values[i].quota)
            params_llong(params, read_value(def, &values[i]), "%s", values[i].field);
        else
            params_ullong(params, read_value(def, &values[i]), "%s", values[i].field);
    }
    return params;
}

static RemoteTypedParam *get(Call *call, const RemoteNonnullDomain *dom, gint64 max, guint flags, guint32 *ret_n, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    if (vm && own(vm)) {
        const char *name;
        g_autoptr(Params) params = own_params(vm, flags, &name, error);
        return params ? ops_some_params(params, max, ret_n) : NULL;
    }
    const Domain *def = view ? ops_affected(vm, view, flags, error) : NULL;
    if (!def || (def == view->live && !no_group(error)))
        return NULL;
    g_autoptr(Params) params = params_of(def);
    return ops_some_params(params, max, ret_n);
}

gboolean remote_domain_get_scheduler_parameters(Call *call, const RemoteDomainGetSchedulerParametersArgs *args,
                                                RemoteDomainGetSchedulerParametersRet *ret, GError **error)
{
    GError *cause = NULL;
    ret->params = get(call, &args->dom, args->nparams, VIR_DOMAIN_AFFECT_CURRENT, &ret->n_params, &cause);
    if (cause)
        g_propagate_error(error, cause);
    return !cause;
}

gboolean remote_domain_get_scheduler_parameters_flags(Call *call, const RemoteDomainGetSchedulerParametersFlagsArgs *args,
                                                      RemoteDomainGetSchedulerParametersFlagsRet *ret, GError **error)
{
    GError *cause = NULL;
    ret->params = get(call, &args->dom, args->nparams, args->flags, &ret->n_params, &cause);
    if (cause)
        g_propagate_error(error, cause);
    return !cause;
}

/* --- setting --- */

static const Value *value_of(const char *field)
{
    for (guint i = 0; i < G_N_ELEMENTS(values); i++)
        if (g_str_equal(values[i].field, field))
            return &values[i];
    return NULL;
}

static gboolean in_range(const Value *value, const Param *param)
{
    if (value->quota)
        return param->value.l <= 0 || (param->value.l >= value->low && param->value.l <= value->high);
    return param->value.ul == 0 || (param->value.ul >= (guint64)value->low && param->value.ul <= (guint64)value->high);
}

static gboolean check(const Params *params, GError **error)
{
    ParamKnown known[G_N_ELEMENTS(values)];
    for (guint i = 0; i < G_N_ELEMENTS(values); i++)
        known[i] = (ParamKnown){values[i].field, values[i].quota ? VIR_TYPED_PARAM_LLONG : VIR_TYPED_PARAM_ULLONG};
    return params_check(params, known, G_N_ELEMENTS(known), error);
}

static gboolean check_ranges(const Params *params, GError **error)
{
    for (guint i = 0; i < params_length(params); i++) {
        const Value *value = value_of(params_at(params, i)->field);
        if (!in_range(value, params_at(params, i)))
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                             "value of '%s' is out of range [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT "]", value->field, value->low,
                             value->high);
    }
    return TRUE;
}

static gboolean edit_values(Domain *def, gpointer data, GError **error)
{
    const Params *params = data;
    if (!def->cputune)
        def->cputune = cputune_new();
    for (guint i = 0; i < params_length(params); i++) {
        const Param *param = params_at(params, i);
        const Value *value = value_of(param->field);
        guint64 *place = (guint64 *)value_in(def->cputune, value);
        gboolean shares = value == &values[0];
        if (value->quota)
            *place = param->value.l == 0 ? UNSET64 : param->value.l < 0 ? 0 : (guint64)param->value.l;
        else
            *place = param->value.ul == 0 && !shares ? UNSET64 : param->value.ul;
    }
    return TRUE;
}

static gboolean set(Call *call, const RemoteTypedParam *wire, guint32 n, guint flags, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Params) params = wire_params_read(wire, n);
    OpsAffect affect;
    if (own(vm))
        return own_set(vm, params, flags, error);
    if (!check(params, error) || !vm_check_present(vm, error) || !ops_affect(vm, view, flags, &affect, error))
        return FALSE;
    if (affect.live)
        return no_group(error);
    return check_ranges(params, error) && ops_edit(vm, affect, edit_values, params, error);
}

gboolean remote_domain_set_scheduler_parameters(Call *call, const RemoteDomainSetSchedulerParametersArgs *args, GError **error)
{
    return set(call, args->params, args->n_params, VIR_DOMAIN_AFFECT_CURRENT, error);
}

gboolean remote_domain_set_scheduler_parameters_flags(Call *call, const RemoteDomainSetSchedulerParametersFlagsArgs *args,
                                                      GError **error)
{
    return set(call, args->params, args->n_params, args->flags, error);
}
