/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handler: single virtual CPUs are plugged in or out, of a running guest or for its next start. */
#include "daemon/core/vm-ops-plug.h"

#include "daemon/core/record.h"
#include "lib/error.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-plug.h"

/* IDS (of guint) one after the other; the first that cannot be ends it. */
static gboolean plug_each(Call *call, const GArray *ids, gboolean in, GError **error)
{
    Vm *vm = call->vm;
    const DriverResizeOps *resize = vm->instance->driver->resize;

    if (!resize || !resize->plug_vcpu)
        return ops_not_offered(call, error);
    if (!vm_check_monitor(vm, error))
        return FALSE;
    for (guint i = 0; i < ids->len; i++)
        if (!resize->plug_vcpu(vm->instance->self, vm, g_array_index(ids, guint, i), in, error) || !record_save(vm, error))
            return FALSE;
    return TRUE;
}

gboolean plug_vcpus(Call *call, const VmView *view, guint count, GError **error)
{
    const Domain *live = view->live;
    guint now = domain_vcpus(live), max = domain_max_vcpus(live);
    gboolean in = count > now;
    guint missing = in ? count - now : now - count;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint));

    for (guint i = 0; i < max && ids->len < missing; i++) {
        guint id = in ? i : max - 1 - i;

        if (domain_vcpu_enabled(live, id) != in && (in || domain_vcpu_hotpluggable(live, id)))
            g_array_append_val(ids, id);
    }
    if (ids->len < missing)
        return error_set(error, call->vm->instance->from, VIR_ERR_CONFIG_UNSUPPORTED,
                         "failed to find appropriate hotpluggable vcpus to reach the desired target vcpu count");
    return missing == 0 || plug_each(call, ids, in, error);
}

/* --- single ones --- */

typedef struct {
    GArray *ids; /* of guint */
    gboolean in;
} Choice;

static GArray *parse_map(const char *map, GError **error)
{
    g_autoptr(CpuSet) set = *map ? cpuset_parse(map, NULL) : NULL;
    GArray *ids;

    if (!set) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%s'", map);
        return NULL;
    }
    ids = g_array_new(FALSE, FALSE, sizeof(guint));
    for (int id = cpuset_next(set, -1); id >= 0; id = cpuset_next(set, id)) {
        guint number = (guint)id;

        g_array_append_val(ids, number);
    }
    return ids;
}

static gboolean check_there(Vm *vm, const Domain *def, const Choice *choice, const char *which, GError **error)
{
    guint last = g_array_index(choice->ids, guint, choice->ids->len - 1);

    return last < domain_max_vcpus(def) ||
           error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "vcpu %u is not present in %s config", last, which);
}

static gboolean check_config(Vm *vm, const Domain *next, const Choice *choice, GError **error)
{
    return g_array_index(choice->ids, guint, 0) != 0 ||
           error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "vCPU '0' can't be modified");
}

static gboolean check_live(Vm *vm, const Domain *live, const Choice *choice, GError **error)
{
    for (guint i = 0; i < choice->ids->len; i++) {
        guint id = g_array_index(choice->ids, guint, i);

        if (domain_vcpu_enabled(live, id) == choice->in)
            return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "vcpu '%u' is already in requested state", id);
    }
    return choice->ids->len == 1 || error_set(error, vm->instance->from, VIR_ERR_OPERATION_UNSUPPORTED,
                                              "only one hotpluggable entity can be selected");
}

static gboolean edit_choice(Domain *def, gpointer data, GError **error)
{
    const Choice *choice = data;

    for (guint i = 0; i < choice->ids->len; i++)
        domain_plug_vcpu(def, g_array_index(choice->ids, guint, i), choice->in, FALSE);
    return TRUE;
}

gboolean remote_domain_set_vcpu(Call *call, const RemoteDomainSetVcpuArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    OpsAffect affect;

    if (args->state != 0 && args->state != 1)
        return error_set_plain(error, vm->instance->from, VIR_ERR_INVALID_ARG, "unsupported state value");
    g_autoptr(GArray) ids = parse_map(args->cpumap, error);
    if (!ids)
        return FALSE;
    if (ids->len == 0)
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "no vcpus selected for modification");
    Choice choice = {ids, args->state == 1};
    if (!vm_check_present(vm, error) || !ops_affect(vm, view, args->flags, &affect, error))
        return FALSE;
    if ((affect.config && !check_there(vm, view->next, &choice, "persistent", error)) ||
        (affect.live && !check_there(vm, view->live, &choice, "live", error)) ||
        (affect.config && !check_config(vm, view->next, &choice, error)) ||
        (affect.live && (!check_live(vm, view->live, &choice, error) || !plug_each(call, ids, choice.in, error))))
        return FALSE;
    OpsAffect config = {FALSE, affect.config};
    return ops_edit(vm, config, edit_choice, &choice, error);
}
