/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: what the agent inside a guest is asked for or told to do. The larger answers have files of their own. */
#include <string.h>

#include "daemon/core/agent-ask.h"
#include "daemon/core/record.h"
#include "daemon/core/vm-ops.h"
#include "daemon/rpc/qemu-gen.h"
#include "lib/agent-answer.h"

#define COMMAND_VALUES_MAX 10000

static gboolean check_timeout(Vm *vm, int timeout, GError **error)
{
    return timeout >= VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK ||
           error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "guest agent timeout '%d' is less than the minimum '%d'",
                     timeout, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK);
}

gboolean qemu_domain_agent_command(Call *call, const QemuDomainAgentCommandArgs *args, QemuDomainAgentCommandRet *ret,
                                   GError **error)
{
    Vm *vm = call->vm;
    if (!agent_offered(call, error) || !vm_check_active(vm, error) || !agent_ready(call, error) ||
        !check_timeout(vm, args->timeout, error))
        return FALSE;
    g_autoptr(JsonNode) message = json_peek_parse(args->cmd, strlen(args->cmd), COMMAND_VALUES_MAX, error);
    if (!message)
        return FALSE;
    if (vm_taint(vm, VM_TAINT_AGENT_COMMAND) && !record_save(vm, error))
        return FALSE;
    g_autoptr(JsonNode) answer =
        vm->instance->driver->agent->call(vm->instance->self, vm, message, args->timeout, error);
    if (!answer || !agent_answer_value(answer, message, vm->instance->from, error))
        return FALSE;
    ret->result = json_to_string(answer, FALSE);
    return TRUE;
}

gboolean remote_domain_agent_set_response_timeout(Call *call, const RemoteDomainAgentSetResponseTimeoutArgs *args,
                                                  RemoteDomainAgentSetResponseTimeoutRet *ret, GError **error)
{
    Vm *vm = call->vm;
    if (!agent_offered(call, error) || !check_timeout(vm, args->timeout, error))
        return FALSE;
    g_mutex_lock(&vm->lock);
    vm->agent_timeout = args->timeout;
    g_mutex_unlock(&vm->lock);
    return record_save(vm, error);
}

gboolean remote_domain_get_hostname(Call *call, const RemoteDomainGetHostnameArgs *args, RemoteDomainGetHostnameRet *ret,
                                    GError **error)
{
    Vm *vm = call->vm;
    gboolean by_lease = args->flags & VIR_DOMAIN_GET_HOSTNAME_LEASE;
    if (!agent_offered(call, error))
        return FALSE;
    if (by_lease && (args->flags & VIR_DOMAIN_GET_HOSTNAME_AGENT))
        return error_set_plain(error, vm->instance->from, VIR_ERR_INVALID_ARG,
                               "Flags 'VIR_DOMAIN_GET_HOSTNAME_LEASE' and 'VIR_DOMAIN_GET_HOSTNAME_AGENT' are mutually exclusive");
    if (!vm_check_active(vm, error) || (!by_lease && !agent_ready(call, error)))
        return FALSE;
    /* no interface is on a network of ours, so there is no lease */
    g_autoptr(JsonNode) answer = by_lease ? NULL : agent_ask(vm, "guest-get-host-name", NULL, NULL);
    const char *name = json_peek_string(json_peek_as_object(answer), "host-name");
    if (!name) {
        g_autoptr(VmView) view = vm_view(vm);
        return error_set(error, vm->instance->from, VIR_ERR_NO_HOSTNAME, "no hostname found for domain %s",
                         vm_view_def(view)->name);
    }
    ret->hostname = g_strdup(name);
    return TRUE;
}

/* --- time --- */

#define NSEC G_GINT64_CONSTANT(1000000000)

gboolean remote_domain_get_time(Call *call, const RemoteDomainGetTimeArgs *args, RemoteDomainGetTimeRet *ret, GError **error)
{
    gint64 nsec;
    if (!agent_offered(call, error) || !vm_check_active(call->vm, error) || !agent_ready(call, error) ||
        !agent_ask_number(call->vm, "guest-get-time", NULL, &nsec, error))
        return FALSE;
    ret->seconds = nsec / NSEC;
    ret->nseconds = nsec % NSEC;
    return TRUE;
}

gboolean remote_domain_set_time(Call *call, const RemoteDomainSetTimeArgs *args, GError **error)
{
    Vm *vm = call->vm;
    JsonObject *time = NULL;
    if (!agent_offered(call, error) || !vm_check_active(vm, error) || !agent_ready(call, error))
        return FALSE;
    if (args->seconds > G_MAXINT64 / NSEC - 1 || args->seconds < G_MININT64 / NSEC)
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "Time '%" G_GINT64_FORMAT "' is too big for guest agent",
                         args->seconds);
    if (!(args->flags & VIR_DOMAIN_TIME_SYNC)) {
        time = json_object_new();
        json_object_set_int_member(time, "time", args->seconds * NSEC + args->nseconds);
    }
    return agent_do(vm, "guest-set-time", time, error) &&
           vm->instance->driver->agent->time_set(vm->instance->self, vm, error);
}

