/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: which of its virtual CPUs a guest uses, by its agent. */
#include "daemon/core/agent-vcpus.h"

#include "daemon/core/agent-ask.h"
#include "daemon/core/wire-params.h"
#include "lib/cpuset.h"

#define GET "guest-get-vcpus"
#define SET "guest-set-vcpus"

typedef struct {
    CpuSet *all, *online, *offlinable;
} GuestCpus;

static void guest_cpus_clear(GuestCpus *vcpus)
{
    cpuset_free(vcpus->all);
    cpuset_free(vcpus->online);
    cpuset_free(vcpus->offlinable);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GuestCpus, guest_cpus_clear)

static gboolean add(GuestCpus *vcpus, JsonObject *one)
{
    gint64 number;
    if (!json_peek_int(one, "logical-id", &number) || number < 0 || number >= CPUSET_MAX)
        return FALSE;
    cpuset_add(vcpus->all, number);
    if (json_peek_true(one, "online"))
        cpuset_add(vcpus->online, number);
    if (json_peek_true(one, "can-offline"))
        cpuset_add(vcpus->offlinable, number);
    return TRUE;
}

static gboolean learn(Vm *vm, GuestCpus *vcpus, GError **error)
{
    g_autoptr(JsonNode) answer = agent_ask(vm, GET, NULL, error);
    JsonArray *list = json_peek_as_array(answer);
    *vcpus = (GuestCpus){cpuset_new(), cpuset_new(), cpuset_new()};
    if (!answer)
        return FALSE;
    if (!list)
        return agent_foreign(vm, GET, error);
    for (guint i = 0; i < json_peek_length(list); i++)
        if (!add(vcpus, json_peek_object_at(list, i)))
            return agent_foreign(vm, GET, error);
    return TRUE;
}

/* The agent answers how many of the list it has dealt with, and stops at one that fails; asked again from there, it says why. */
static gboolean set(Vm *vm, const CpuSet *which, gboolean online, GError **error)
{
    int next = cpuset_next(which, -1);
    while (next >= 0) {
        JsonArray *list = json_array_new();
        JsonObject *arguments = json_object_new();
        gint64 done;
        for (int cpu = next; cpu >= 0; cpu = cpuset_next(which, cpu)) {
            JsonObject *one = json_object_new();
            json_object_set_int_member(one, "logical-id", cpu);
            json_object_set_boolean_member(one, "online", online);
            json_array_add_object_element(list, one);
        }
        json_object_set_array_member(arguments, "vcpus", list);
        if (!agent_ask_number(vm, SET, arguments, &done, error))
            return FALSE;
        if (done <= 0)
            return error_set(error, vm->instance->from, VIR_ERR_INTERNAL_ERROR, "failed to set vcpus in the guest");
        while (done-- > 0 && next >= 0)
            next = cpuset_next(which, next);
    }
    return TRUE;
}

gboolean remote_domain_get_guest_vcpus(Call *call, const RemoteDomainGetGuestVcpusArgs *args, RemoteDomainGetGuestVcpusRet *ret,
                                       GError **error)
{
    g_auto(GuestCpus) vcpus = {0};
    if (!agent_offered(call, error) || !vm_check_active(call->vm, error) || !agent_ready(call, error) ||
        !learn(call->vm, &vcpus, error))
        return FALSE;
    g_autoptr(Params) params = params_new();
    g_autofree char *all = cpuset_format(vcpus.all), *online = cpuset_format(vcpus.online);
    g_autofree char *offlinable = cpuset_format(vcpus.offlinable);
    params_string(params, all, "vcpus");
    params_string(params, online, "online");
    params_string(params, offlinable, "offlinable");
    ret->params = wire_params(params, &ret->n_params);
    return TRUE;
}

