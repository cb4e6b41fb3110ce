/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/caps.h"

#include <string.h>

#include "driver-kvm/schema.h"
#include "lib/error.h"
#include "lib/json-peek.h"

#define VALUES_MAX 1000000 /* QEMU 7.2's stored form has 60,000 */

struct Caps {
    gatomicrefcount refs;
    char *binary, *package, *arch;
    guint64 version;
    GPtrArray *machines;
    struct {
        gboolean usable;
        GPtrArray *cpus;
        JsonObject *expansion; /* NULL: unknown */
    } accels[CAPS_N_ACCELS];
    GStringChunk *words;    /* the names below: the same few hundred come up in every device */
    GHashTable *properties; /* type -> GHashTable (set of names), or NULL where its properties were not asked */
    GHashTable *options;    /* group -> GHashTable (set of names) */
    Schema *schema;
};

static const char *const accel_names[CAPS_N_ACCELS] = {[CAPS_TCG] = "tcg", [CAPS_KVM] = "kvm"};

static void machine_free(gpointer data)
{
    CapsMachine *machine = data;

    g_free(machine->name);
    g_free(machine->alias);
    g_free(machine->default_cpu);
    g_free(machine->default_ram);
    g_free(machine);
}

static void cpu_free(gpointer data)
{
    CapsCpu *cpu = data;

    g_free(cpu->name);
    g_free(cpu->type);
    g_clear_pointer(&cpu->blockers, g_ptr_array_unref);
    g_free(cpu);
}

Caps *caps_ref(const Caps *caps)
{
    g_atomic_ref_count_inc((gatomicrefcount *)&caps->refs);
    return (Caps *)caps;
}

void caps_unref(const Caps *constant)
{
    Caps *caps = (Caps *)constant;

    if (!caps || !g_atomic_ref_count_dec(&caps->refs))
        return;
    for (guint i = 0; i < CAPS_N_ACCELS; i++) {
        g_clear_pointer(&caps->accels[i].cpus, g_ptr_array_unref);
        g_clear_pointer(&caps->accels[i].expansion, json_object_unref);
    }
    g_ptr_array_unref(caps->machines);
    g_hash_table_unref(caps->properties);
    g_hash_table_unref(caps->options);
    g_string_chunk_free(caps->words);
    schema_free(caps->schema);
    g_free(caps->binary);
    g_free(caps->package);
    g_free(caps->arch);
    g_free(caps);
}

static GPtrArray *read_machines(JsonArray *array)
{
    GPtrArray *machines = g_ptr_array_new_with_free_func(machine_free);

    for (guint i = 0; i < json_peek_length(array); i++) {
        JsonObject *object = json_peek_object_at(array, i);
        const char *name = json_peek_string(object, "name");
        gint64 max_cpus = 1;
        if (!name || g_str_equal(name, "none"))
            continue;
        CapsMachine *machine = g_new0(CapsMachine, 1);
        json_peek_int(object, "cpu-max", &max_cpus);
        machine->name = g_strdup(name);
        machine->alias = g_strdup(json_peek_string(object, "alias"));
        machine->default_cpu = g_strdup(json_peek_string(object, "default-cpu-type"));
        machine->default_ram = g_strdup(json_peek_string(object, "default-ram-id"));
        machine->max_cpus = CLAMP(max_cpus, 1, G_MAXINT);
        machine->is_default = json_peek_true(object, "is-default");
        machine->hotplug_cpus = json_peek_true(object, "hotpluggable-cpus");
        machine->numa_memory = json_peek_true(object, "numa-mem-supported");
        machine->deprecated = json_peek_true(object, "deprecated");
        g_ptr_array_add(machines, machine);
    }
    return machines;
}

static GPtrArray *read_cpus(JsonArray *array)
{
    GPtrArray *cpus = g_ptr_array_new_with_free_func(cpu_free);

    for (guint i = 0; i < json_peek_length(array); i++) {
        JsonObject *object = json_peek_object_at(array, i);
        JsonArray *blockers = json_peek_array(object, "unavailable-features");
        if (!json_peek_string(object, "name"))
            continue;
        CapsCpu *cpu = g_new0(CapsCpu, 1);
        cpu->name = g_strdup(json_peek_string(object, "name"));
        cpu->type = g_strdup(json_peek_string(object, "typename"));
        cpu->migratable = json_peek_true(object, "migration-safe");
        cpu->deprecated = json_peek_true(object, "deprecated");
        cpu->blockers = blockers ? g_ptr_array_new_with_free_func(g_free) : NULL;
        for (guint k = 0; k < json_peek_length(blockers); k++)
            if (json_peek_string_at(blockers, k))
                g_ptr_array_add(cpu->blockers, g_strdup(json_peek_string_at(blockers, k)));
        g_ptr_array_add(cpus, cpu);
    }
    return cpus;
}

static GHashTable *read_set(GStringChunk *words, JsonArray *array)
{
    GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < json_peek_length(array); i++)
        if (json_peek_string_at(array, i))
            g_hash_table_add(set, g_string_chunk_insert_const(words, json_peek_string_at(array, i)));
    return set;
}

