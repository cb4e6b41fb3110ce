/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Questions to the agent inside a guest. What it answers is the guest's word: bounded in size, of any shape. On the control
 * lane, since a guest may take its time. */
#include "daemon/rpc/call.h"
#include "lib/json-peek.h"

/* The driver speaks to agents. */
gboolean agent_offered(Call *call, GError **error);

/* The same, and this one could be asked now. */
gboolean agent_ready(Call *call, GError **error);

/* {NAME: VALUE} as a question's argument. */
JsonObject *agent_text(const char *name, const char *value);

/* The value of the answer to COMMAND with ARGUMENTS (taken over; NULL: none); a new reference. */
JsonNode *agent_ask(Vm *vm, const char *command, JsonObject *arguments, GError **error);

/* NULL without ERROR also where the agent does not know COMMAND. */
JsonNode *agent_ask_if_known(Vm *vm, const char *command, GError **error);

/* As agent_ask, where the answer says nothing, or a number. */
gboolean agent_do(Vm *vm, const char *command, JsonObject *arguments, GError **error);
gboolean agent_ask_number(Vm *vm, const char *command, JsonObject *arguments, gint64 *ret_number, GError **error);

/* The answer has another shape than it should have: FALSE. */
gboolean agent_foreign(Vm *vm, const char *command, GError **error);
