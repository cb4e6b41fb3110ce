/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/argv-parts.h"
#include "driver-kvm/memory.h"
#include "driver-kvm/part.h"
#include "lib/error.h"
#include <string.h>

#define DISTANCE_HERE 10
#define DISTANCE_THERE 20
#define KIB_MAX ((guint64)G_MAXINT64 >> 10) /* QEMU reckons in octets */

const char *argv_main_memory(const Domain *live, const Caps *caps)
{
    const CapsMachine *machine = caps_machine(caps, live->os->type->machine);

    return machine && memory_n_cells(live) == 0 ? machine->default_ram : NULL;
}

static NumaCell *cell_at(const Domain *live, guint index)
{
    return g_ptr_array_index(live->cpu->numa->cells, index);
}

gboolean argv_memory(const Domain *live, const Caps *caps, const ArgvContext *context, GPtrArray *parts, GError **error)
{
    const char *main_memory = argv_main_memory(live, caps);
    guint64 kib = memory_initial(live);
    gboolean locked = live->memory_backing && live->memory_backing->locked;

    for (guint i = 0; i < memory_n_cells(live); i++)
        if (cell_at(live, i)->memory > KIB_MAX - KIB_MAX % 1024)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "memory size of NUMA node '%u' overflowed after alignment", i);
    if (live->memory > KIB_MAX)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "memory size %" G_GUINT64_FORMAT " KiB is too large",
                         live->memory);
    if (memory_has_slots(live))
        parts_add_option(parts, "-m",
                         g_strdup_printf("size=%" G_GUINT64_FORMAT "k,slots=%u,maxmem=%" G_GUINT64_FORMAT "k", kib,
                                         live->max_memory_slots, live->max_memory));
    else
        parts_add_option(parts, "-m", g_strdup_printf("%" G_GUINT64_FORMAT, kib / 1024));
    if (main_memory) {
        MemoryPiece all = {main_memory, main_memory, kib, MEMORY_NO_NODE, NULL};
        memory_add_backend(live, caps, context, &all, parts);
    }
    parts_add_option(parts, "-overcommit", g_strdup(locked ? "mem-lock=on" : "mem-lock=off"));
    return TRUE;
}

/* --- what nodes have of caches, and what lies between them --- */

gboolean argv_has_hmat(const Domain *live)
{
    for (guint i = 0; i < memory_n_cells(live); i++)
        if (cell_at(live, i)->caches->len)
            return TRUE;
    return memory_n_cells(live) && live->cpu->numa->interconnects;
}

/* Who reads from the memory of node ID: itself, if it has processors, else the one that is the nearest. */
static guint initiator_of(const Domain *live, guint id)
{
    guint best = id, nearest = G_MAXUINT;

    if (cell_at(live, id)->cpus && *cell_at(live, id)->cpus)
        return id;
    for (guint i = 0; i < memory_n_cells(live); i++) {
        const NumaDistances *distances = cell_at(live, id)->distances;
        guint distance = DISTANCE_THERE;

        for (guint k = 0; distances && k < distances->siblings->len; k++) {
            const NumaSibling *sibling = g_ptr_array_index(distances->siblings, k);

            distance = sibling->id == i ? sibling->value : distance;
        }
        if (cell_at(live, i)->cpus && *cell_at(live, i)->cpus && distance < nearest) {
            best = i;
            nearest = distance;
        }
    }
    return best;
}

static void add_cell(const Domain *live, const Caps *caps, const NumaCell *cell, guint id, const ArgvContext *context,
                     GPtrArray *parts)
{
    g_autofree char *backend = g_strdup_printf("ram-node%u", id);
    MemoryPiece piece = {backend, backend, cell->memory, (int)id, NULL};
    GString *text = g_string_new(NULL);

    memory_add_backend(live, caps, context, &piece, parts);
    g_string_append_printf(text, "node,nodeid=%u", id);
    if (cell->cpus) {
        g_auto(GStrv) ranges = g_strsplit(cell->cpus, ",", -1);

        for (char **range = ranges; *range; range++)
            g_string_append_printf(text, ",cpus=%s", *range);
    }
    if (argv_has_hmat(live))
        g_string_append_printf(text, ",initiator=%u", initiator_of(live, id));
    g_string_append_printf(text, ",memdev=%s", backend);
    parts_add_option(parts, "-numa", g_string_free(text, FALSE));
}

