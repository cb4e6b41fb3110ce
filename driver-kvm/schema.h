/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* QEMU's description of its own protocol (the answer to query-qmp-schema), held small. Immutable; any thread. */
#include <glib.h>
#include <json-glib/json-glib.h>

typedef struct Schema Schema;

/* What ENTITIES says in a foreign shape is left out. Never NULL. ENTITIES may be NULL. */
Schema *schema_new(JsonArray *entities);
void schema_free(Schema *schema); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Schema, schema_free)

gboolean schema_has_command(const Schema *schema, const char *name);
gboolean schema_has_event(const Schema *schema, const char *name);

/* Is there what PATH names, in the arguments of command NAME or, if ANSWER, in its answer? caps.h explains paths. */
gboolean schema_has(const Schema *schema, const char *name, gboolean answer, const char *path);
