/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/memory.h"

#include <unistd.h>

#include "driver-kvm/hugepages.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/cpuset.h"

#define MODULE_STEP 2048 /* KiB; or the machine's own step, where that is larger */

guint memory_n_cells(const Domain *def)
{
    return def->cpu && def->cpu->numa ? def->cpu->numa->cells->len : 0;
}

static NumaCell *cell_of(const Domain *def, int node)
{
    for (guint i = 0; i < memory_n_cells(def); i++) {
        NumaCell *cell = def->cpu->numa->cells->pdata[i];

        if ((cell->id == UNSET32 ? i : cell->id) == (guint)node)
            return cell;
    }
    return NULL;
}

guint64 memory_of_modules(const Domain *def)
{
    guint64 kib = 0;

    for (guint i = 0; i < def->devices->memories->len; i++)
        kib += ((const MemoryDevice *)def->devices->memories->pdata[i])->target->size;
    return kib;
}

guint64 memory_initial(const Domain *def)
{
    guint64 modules = memory_of_modules(def);

    return def->memory > modules ? def->memory - modules : 0;
}

gboolean memory_has_slots(const Domain *def)
{
    return def->max_memory != UNSET64 && def->max_memory > 0;
}

static guint64 align(guint64 kib, guint64 step)
{
    return kib > G_MAXUINT64 - step ? kib : (kib + step - 1) / step * step;
}

static guint64 label_of(const MemoryDevice *module)
{
    const MemoryLabel *label = module->target->label;

    return label && label->size != UNSET64 ? label->size : 0;
}

gboolean memory_fits_block(const Domain *def, const MemoryDevice *module)
{
    return module->target->size - label_of(module) >= machine_kind(def)->memory_step;
}

guint64 memory_module_size(const Domain *def, const MemoryDevice *module)
{
    guint64 step = MAX(machine_kind(def)->memory_step, MODULE_STEP);
    guint64 label = label_of(module);

    /* What the guest sees of a file must not reach beyond its end. */
    if (module->model == MEMORY_DEVICE_MODEL_NVDIMM && step > MODULE_STEP)
        return (module->target->size - label) / step * step + label;
    return align(module->target->size, step);
}

void memory_align(Domain *live)
{
    guint64 step = machine_kind(live)->memory_step;
    guint64 initial = align(memory_initial(live), step);
    gboolean all = live->current_memory == live->memory;

    for (guint i = 0; i < memory_n_cells(live); i++) {
        NumaCell *cell = live->cpu->numa->cells->pdata[i];

        cell->memory = align(cell->memory, step);
        initial = i == 0 ? cell->memory : initial + cell->memory;
    }
    for (guint i = 0; i < live->devices->memories->len; i++) {
        MemoryDevice *module = live->devices->memories->pdata[i];

        module->target->size = memory_module_size(live, module);
    }
    live->memory = initial + memory_of_modules(live);
    if (all)
        live->current_memory = live->memory;
    if (memory_has_slots(live))
        live->max_memory = align(live->max_memory, step);
}

/* --- back ends --- */

static const char *path_of(const MemoryPiece *piece)
{
    return piece->module && piece->module->source ? piece->module->source->path : NULL;
}

/* Size in KiB of the huge pages that PIECE is made of; 0: of ordinary ones. What has a file of its own does not ask. */
static guint64 page_size(const Domain *live, const MemoryPiece *piece)
{
    const Hugepages *huge = live->memory_backing ? live->memory_backing->hugepages : NULL;
    const MemorySource *source = piece->module ? piece->module->source : NULL;
    gboolean own = source && source->pagesize != UNSET64 && source->pagesize > 0;
    guint64 size = own ? source->pagesize : 0;
    gboolean found = own;

    if (path_of(piece))
        return 0;
    if (!own && huge && huge->pages->len == 0)
        return hugepages_usual();

    for (guint i = 0; !found && huge && i < huge->pages->len; i++) {
        const HugePage *page = huge->pages->pdata[i];
        g_autoptr(CpuSet) nodes = page->nodeset ? cpuset_parse(page->nodeset, NULL) : NULL;

        found = nodes && cpuset_has(nodes, (guint)MAX(piece->node, 0));
        if (!nodes || found)
            size = page->size;
    }
    return size == (guint64)getpagesize() / 1024 ? 0 : size;
}

