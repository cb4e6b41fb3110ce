/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/agent-answer.h"

#include "lib/error.h"
#include "lib/json-peek.h"

JsonNode *agent_answer_value(JsonNode *answer, JsonNode *message, virErrorDomain from, GError **error)
{
    JsonObject *object = json_peek_as_object(answer), *refusal = json_peek_object(object, "error");
    const char *command = json_peek_string(json_peek_as_object(message), "execute");
    const char *text = json_peek_string(refusal, "desc");
    JsonNode *value = object && !refusal ? json_object_get_member(object, "return") : NULL;

    if (!value)
        error_set(error, from, VIR_ERR_INTERNAL_ERROR, "unable to execute QEMU agent command '%s': %s",
                  command ? command : "<unknown>", text ? text : "unknown QEMU agent command error");
    return value;
}

gboolean agent_answer_is_unknown(JsonNode *answer)
{
    const char *kind = json_peek_string(json_peek_object(json_peek_as_object(answer), "error"), "class");

    return g_strcmp0(kind, "CommandNotFound") == 0 || g_strcmp0(kind, "CommandDisabled") == 0;
}
