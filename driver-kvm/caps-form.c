/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/caps-form.h"

#include <string.h>

#include "driver-kvm/caps.h"
#include "lib/error.h"
#include "lib/json-peek.h"

#define VALUES_MAX 1000000 /* QEMU 7.2's answers have 60,000 */

static const char *word(JsonObject *object, const char *key)
{
    const char *value = json_peek_string(object, key);
    return value ? value : "";
}

static guchar mark_if(JsonObject *object, const char *key, guchar mark)
{
    return json_peek_true(object, key) ? mark : 0;
}

static int by_word(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GVariant *form_words(JsonArray *array, gboolean sorted)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    for (guint i = 0; i < json_peek_length(array); i++)
        if (json_peek_string_at(array, i))
            g_ptr_array_add(words, (gpointer)json_peek_string_at(array, i));
    if (sorted)
        g_ptr_array_sort(words, by_word);
    return g_variant_new_strv((const char *const *)words->pdata, words->len);
}

static GVariant *form_machine(JsonObject *object)
{
    gint64 max_cpus = 1;
    guchar marks = mark_if(object, "is-default", CAPS_MACHINE_DEFAULT) |
                   mark_if(object, "hotpluggable-cpus", CAPS_MACHINE_HOTPLUG) |
                   mark_if(object, "numa-mem-supported", CAPS_MACHINE_NUMA) |
                   mark_if(object, "deprecated", CAPS_MACHINE_DEPRECATED);

    json_peek_int(object, "cpu-max", &max_cpus);
    return g_variant_new("(ssssuy)", word(object, "name"), word(object, "alias"), word(object, "default-cpu-type"),
                         word(object, "default-ram-id"), (guint32)CLAMP(max_cpus, 1, G_MAXINT), marks);
}

static GVariant *form_machines(JsonArray *array)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(CAPS_FORM_MACHINES));
    for (guint i = 0; i < json_peek_length(array); i++) {
        JsonObject *object = json_peek_object_at(array, i);
        if (word(object, "name")[0] && !g_str_equal(word(object, "name"), "none"))
            g_variant_builder_add_value(&builder, form_machine(object));
    }
    return g_variant_builder_end(&builder);
}

static GVariant *form_cpus(JsonArray *array)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(CAPS_FORM_CPUS));
    for (guint i = 0; i < json_peek_length(array); i++) {
        JsonObject *object = json_peek_object_at(array, i);
        JsonArray *lacking = json_peek_array(object, "unavailable-features");
        guchar marks = mark_if(object, "migration-safe", CAPS_CPU_MIGRATABLE) |
                       mark_if(object, "deprecated", CAPS_CPU_DEPRECATED) | (lacking ? CAPS_CPU_TOLD : 0);
        if (word(object, "name")[0])
            g_variant_builder_add(&builder, "(ssy@as)", word(object, "name"), word(object, "typename"), marks,
                                  form_words(lacking, FALSE));
    }
    return g_variant_builder_end(&builder);
}

/* BEST: what QEMU makes of its best CPU; ALL: with what does not migrate. Either may be NULL. */
static GVariant *form_props(JsonObject *best, JsonObject *all)
{
    g_autoptr(GList) names = best ? json_object_get_members(best) : NULL;
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(CAPS_FORM_PROPS));
    for (const GList *name = names; name; name = name->next) {
        const char *text = json_peek_string(best, name->data);
        gint64 number = 0;
        guchar marks = mark_if(best, name->data, CAPS_PROP_ON);
        if (text)
            marks = CAPS_PROP_TEXT;
        else if (json_peek_int(best, name->data, &number))
            marks = CAPS_PROP_NUMBER;
        else if (!marks && all && json_peek_true(all, name->data))
            marks = CAPS_PROP_ON | CAPS_PROP_STAYS;
        g_variant_builder_add(&builder, "(syst)", (const char *)name->data, marks, text ? text : "", (guint64)number);
    }
    return g_variant_builder_end(&builder);
}

static JsonObject *props_of(JsonObject *accel, const char *expansion)
{
    return json_peek_object(json_peek_object(json_peek_object(accel, expansion), "model"), "props");
}

static GVariant *form_accel(const char *name, JsonObject *accel)
{
    JsonObject *best = props_of(accel, "best"), *all = props_of(accel, "best-all");
    guchar marks = (best ? CAPS_BEST_TOLD : 0) | (all ? CAPS_BEST_MIGRATABLE : 0);

    return g_variant_new("(s@" CAPS_FORM_CPUS "y@" CAPS_FORM_PROPS ")", name, form_cpus(json_peek_array(accel, "cpus")), marks,
                         form_props(best, all));
}

static GVariant *form_accels(JsonObject *root)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(CAPS_FORM_ACCELS));
    for (guint i = CAPS_N_ACCELS; i-- > 0;) { /* that is sorted */
        JsonObject *accel = json_peek_object(root, caps_accel_names[i]);
        if (accel)
            g_variant_builder_add_value(&builder, form_accel(caps_accel_names[i], accel));
    }
    return g_variant_builder_end(&builder);
}

static GVariant *form_sets(JsonObject *object)
{
    GVariantBuilder builder;
    g_autoptr(GList) names = object ? json_object_get_members(object) : NULL;

    names = g_list_sort(names, (GCompareFunc)strcmp);
    g_variant_builder_init(&builder, G_VARIANT_TYPE(CAPS_FORM_SETS));
    for (const GList *name = names; name; name = name->next)
        g_variant_builder_add(&builder, "(s@as)", (const char *)name->data,
                              form_words(json_peek_array(object, name->data), TRUE));
    return g_variant_builder_end(&builder);
}

GVariant *caps_form_new(const char *identity, const char *json, GError **error)
{
    g_autoptr(JsonNode) node = json_peek_parse(json, strlen(json), VALUES_MAX, error);
    JsonObject *root = json_peek_as_object(node);
    gint64 version = 0;

    if (!node)
        return NULL;
    if (!json_peek_string(root, "binary") || !json_peek_string(root, "arch") ||
        !json_peek_int(root, "version", &version) || !json_peek_array(root, "types")) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "this is no description of a QEMU binary");
        return NULL;
    }
    GVariant *form = g_variant_ref_sink(g_variant_new(
        "(sssst@" CAPS_FORM_MACHINES "@" CAPS_FORM_ACCELS "@" CAPS_FORM_SETS "@as@" CAPS_FORM_SETS "@" SCHEMA_FORM ")",
        identity, word(root, "binary"), word(root, "arch"), word(root, "package"), (guint64)version,
        form_machines(json_peek_array(root, "machines")), form_accels(root),
        form_sets(json_peek_object(root, "properties")), form_words(json_peek_array(root, "types"), TRUE),
        form_sets(json_peek_object(root, "options")), schema_compile(json_peek_array(root, "schema"))));
    g_variant_get_data(form); /* in one piece from now on: text in it lives as long as it */
    return form;
}