static gboolean is_memfd(const Domain *live)
{
    return live->memory_backing && live->memory_backing->source && live->memory_backing->source->type == MEMORY_BACKING_TYPE_MEMFD;
}

GArray *memory_file_pages(const Domain *live)
{
    GArray *sizes = g_array_new(FALSE, FALSE, sizeof(guint64));
    guint n_cells = memory_n_cells(live), n = n_cells ? n_cells : 1;

    for (guint i = 0; !is_memfd(live) && i < n + live->devices->memories->len; i++) {
        const MemoryDevice *module = i < n ? NULL : live->devices->memories->pdata[i - n];
        MemoryPiece piece = {.node = module ? (int)module->target->node : n_cells ? (int)i : MEMORY_NO_NODE, .module = module};
        guint64 size = page_size(live, &piece);

        g_array_append_val(sizes, size);
    }
    return sizes;
}

/* The host's nodes that PIECE is taken from, and how; NULL: from anywhere. */
static CpuSet *host_nodes(const Numatune *tune, const MemoryPiece *piece, NumatuneMode *ret_mode)
{
    const char *own = piece->module && piece->module->source ? piece->module->source->nodemask : NULL;
    const char *nodeset = tune && tune->memory ? tune->memory->nodeset : NULL;

    *ret_mode = tune && tune->memory ? tune->memory->mode : NUMATUNE_MODE_STRICT;
    for (guint i = 0; tune && piece->node >= 0 && i < tune->memnodes->len; i++) {
        const NumatuneMemnode *memnode = tune->memnodes->pdata[i];

        if (memnode->cellid == (guint)piece->node) {
            nodeset = memnode->nodeset;
            *ret_mode = memnode->mode;
        }
    }
    return own || nodeset ? cpuset_parse(own ? own : nodeset, NULL) : NULL;
}

/* A list of its own each time, for JSON objects own what they hold. NULL: the memory may come from anywhere. */
static JsonArray *nodes_of(const Domain *live, const MemoryPiece *piece, const char **ret_policy)
{
    static const char *const policies[] = {[NUMATUNE_MODE_STRICT] = "bind", [NUMATUNE_MODE_PREFERRED] = "preferred",
                                           [NUMATUNE_MODE_INTERLEAVE] = "interleave", [NUMATUNE_MODE_RESTRICTIVE] = NULL};
    NumatuneMode mode;
    g_autoptr(CpuSet) nodes = host_nodes(live->numatune, piece, &mode);
    JsonArray *list;

    if (!nodes || !policies[mode])
        return NULL;
    list = json_array_new();
    for (int node = cpuset_next(nodes, -1); node >= 0; node = cpuset_next(nodes, node))
        json_array_add_int_element(list, node);
    *ret_policy = policies[mode];
    return list;
}

static MemoryAccess access_of(const Domain *live, const MemoryPiece *piece)
{
    const MemoryBacking *backing = live->memory_backing;
    const NumaCell *cell = cell_of(live, piece->node);

    if (piece->module && piece->module->access != MEMORY_ACCESS_UNSET)
        return piece->module->access;
    if (cell && cell->mem_access != MEMORY_ACCESS_UNSET)
        return cell->mem_access;
    return backing && backing->access ? backing->access->mode : MEMORY_ACCESS_UNSET;
}

static gboolean is_discarded(const Domain *live, const MemoryPiece *piece)
{
    const NumaCell *cell = cell_of(live, piece->node);

    if (path_of(piece))
        return FALSE;
    if (piece->module && piece->module->discard != TOGGLE_UNSET)
        return piece->module->discard == TOGGLE_ON;
    if (cell && cell->discard != TOGGLE_UNSET)
        return cell->discard == TOGGLE_ON;
    return live->memory_backing && live->memory_backing->discard;
}

static gboolean is_on_demand(const MemoryPiece *piece)
{
    return piece->module && piece->module->model == MEMORY_DEVICE_MODEL_VIRTIO_MEM;
}

gboolean memory_is_preallocated(const Domain *live, const MemoryPiece *piece)
{
    const MemoryBacking *backing = live->memory_backing;

    if (backing && backing->allocation && backing->allocation->mode == MEMORY_ALLOCATION_IMMEDIATE)
        return TRUE;
    /* A file behind a module is written to now rather than found too small later; persistent memory is all there. */
    if (path_of(piece))
        return piece->module->model == MEMORY_DEVICE_MODEL_NVDIMM && !piece->module->source->pmem;
    return page_size(live, piece) > 0;
}

