/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/caps.h"

#include "driver-kvm/caps-form.h"
#include "driver-kvm/variant-find.h"

struct Caps {
    gatomicrefcount refs;
    GVariant *form; /* all text below lies in it */
    const char *binary, *package, *arch;
    guint64 version;
    GPtrArray *machines;
    struct {
        gboolean usable;
        GPtrArray *cpus;
        GArray *best; /* NULL: not told */
        gboolean knows_migratable;
    } accels[CAPS_N_ACCELS];
    GVariant *properties, *types, *options, *schema;
};

const char *const caps_accel_names[CAPS_N_ACCELS] = {[CAPS_TCG] = "tcg", [CAPS_KVM] = "kvm"};

static void cpu_free(gpointer data)
{
    CapsCpu *cpu = data;

    g_free(cpu->blockers);
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
        g_ptr_array_unref(caps->accels[i].cpus);
        g_clear_pointer(&caps->accels[i].best, g_array_unref);
    }
    g_ptr_array_unref(caps->machines);
    g_variant_unref(caps->properties);
    g_variant_unref(caps->types);
    g_variant_unref(caps->options);
    g_variant_unref(caps->schema);
    g_variant_unref(caps->form);
    g_free(caps);
}

/* NULL for none. */
static const char *word_or_null(const char *word)
{
    return word[0] ? word : NULL;
}

static GPtrArray *read_machines(GVariant *form)
{
    g_autoptr(GVariant) table = g_variant_get_child_value(form, CAPS_AT_MACHINES);
    GPtrArray *machines = g_ptr_array_new_with_free_func(g_free);

    for (gsize i = 0; i < g_variant_n_children(table); i++) {
        CapsMachine *machine = g_new0(CapsMachine, 1);
        guchar marks;
        g_variant_get_child(table, i, "(&s&s&s&suy)", &machine->name, &machine->alias, &machine->default_cpu,
                            &machine->default_ram, &machine->max_cpus, &marks);
        machine->alias = word_or_null(machine->alias);
        machine->default_cpu = word_or_null(machine->default_cpu);
        machine->default_ram = word_or_null(machine->default_ram);
        machine->is_default = (marks & CAPS_MACHINE_DEFAULT) != 0;
        machine->hotplug_cpus = (marks & CAPS_MACHINE_HOTPLUG) != 0;
        machine->numa_memory = (marks & CAPS_MACHINE_NUMA) != 0;
        machine->deprecated = (marks & CAPS_MACHINE_DEPRECATED) != 0;
        g_ptr_array_add(machines, machine);
    }
    return machines;
}

/* ACCEL: its tuple, or NULL. */
static GPtrArray *read_cpus(GVariant *accel)
{
    g_autoptr(GVariant) table = accel ? g_variant_get_child_value(accel, 1) : NULL;
    GPtrArray *cpus = g_ptr_array_new_with_free_func(cpu_free);

    for (gsize i = 0; table && i < g_variant_n_children(table); i++) {
        CapsCpu *cpu = g_new0(CapsCpu, 1);
        guchar marks;
        g_variant_get_child(table, i, "(&s&sy^a&s)", &cpu->name, &cpu->type, &marks, &cpu->blockers);
        cpu->type = word_or_null(cpu->type);
        cpu->migratable = (marks & CAPS_CPU_MIGRATABLE) != 0;
        cpu->deprecated = (marks & CAPS_CPU_DEPRECATED) != 0;
        if (!(marks & CAPS_CPU_TOLD))
            g_clear_pointer(&cpu->blockers, g_free);
        g_ptr_array_add(cpus, cpu);
    }
    return cpus;
}

