/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/argv-parts.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include <string.h>

static guint n_cells(const Domain *live)
{
    return live->cpu && live->cpu->numa ? live->cpu->numa->cells->len : 0;
}

const char *argv_main_memory(const Domain *live, const Caps *caps)
{
    const CapsMachine *machine = caps_machine(caps, live->os->type->machine);

    return machine && n_cells(live) == 0 ? machine->default_ram : NULL;
}

/* QEMU counts in MiB. */
static guint64 in_mib(guint64 kib)
{
    return (kib + 1023) / 1024;
}

static void add_backend(const Domain *live, const ArgvContext *context, const char *id, guint64 mib, MemoryAccess own,
                        GPtrArray *parts)
{
    const MemoryBacking *backing = live->memory_backing;
    MemoryBackingType kind = backing && backing->source ? backing->source->type : MEMORY_BACKING_TYPE_UNSET;
    MemoryAccess access = own != MEMORY_ACCESS_UNSET            ? own
                          : backing && backing->access          ? backing->access->mode
                                                                : MEMORY_ACCESS_UNSET;
    gboolean file = kind == MEMORY_BACKING_TYPE_FILE || (access != MEMORY_ACCESS_UNSET && kind != MEMORY_BACKING_TYPE_MEMFD);
    JsonObject *props = props_new("qom-type", kind == MEMORY_BACKING_TYPE_MEMFD ? "memory-backend-memfd"
                                              : file                            ? "memory-backend-file"
                                                                                : "memory-backend-ram");

    props_string(props, "id", id);
    if (file)
        props_format(props, "mem-path", "%s/%s", context->private_dir, id);
    if (access != MEMORY_ACCESS_UNSET)
        props_bool(props, "share", access == MEMORY_ACCESS_SHARED);
    /* The main memory's name in a saved stream must not depend on where it comes from. */
    if ((file || kind == MEMORY_BACKING_TYPE_MEMFD) && n_cells(live) == 0)
        props_bool(props, "x-use-canonical-path-for-ramblock-id", FALSE);
    if (backing && backing->allocation && backing->allocation->mode == MEMORY_ALLOCATION_IMMEDIATE) {
        props_bool(props, "prealloc", TRUE);
        props_positive(props, "prealloc-threads", backing->allocation->threads);
    }
    props_int(props, "size", (gint64)(mib << 20));
    parts_add(parts, PART_OBJECT, props);
}

gboolean argv_memory(const Domain *live, const Caps *caps, const ArgvContext *context, GPtrArray *parts, GError **error)
{
    const char *main_memory = argv_main_memory(live, caps);
    guint64 mib = in_mib(live->memory);
    gboolean locked = live->memory_backing && live->memory_backing->locked;

    if (n_cells(live)) {
        mib = 0;
        for (guint i = 0; i < n_cells(live); i++)
            mib += in_mib(((const NumaCell *)g_ptr_array_index(live->cpu->numa->cells, i))->memory);
    }
    if (mib > (guint64)G_MAXINT64 >> 20)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "memory size %" G_GUINT64_FORMAT " KiB is too large",
                         live->memory);
    parts_add_option(parts, "-m", g_strdup_printf("%" G_GUINT64_FORMAT, mib));
    if (main_memory)
        add_backend(live, context, main_memory, mib, MEMORY_ACCESS_UNSET, parts);
    parts_add_option(parts, "-overcommit", g_strdup(locked ? "mem-lock=on" : "mem-lock=off"));
    return TRUE;
}

static void add_cell(const Domain *live, const NumaCell *cell, guint id, const ArgvContext *context, GPtrArray *parts)
{
    g_autofree char *backend = g_strdup_printf("ram-node%u", id);
    GString *text = g_string_new(NULL);

    add_backend(live, context, backend, in_mib(cell->memory), cell->mem_access, parts);
    g_string_append_printf(text, "node,nodeid=%u", id);
    if (cell->cpus) {
        g_auto(GStrv) ranges = g_strsplit(cell->cpus, ",", -1);

        for (char **range = ranges; *range; range++)
            g_string_append_printf(text, ",cpus=%s", *range);
    }
    g_string_append_printf(text, ",memdev=%s", backend);
    parts_add_option(parts, "-numa", g_string_free(text, FALSE));
}

static void add_distances(const NumaCell *cell, guint id, GPtrArray *parts)
{
    for (guint i = 0; cell->distances && i < cell->distances->siblings->len; i++) {
        const NumaSibling *sibling = g_ptr_array_index(cell->distances->siblings, i);

        parts_add_option(parts, "-numa", g_strdup_printf("dist,src=%u,dst=%u,val=%u", id, sibling->id, sibling->value));
    }
}

gboolean argv_numa(const Domain *live, const Caps *caps, const ArgvContext *context, GPtrArray *parts, GError **error)
{
    for (guint pass = 0; pass < 2; pass++)
        for (guint i = 0; i < n_cells(live); i++) {
            const NumaCell *cell = g_ptr_array_index(live->cpu->numa->cells, i);
            guint id = cell->id == UNSET32 ? i : cell->id;

            if (cell->cpus && cell->cpus[strspn(cell->cpus, "0123456789,-")])
                return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Invalid CPU list '%s' of a NUMA cell",
                                 cell->cpus);
            if (pass == 0)
                add_cell(live, cell, id, context, parts);
            else
                add_distances(cell, id, parts);
        }
    return TRUE;
}
