/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * QEMU's description of its own protocol (the answer to query-qmp-schema), as an array that variant-find.h can search:
 * name, kind (first letter of the meta-type; 'v' for an event, 't' for an alternative), type of the argument, of the answer,
 * of an array's elements ("": none), features, members and branches (each: name, type, features). Any thread.
 */
#include <glib.h>
#include <json-glib/json-glib.h>

#define SCHEMA_FORM "a(sysssasa(ssas)a(ssas))"

/* What ENTITIES says in a foreign shape is left out. A floating reference. ENTITIES may be NULL. */
GVariant *schema_compile(JsonArray *entities);

gboolean schema_has_command(GVariant *schema, const char *name);
gboolean schema_has_event(GVariant *schema, const char *name);

/* Is there what PATH names, in the arguments of command NAME or, if ANSWER, in its answer? caps.h explains paths. */
gboolean schema_has(GVariant *schema, const char *name, gboolean answer, const char *path);