static GArray *read_best(GVariant *accel)
{
    g_autoptr(GVariant) table = g_variant_get_child_value(accel, 3);
    GArray *best = g_array_new(FALSE, FALSE, sizeof(CapsProp));

    for (gsize i = 0; i < g_variant_n_children(table); i++) {
        CapsProp prop;
        guchar marks;
        g_variant_get_child(table, i, "(&sy&st)", &prop.name, &marks, &prop.text, &prop.number);
        if (!(marks & CAPS_PROP_TEXT))
            prop.text = NULL;
        prop.is_number = (marks & CAPS_PROP_NUMBER) != 0;
        prop.on = (marks & CAPS_PROP_ON) != 0;
        prop.stays = (marks & CAPS_PROP_STAYS) != 0;
        g_array_append_val(best, prop);
    }
    return best;
}

Caps *caps_new(GVariant *form)
{
    g_autoptr(GVariant) accels = g_variant_get_child_value(form, CAPS_AT_ACCELS);
    Caps *caps = g_new0(Caps, 1);

    g_atomic_ref_count_init(&caps->refs);
    caps->form = g_variant_ref(form);
    g_variant_get_child(form, CAPS_AT_BINARY, "&s", &caps->binary);
    g_variant_get_child(form, CAPS_AT_ARCH, "&s", &caps->arch);
    g_variant_get_child(form, CAPS_AT_PACKAGE, "&s", &caps->package);
    g_variant_get_child(form, CAPS_AT_VERSION, "t", &caps->version);
    caps->machines = read_machines(form);
    for (guint i = 0; i < CAPS_N_ACCELS; i++) {
        g_autoptr(GVariant) accel = variant_find(accels, caps_accel_names[i]);
        caps->accels[i].usable = accel != NULL;
        caps->accels[i].cpus = read_cpus(accel);
        guchar marks = 0;
        if (accel)
            g_variant_get_child(accel, 2, "y", &marks);
        caps->accels[i].best = marks & CAPS_BEST_TOLD ? read_best(accel) : NULL;
        caps->accels[i].knows_migratable = (marks & CAPS_BEST_MIGRATABLE) != 0;
    }
    caps->properties = g_variant_get_child_value(form, CAPS_AT_PROPERTIES);
    caps->types = g_variant_get_child_value(form, CAPS_AT_TYPES);
    caps->options = g_variant_get_child_value(form, CAPS_AT_OPTIONS);
    caps->schema = g_variant_get_child_value(form, CAPS_AT_SCHEMA);
    return caps;
}

Caps *caps_parse(const char *json, GError **error)
{
    g_autoptr(GVariant) form = caps_form_new("", json, error);

    return form ? caps_new(form) : NULL;
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
    return caps->package;
}

const char *caps_arch(const Caps *caps)
{
    return caps->arch;
}

gboolean caps_has_accel(const Caps *caps, CapsAccel accel)
{
    return caps->accels[accel].usable;
}

/* ARM's emulators run nothing unless told what; who names no machine is given the board that libvirt gives him. */
#define BOARD "integratorcp"

const CapsMachine *caps_machine(const Caps *caps, const char *name)
{
    for (guint i = 0; i < caps->machines->len; i++) {
        const CapsMachine *machine = caps->machines->pdata[i];
        if (name ? g_str_equal(machine->name, name) || g_strcmp0(machine->alias, name) == 0 : machine->is_default)
            return machine;
    }
    return name ? NULL : caps_machine(caps, BOARD);
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

const GArray *caps_best(const Caps *caps, CapsAccel accel)
{
    return caps->accels[accel].best;
}

gboolean caps_best_knows_migratable(const Caps *caps, CapsAccel accel)
{
    return caps->accels[accel].knows_migratable;
}

gboolean caps_has_type(const Caps *caps, const char *type)
{
    return variant_has_word(caps->types, type);
}

/* Whether the set KEY of SETS (CAPS_FORM_SETS) is there and has WORD; NULL: any. */
static gboolean has_member(GVariant *sets, const char *key, const char *word)
{
    g_autoptr(GVariant) set = variant_find(sets, key);
    g_autoptr(GVariant) words = set ? g_variant_get_child_value(set, 1) : NULL;

    return words && (!word || variant_has_word(words, word));
}

gboolean caps_device_has_property(const Caps *caps, const char *device, const char *property)
{
    return has_member(caps->properties, device, property);
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
    return has_member(caps->options, group, parameter);
}
