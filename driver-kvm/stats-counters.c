/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/stats-counters.h"

#include <string.h>

#include "driver-kvm/qmp-commands.h"
#include "lib/json-peek.h"

/* Counters of other kinds are histograms: libvirt has no word for those. */
static const char *const kinds[][2] = {{"cumulative", "sum"}, {"instant", "cur"}, {"peak", "max"}};

static const char *const targets[] = {[COUNTERS_VM] = "vm", [COUNTERS_VCPU] = "vcpu"};

/* For the members of "stats" of each schema: name -> the word for its kind. The strings are SCHEMAS'. */
static GHashTable *read_kinds(JsonArray *schemas, const char *target)
{
    GHashTable *found = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < json_peek_length(schemas); i++) {
        JsonObject *schema = json_peek_object_at(schemas, i);
        JsonArray *stats = json_peek_array(schema, "stats");

        if (g_strcmp0(json_peek_string(schema, "target"), target) != 0)
            continue;
        for (guint k = 0; k < json_peek_length(stats); k++) {
            JsonObject *stat = json_peek_object_at(stats, k);
            const char *name = json_peek_string(stat, "name"), *type = json_peek_string(stat, "type");

            for (gsize n = 0; name && type && n < G_N_ELEMENTS(kinds); n++)
                if (strcmp(kinds[n][0], type) == 0)
                    g_hash_table_insert(found, (gpointer)name, (gpointer)kinds[n][1]);
        }
    }
    return found;
}

static void add(JsonArray *stats, GHashTable *words, const char *prefix, Params *params)
{
    for (guint i = 0; i < json_peek_length(stats); i++) {
        JsonObject *stat = json_peek_object_at(stats, i);
        const char *name = json_peek_string(stat, "name"), *word = name ? g_hash_table_lookup(words, name) : NULL;
        gint64 value;
        gboolean truth;

        if (!word)
            continue;
        if (json_peek_int(stat, "value", &value))
            params_ullong(params, (guint64)value, "%s.%s.%s", prefix, name, word);
        else if (json_peek_boolean(stat, "value", &truth))
            params_boolean(params, truth, "%s.%s.%s", prefix, name, word);
    }
}

/* The answers of virtual CPUs come in the order of their numbers. */
gboolean stats_counters(Qmp *qmp, CountersTarget target, guint64 budget, Params *params, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)budget;
    g_autoptr(JsonNode) schemas = qmp_call(qmp, "query-stats-schemas", NULL, (gint64)budget, error);
    g_autoptr(JsonNode) answer = NULL;
    g_autoptr(GHashTable) words = NULL;

    if (!schemas)
        return FALSE;
    answer = qmp_call(qmp, "query-stats", qmp_args("s:target", targets[target], NULL),
                      MAX(deadline - g_get_monotonic_time(), 1), error);
    if (!answer)
        return FALSE;
    words = read_kinds(json_peek_as_array(schemas), targets[target]);
    for (guint i = 0; i < json_peek_length(json_peek_as_array(answer)); i++) {
        JsonObject *one = json_peek_object_at(json_peek_as_array(answer), i);
        g_autofree char *prefix = target == COUNTERS_VM ? g_strdup("vm") : g_strdup_printf("vcpu.%u", i);

        add(json_peek_array(one, "stats"), words, prefix, params);
    }
    return TRUE;
}
