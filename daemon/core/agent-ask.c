/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/agent-ask.h"

#include "daemon/core/vm-ops.h"
#include "lib/agent-answer.h"

static const DriverAgentOps *ops_of(const Vm *vm)
{
    return vm->instance->driver->agent;
}

gboolean agent_offered(Call *call, GError **error)
{
    return ops_of(call->vm) || ops_not_offered(call, error);
}

gboolean agent_ready(Call *call, GError **error)
{
    Vm *vm = call->vm;
    return agent_offered(call, error) && ops_of(vm)->check(vm->instance->self, vm, error);
}

JsonObject *agent_text(const char *name, const char *value)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, name, value);
    return object;
}

static JsonNode *message_new(const char *command, JsonObject *arguments)
{
    JsonObject *object = agent_text("execute", command);
    if (arguments)
        json_object_set_object_member(object, "arguments", arguments);
    JsonNode *message = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(message, object);
    return message;
}

static JsonNode *ask(Vm *vm, const char *command, JsonObject *arguments, gboolean if_known, GError **error)
{
    g_autoptr(JsonNode) message = message_new(command, arguments);
    g_mutex_lock(&vm->lock);
    int timeout = vm->agent_timeout;
    g_mutex_unlock(&vm->lock);
    g_autoptr(JsonNode) answer = ops_of(vm)->call(vm->instance->self, vm, message, timeout, error);
    if (!answer || (if_known && agent_answer_is_unknown(answer)))
        return NULL;
    JsonNode *value = agent_answer_value(answer, message, vm->instance->from, error);
    return value ? json_node_ref(value) : NULL;
}

JsonNode *agent_ask(Vm *vm, const char *command, JsonObject *arguments, GError **error)
{
    return ask(vm, command, arguments, FALSE, error);
}

JsonNode *agent_ask_if_known(Vm *vm, const char *command, GError **error)
{
    return ask(vm, command, NULL, TRUE, error);
}

gboolean agent_do(Vm *vm, const char *command, JsonObject *arguments, GError **error)
{
    g_autoptr(JsonNode) answer = agent_ask(vm, command, arguments, error);
    return answer != NULL;
}

gboolean agent_foreign(Vm *vm, const char *command, GError **error)
{
    return error_set(error, vm->instance->from, VIR_ERR_INTERNAL_ERROR, "malformed answer of the guest agent to '%s'", command);
}

gboolean agent_ask_number(Vm *vm, const char *command, JsonObject *arguments, gint64 *ret_number, GError **error)
{
    g_autoptr(JsonNode) answer = agent_ask(vm, command, arguments, error);
    if (!answer)
        return FALSE;
    if (!JSON_NODE_HOLDS_VALUE(answer) || json_node_get_value_type(answer) != G_TYPE_INT64)
        return agent_foreign(vm, command, error);
    *ret_number = json_node_get_int(answer);
    return TRUE;
}