/* --- users --- */

gboolean remote_domain_set_user_password(Call *call, const RemoteDomainSetUserPasswordArgs *args, GError **error)
{
    if (!agent_offered(call, error) || !vm_check_active(call->vm, error) || !agent_ready(call, error))
        return FALSE;
    if (!args->user || !args->password)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "a user and a password are needed");
    g_autofree char *encoded = g_base64_encode((const guchar *)args->password, strlen(args->password));
    JsonObject *arguments = agent_text("username", args->user);
    json_object_set_boolean_member(arguments, "crypted", (args->flags & VIR_DOMAIN_PASSWORD_ENCRYPTED) != 0);
    json_object_set_string_member(arguments, "password", encoded);
    return agent_do(call->vm, "guest-set-user-password", arguments, error);
}

gboolean remote_domain_authorized_ssh_keys_get(Call *call, const RemoteDomainAuthorizedSshKeysGetArgs *args,
                                               RemoteDomainAuthorizedSshKeysGetRet *ret, GError **error)
{
    static const char command[] = "guest-ssh-get-authorized-keys";
    if (!agent_ready(call, error))
        return FALSE;
    g_autoptr(JsonNode) answer = agent_ask(call->vm, command, agent_text("username", args->user), error);
    if (!answer)
        return FALSE;
    JsonArray *keys = json_peek_array(json_peek_as_object(answer), "keys");
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < json_peek_length(keys); i++) {
        const char *key = json_peek_string_at(keys, i);
        if (!key)
            return agent_foreign(call->vm, command, error);
        g_ptr_array_add(list, g_strdup(key));
    }
    if (!keys)
        return agent_foreign(call->vm, command, error);
    ret->n_keys = list->len;
    ret->keys = (char **)g_ptr_array_free(g_steal_pointer(&list), FALSE);
    return TRUE;
}

gboolean remote_domain_authorized_ssh_keys_set(Call *call, const RemoteDomainAuthorizedSshKeysSetArgs *args, GError **error)
{
    gboolean removes = args->flags & VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE;
    if (!agent_offered(call, error))
        return FALSE;
    if (args->flags && args->n_keys == 0)
        return error_set_plain(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                               "keys in virDomainAuthorizedSSHKeysSet must not be NULL");
    if (!agent_ready(call, error))
        return FALSE;
    JsonObject *arguments = agent_text("username", args->user);
    JsonArray *keys = json_array_new();
    for (guint i = 0; i < args->n_keys; i++)
        json_array_add_string_element(keys, args->keys[i]);
    json_object_set_array_member(arguments, "keys", keys);
    if (!removes)
        json_object_set_boolean_member(arguments, "reset", !(args->flags & VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND));
    return agent_do(call->vm, removes ? "guest-ssh-remove-authorized-keys" : "guest-ssh-add-authorized-keys", arguments, error);
}

/* --- sleep --- */

static gboolean check_sleep(Vm *vm, const RemoteDomainPmSuspendForDurationArgs *args, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    const PowerManagement *pm = vm_view_def(view)->pm;
    if (args->duration)
        return error_set(error, vm->instance->from, VIR_ERR_ARGUMENT_UNSUPPORTED, "Duration not supported. Use 0 for now");
    if (args->target > VIR_NODE_SUSPEND_TARGET_HYBRID)
        return error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "Unknown suspend target: %u", args->target);
    gboolean to_disk = args->target == VIR_NODE_SUSPEND_TARGET_DISK;
    if (pm && (to_disk ? pm->suspend_to_disk && pm->suspend_to_disk->enabled == TOGGLE_OFF
                       : pm->suspend_to_mem && pm->suspend_to_mem->enabled == TOGGLE_OFF))
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_UNSUPPORTED, "%s state is disabled for this domain",
                         to_disk ? "S4" : "S3");
    return TRUE;
}

gboolean remote_domain_pm_suspend_for_duration(Call *call, const RemoteDomainPmSuspendForDurationArgs *args, GError **error)
{
    Vm *vm = call->vm;
    return agent_offered(call, error) && check_sleep(vm, args, error) && agent_ready(call, error) &&
           vm->instance->driver->agent->sleep(vm->instance->self, vm, args->target, error);
}

gboolean remote_domain_pm_wakeup(Call *call, const RemoteDomainPmWakeupArgs *args, GError **error)
{
    Vm *vm = call->vm;
    const DriverRunOps *ops = vm->instance->driver->run;
    if (!ops->wakeup)
        return ops_not_offered(call, error);
    return vm_check_monitor(vm, error) && ops->wakeup(vm->instance->self, vm, error);
}