/* The threads that fill the memory run where it comes from. */
static char *add_threads(const Domain *live, const Caps *caps, const MemoryPiece *piece, GPtrArray *parts)
{
    const char *policy;
    g_autofree char *id = g_strconcat("tc-", piece->id, NULL);
    JsonArray *nodes = caps_has_type(caps, "thread-context") ? nodes_of(live, piece, &policy) : NULL;
    JsonObject *props;

    if (!nodes)
        return NULL;
    props = props_new("qom-type", "thread-context");
    props_string(props, "id", id);
    json_object_set_array_member(props, "node-affinity", nodes);
    parts_add(parts, PART_OBJECT, props);
    return g_steal_pointer(&id);
}

static void add_preallocation(const Domain *live, JsonObject *props)
{
    const MemoryBacking *backing = live->memory_backing;

    props_bool(props, "prealloc", TRUE);
    if (backing && backing->allocation)
        props_positive(props, "prealloc-threads", backing->allocation->threads);
}

static void add_path(const ArgvContext *context, const MemoryPiece *piece, guint64 pages, JsonObject *props)
{
    const char *path = path_of(piece);
    g_autofree char *folder = pages ? hugepages_folder(context, pages) : NULL;

    if (path || folder)
        props_string(props, "mem-path", path ? path : folder);
    else
        props_format(props, "mem-path", "%s/%s", context->private_dir, piece->file);
}

void memory_add_backend(const Domain *live, const Caps *caps, const ArgvContext *context, const MemoryPiece *piece, GPtrArray *parts)
{
    MemoryBackingType kind = live->memory_backing && live->memory_backing->source ? live->memory_backing->source->type
                                                                                  : MEMORY_BACKING_TYPE_UNSET;
    const MemorySource *source = piece->module ? piece->module->source : NULL;
    MemoryAccess access = access_of(live, piece);
    guint64 pages = page_size(live, piece);
    gboolean memfd = !path_of(piece) && kind == MEMORY_BACKING_TYPE_MEMFD;
    gboolean file = !memfd && (path_of(piece) || pages || kind == MEMORY_BACKING_TYPE_FILE || access != MEMORY_ACCESS_UNSET);
    gboolean prealloc = memory_is_preallocated(live, piece) && !is_on_demand(piece);
    g_autofree char *threads = prealloc ? add_threads(live, caps, piece, parts) : NULL;
    JsonObject *props = props_new("qom-type", memfd  ? "memory-backend-memfd"
                                              : file ? "memory-backend-file"
                                                     : "memory-backend-ram");
    const char *policy;
    JsonArray *nodes = nodes_of(live, piece, &policy);

    props_string(props, "id", piece->id);
    if (memfd && pages) {
        props_bool(props, "hugetlb", TRUE);
        props_int(props, "hugetlbsize", (gint64)pages * 1024);
    }
    if (file)
        add_path(context, piece, pages, props);
    if (file && is_discarded(live, piece))
        props_bool(props, "discard-data", TRUE);
    if (access != MEMORY_ACCESS_UNSET)
        props_bool(props, "share", access == MEMORY_ACCESS_SHARED);
    /* The main memory's name in a saved stream must not depend on where it comes from. */
    if ((file || memfd) && !piece->module && piece->node < 0)
        props_bool(props, "x-use-canonical-path-for-ramblock-id", FALSE);
    if (is_on_demand(piece))
        props_bool(props, "reserve", FALSE);
    if (prealloc)
        add_preallocation(live, props);
    props_int(props, "size", (gint64)(piece->kib * 1024));
    if (source && source->alignsize != UNSET64 && source->alignsize > 0)
        props_int(props, "align", (gint64)(source->alignsize * 1024));
    if (source && source->pmem)
        props_bool(props, "pmem", TRUE);
    if (nodes) {
        json_object_set_array_member(props, "host-nodes", nodes);
        props_string(props, "policy", policy);
    }
    props_string(props, "prealloc-context", threads);
    parts_add(parts, PART_OBJECT, props);
}