/* All pairs or none; what is not said is as far as QEMU thinks. */
static void add_distances(const Domain *live, GPtrArray *parts)
{
    guint n = memory_n_cells(live);
    gboolean any = FALSE;

    for (guint i = 0; i < n; i++)
        any |= cell_at(live, i)->distances != NULL;
    for (guint i = 0; any && i < n; i++)
        for (guint k = 0; k < n; k++) {
            const NumaDistances *distances = cell_at(live, i)->distances;
            guint value = i == k ? DISTANCE_HERE : DISTANCE_THERE;

            for (guint j = 0; distances && j < distances->siblings->len; j++) {
                const NumaSibling *sibling = g_ptr_array_index(distances->siblings, j);

                value = sibling->id == k ? sibling->value : value;
            }
            parts_add_option(parts, "-numa", g_strdup_printf("dist,src=%u,dst=%u,val=%u", i, k, value));
        }
}

static void add_between(guint initiator, guint target, guint32 cache, NumaLatencyType type, gboolean latency, guint64 value,
                        GPtrArray *parts)
{
    static const char *const levels[] = {"memory", "first-level", "second-level", "third-level"};

    parts_add_option(parts, "-numa",
                     g_strdup_printf("hmat-lb,initiator=%u,target=%u,hierarchy=%s,data-type=%s-%s,%s=%" G_GUINT64_FORMAT "%s", initiator,
                                     target, levels[cache == UNSET32 ? 0 : MIN(cache, G_N_ELEMENTS(levels) - 1)],
                                     numa_latency_type_to_string(type), latency ? "latency" : "bandwidth",
                                     latency ? "latency" : "bandwidth", value, latency ? "" : "K"));
}

static void add_cache(guint id, const NumaCache *cache, GPtrArray *parts)
{
    static const char *const ways[] = {[NUMA_CACHE_ASSOCIATIVITY_NONE] = "none", [NUMA_CACHE_ASSOCIATIVITY_DIRECT] = "direct",
                                       [NUMA_CACHE_ASSOCIATIVITY_FULL] = "complex"};
    static const char *const policies[] = {[NUMA_CACHE_POLICY_NONE] = "none", [NUMA_CACHE_POLICY_WRITEBACK] = "write-back",
                                           [NUMA_CACHE_POLICY_WRITETHROUGH] = "write-through"};

    parts_add_option(parts, "-numa",
                     g_strdup_printf("hmat-cache,node-id=%u,size=%" G_GUINT64_FORMAT "K,level=%u,associativity=%s,policy=%s,line=%"
                                     G_GUINT64_FORMAT, id, cache->size->value, cache->level, ways[cache->associativity],
                                     policies[cache->policy], cache->line->value));
}

static void add_hmat(const Domain *live, GPtrArray *parts)
{
    const NumaInterconnects *all = memory_n_cells(live) ? live->cpu->numa->interconnects : NULL;

    for (guint i = 0; all && i < all->latencies->len; i++) {
        const NumaLatency *one = g_ptr_array_index(all->latencies, i);

        add_between(one->initiator, one->target, one->cache, one->type, TRUE, one->value, parts);
    }
    for (guint i = 0; all && i < all->bandwidths->len; i++) {
        const NumaBandwidth *one = g_ptr_array_index(all->bandwidths, i);

        add_between(one->initiator, one->target, one->cache, one->type, FALSE, one->value, parts);
    }
    for (guint i = 0; i < memory_n_cells(live); i++)
        for (guint k = 0; k < cell_at(live, i)->caches->len; k++)
            add_cache(i, g_ptr_array_index(cell_at(live, i)->caches, k), parts);
}

gboolean argv_numa(const Domain *live, const Caps *caps, const ArgvContext *context, GPtrArray *parts, GError **error)
{
    for (guint i = 0; i < memory_n_cells(live); i++) {
        const NumaCell *cell = cell_at(live, i);

        if (cell->cpus && cell->cpus[strspn(cell->cpus, "0123456789,-")])
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Invalid CPU list '%s' of a NUMA cell", cell->cpus);
        add_cell(live, caps, cell, i, context, parts);
    }
    add_distances(live, parts);
    add_hmat(live, parts);
    return TRUE;
}