/* A CpuSet that every member of PART is in; FALSE with the rest of PART. */
static gboolean contains(const CpuSet *whole, const CpuSet *part, char **ret_missing)
{
    g_autoptr(CpuSet) missing = cpuset_new();
    for (int cpu = cpuset_next(part, -1); cpu >= 0; cpu = cpuset_next(part, cpu))
        if (!cpuset_has(whole, cpu))
            cpuset_add(missing, cpu);
    *ret_missing = cpuset_format(missing);
    return cpuset_count(missing) == 0;
}

gboolean remote_domain_set_guest_vcpus(Call *call, const RemoteDomainSetGuestVcpusArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_auto(GuestCpus) vcpus = {0};
    g_autofree char *missing = NULL, *fixed = NULL;
    if (!agent_offered(call, error))
        return FALSE;
    if (args->state != 0 && args->state != 1)
        return error_set_plain(error, vm->instance->from, VIR_ERR_INVALID_ARG, "unsupported state value");
    g_autoptr(CpuSet) which = cpuset_parse(args->cpumap, NULL);
    if (!which || cpuset_count(which) == 0)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%s'", args->cpumap);
    if (!agent_ready(call, error) || !learn(vm, &vcpus, error))
        return FALSE;
    if (!contains(vcpus.all, which, &missing))
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "guest is missing vCPUs '%s'", missing);
    if (args->state == 0 && !contains(vcpus.offlinable, which, &fixed))
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_UNSUPPORTED, "vCPU '%s' is not offlinable", fixed);
    return set(vm, which, args->state, error);
}

/* --- by number --- */

gboolean agent_vcpus_count(Call *call, guint flags, gint32 *ret_count, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    g_auto(GuestCpus) vcpus = {0};
    if (!agent_offered(call, error))
        return FALSE;
    if ((flags & VIR_DOMAIN_AFFECT_LIVE) && !vm_check_active(vm, error))
        return FALSE;
    if (view->id < 0)
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG,
                         "vCPU count provided by the guest agent can only be requested for live domains");
    if (!agent_ready(call, error) || !learn(vm, &vcpus, error))
        return FALSE;
    *ret_count = cpuset_count(flags & VIR_DOMAIN_VCPU_MAXIMUM ? vcpus.all : vcpus.online);
    return TRUE;
}

gboolean agent_vcpus_set(Call *call, guint count, guint flags, GError **error)
{
    Vm *vm = call->vm;
    g_auto(GuestCpus) vcpus = {0};
    if (!agent_offered(call, error))
        return FALSE;
    if (flags & (VIR_DOMAIN_AFFECT_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM))
        return error_set_plain(error, vm->instance->from, VIR_ERR_INVALID_ARG,
                               "the guest's own virtual CPUs have no configuration and no maximum to be set");
    if ((flags & VIR_DOMAIN_AFFECT_LIVE) && !vm_check_active(vm, error))
        return FALSE;
    if (!agent_ready(call, error) || !learn(vm, &vcpus, error))
        return FALSE;
    guint all = cpuset_count(vcpus.all), online = cpuset_count(vcpus.online);
    if (count == 0 || count > all)
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG,
                         "requested vcpu count is greater than the count of enabled vcpus in the domain: %u > %u", count, all);
    g_autoptr(CpuSet) change = cpuset_new();
    for (int cpu = cpuset_next(vcpus.all, -1); cpu >= 0 && online < count; cpu = cpuset_next(vcpus.all, cpu))
        if (!cpuset_has(vcpus.online, cpu)) {
            cpuset_add(change, cpu);
            online++;
        }
    gboolean more = cpuset_count(change) > 0;
    for (int cpu = cpuset_last(vcpus.all); cpu >= 0 && online > count; cpu--)
        if (cpuset_has(vcpus.online, cpu) && cpuset_has(vcpus.offlinable, cpu)) {
            cpuset_add(change, cpu);
            online--;
        }
    if (online > count)
        return error_set(error, vm->instance->from, VIR_ERR_INTERNAL_ERROR,
                         "Cannot offline enough CPUs: %u of them must stay online", online);
    return set(vm, change, more, error);
}
