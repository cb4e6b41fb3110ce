/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/argv-parts.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/cpuset.h"
#include "lib/error.h"
#include <string.h>
#include <unistd.h>

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

/* A piece of the guest's memory: all of it, or a node's. */
typedef struct {
    const char *id;
    guint64 mib;
    const NumaCell *cell; /* NULL: all */
    guint node;
} Piece;

/* Size in KiB of the huge pages that PIECE is made of; 0: of ordinary ones. */
static guint64 page_size(const Domain *live, const Piece *piece)
{
    const Hugepages *huge = live->memory_backing ? live->memory_backing->hugepages : NULL;
    guint64 size = 0;

    for (guint i = 0; huge && i < huge->pages->len; i++) {
        const HugePage *page = huge->pages->pdata[i];
        g_autoptr(CpuSet) nodes = page->nodeset ? cpuset_parse(page->nodeset, NULL) : NULL;

        if (!nodes || cpuset_has(nodes, piece->node))
            size = page->size;
    }
    return size == (guint64)getpagesize() / 1024 ? 0 : size;
}

static void add_host_nodes(const Numatune *tune, const Piece *piece, JsonObject *props)
{
    static const char *const policies[] = {[NUMATUNE_MODE_STRICT] = "bind", [NUMATUNE_MODE_PREFERRED] = "preferred",
                                           [NUMATUNE_MODE_INTERLEAVE] = "interleave", [NUMATUNE_MODE_RESTRICTIVE] = NULL};
    const char *nodeset = tune && tune->memory ? tune->memory->nodeset : NULL;
    NumatuneMode mode = tune && tune->memory ? tune->memory->mode : NUMATUNE_MODE_STRICT;
    g_autoptr(CpuSet) nodes = NULL;
    JsonArray *list;

    for (guint i = 0; tune && piece->cell && i < tune->memnodes->len; i++) {
        const NumatuneMemnode *own = tune->memnodes->pdata[i];
        if (own->cellid == piece->node) {
            nodeset = own->nodeset;
            mode = own->mode;
        }
    }
    nodes = nodeset ? cpuset_parse(nodeset, NULL) : NULL;
    if (!nodes || !policies[mode])
        return;
    list = json_array_new();
    for (int node = cpuset_next(nodes, -1); node >= 0; node = cpuset_next(nodes, node))
        json_array_add_int_element(list, node);
    json_object_set_array_member(props, "host-nodes", list);
    props_string(props, "policy", policies[mode]);
}

static void add_backend(const Domain *live, const ArgvContext *context, const Piece *piece, GPtrArray *parts)
{
    const MemoryBacking *backing = live->memory_backing;
    MemoryBackingType kind = backing && backing->source ? backing->source->type : MEMORY_BACKING_TYPE_UNSET;
    MemoryAccess own = piece->cell ? piece->cell->mem_access : MEMORY_ACCESS_UNSET;
    MemoryAccess access = own != MEMORY_ACCESS_UNSET   ? own
                          : backing && backing->access ? backing->access->mode
                                                       : MEMORY_ACCESS_UNSET;
    gboolean memfd = kind == MEMORY_BACKING_TYPE_MEMFD;
    gboolean file = kind == MEMORY_BACKING_TYPE_FILE || (access != MEMORY_ACCESS_UNSET && !memfd);
    Toggle discard = piece->cell && piece->cell->discard != TOGGLE_UNSET ? piece->cell->discard
                     : backing && backing->discard                       ? TOGGLE_ON
                                                                         : TOGGLE_UNSET;
    guint64 pages = page_size(live, piece);
    JsonObject *props = props_new("qom-type", memfd  ? "memory-backend-memfd"
                                              : file ? "memory-backend-file"
                                                     : "memory-backend-ram");

    props_string(props, "id", piece->id);
    if (memfd && pages) {
        props_bool(props, "hugetlb", TRUE);
        props_int(props, "hugetlbsize", (gint64)pages * 1024);
    }
    if (file)
        props_format(props, "mem-path", "%s/%s", context->private_dir, piece->id);
    if (file && discard == TOGGLE_ON)
        props_bool(props, "discard-data", TRUE);
    if (access != MEMORY_ACCESS_UNSET)
        props_bool(props, "share", access == MEMORY_ACCESS_SHARED);
    /* The main memory's name in a saved stream must not depend on where it comes from. */
    if ((file || memfd) && !piece->cell)
        props_bool(props, "x-use-canonical-path-for-ramblock-id", FALSE);
    if ((memfd && pages) || (backing && backing->allocation && backing->allocation->mode == MEMORY_ALLOCATION_IMMEDIATE)) {
        props_bool(props, "prealloc", TRUE);
        if (backing->allocation)
            props_positive(props, "prealloc-threads", backing->allocation->threads);
    }
    props_int(props, "size", (gint64)(piece->mib << 20));
    add_host_nodes(live->numatune, piece, props);
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
    if (main_memory) {
        Piece all = {main_memory, mib, NULL, 0};
        add_backend(live, context, &all, parts);
    }
    parts_add_option(parts, "-overcommit", g_strdup(locked ? "mem-lock=on" : "mem-lock=off"));
    return TRUE;
}

static void add_cell(const Domain *live, const NumaCell *cell, guint id, const ArgvContext *context, GPtrArray *parts)
{
    g_autofree char *backend = g_strdup_printf("ram-node%u", id);
    GString *text = g_string_new(NULL);

    Piece piece = {backend, in_mib(cell->memory), cell, id};
    add_backend(live, context, &piece, parts);
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