static void set_unref(gpointer set)
{
    if (set)
        g_hash_table_unref(set);
}

static GHashTable *read_sets(GStringChunk *words, JsonObject *object)
{
    GHashTable *sets = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, set_unref);
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    if (!object)
        return sets;
    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &name, &node))
        g_hash_table_insert(sets, g_string_chunk_insert_const(words, name), read_set(words, json_peek_as_array(node)));
    return sets;
}

Caps *caps_parse(const char *text, GError **error)
{
    g_autoptr(JsonNode) node = json_peek_parse(text, strlen(text), VALUES_MAX, error);
    JsonObject *root = json_peek_as_object(node);
    JsonArray *types = json_peek_array(root, "types");
    gint64 version = 0;

    if (!node)
        return NULL;
    if (!json_peek_string(root, "binary") || !json_peek_string(root, "arch") || !json_peek_int(root, "version", &version) ||
        !types) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "this is no description of a QEMU binary");
        return NULL;
    }

    Caps *caps = g_new0(Caps, 1);
    g_atomic_ref_count_init(&caps->refs);
    caps->binary = g_strdup(json_peek_string(root, "binary"));
    caps->arch = g_strdup(json_peek_string(root, "arch"));
    caps->package = g_strdup(json_peek_string(root, "package"));
    caps->version = version;
    caps->machines = read_machines(json_peek_array(root, "machines"));
    for (guint i = 0; i < CAPS_N_ACCELS; i++) {
        JsonObject *accel = json_peek_object(root, accel_names[i]);
        JsonObject *expansion = json_peek_object(accel, "expansion");
        caps->accels[i].usable = accel != NULL;
        caps->accels[i].cpus = read_cpus(json_peek_array(accel, "cpus"));
        caps->accels[i].expansion = expansion ? json_object_ref(expansion) : NULL;
    }
    caps->words = g_string_chunk_new(4096);
    caps->properties = read_sets(caps->words, json_peek_object(root, "properties"));
    for (guint i = 0; i < json_peek_length(types); i++) {
        const char *type = json_peek_string_at(types, i);
        if (type && !g_hash_table_contains(caps->properties, type))
            g_hash_table_insert(caps->properties, g_string_chunk_insert_const(caps->words, type), NULL);
    }
    caps->options = read_sets(caps->words, json_peek_object(root, "options"));
    caps->schema = schema_new(json_peek_array(root, "schema"));
    return caps;
}

const char *caps_binary(const Caps *caps)
{
    return caps->binary;
}

guint64 caps_version(const Caps *caps)
{
    return caps->version;
}

const char *caps_package(const Caps *caps)
{
    return caps->package ? caps->package : "";
}

const char *caps_arch(const Caps *caps)
{
    return caps->arch;
}

gboolean caps_has_accel(const Caps *caps, CapsAccel accel)
{
    return caps->accels[accel].usable;
}

const CapsMachine *caps_machine(const Caps *caps, const char *name)
{
    for (guint i = 0; i < caps->machines->len; i++) {
        const CapsMachine *machine = caps->machines->pdata[i];
        if (name ? g_str_equal(machine->name, name) || g_strcmp0(machine->alias, name) == 0 : machine->is_default)
            return machine;
    }
    return NULL;
}

const GPtrArray *caps_machines(const Caps *caps)
{
    return caps->machines;
}

const GPtrArray *caps_cpus(const Caps *caps, CapsAccel accel)
{
    return caps->accels[accel].cpus;
}

const CapsCpu *caps_cpu(const Caps *caps, CapsAccel accel, const char *name)
{
    const GPtrArray *cpus = caps_cpus(caps, accel);

    for (guint i = 0; i < cpus->len; i++)
        if (g_str_equal(((const CapsCpu *)cpus->pdata[i])->name, name))
            return cpus->pdata[i];
    return NULL;
}

JsonObject *caps_cpu_expansion(const Caps *caps, CapsAccel accel)
{
    return caps->accels[accel].expansion;
}

gboolean caps_has_type(const Caps *caps, const char *type)
{
    return g_hash_table_contains(caps->properties, type);
}

gboolean caps_device_has_property(const Caps *caps, const char *device, const char *property)
{
    GHashTable *set = g_hash_table_lookup(caps->properties, device);

    return set && g_hash_table_contains(set, property);
}

gboolean caps_has_command(const Caps *caps, const char *command)
{
    return schema_has_command(caps->schema, command);
}

gboolean caps_has_event(const Caps *caps, const char *event)
{
    return schema_has_event(caps->schema, event);
}

gboolean caps_has_argument(const Caps *caps, const char *command, const char *path)
{
    return schema_has(caps->schema, command, FALSE, path);
}

gboolean caps_has_answer(const Caps *caps, const char *command, const char *path)
{
    return schema_has(caps->schema, command, TRUE, path);
}

gboolean caps_has_option(const Caps *caps, const char *group, const char *parameter)
{
    GHashTable *set = g_hash_table_lookup(caps->options, group);

    return set && (!parameter || g_hash_table_contains(set, parameter));
}
