/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the answer of an agent inside a guest says. Any thread. */
#include <json-glib/json-glib.h>
#include <libvirt/virterror.h>

/* The value that ANSWER to MESSAGE carries, borrowed from it. NULL with VIR_ERR_INTERNAL_ERROR of FROM where it is an error, in the
 * agent's words. */
JsonNode *agent_answer_value(JsonNode *answer, JsonNode *message, virErrorDomain from, GError **error);

/* The agent does not know the command, or is not allowed to run it. */
gboolean agent_answer_is_unknown(JsonNode *answer);
