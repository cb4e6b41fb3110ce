/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-numa.h"

#include "lib/cpuset.h"
#include "lib/error.h"

#define WRONG VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR
#define DETAIL VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL

#define LOCAL 10
#define FARTHEST 255
#define CACHE_LEVEL_MAX 3
#define NODES_MAX 1024 /* more have no table of distances */

static guint n_nodes(const Domain *def)
{
    return def->cpu && def->cpu->numa ? def->cpu->numa->cells->len : 0;
}

static NumaCell *node(const Domain *def, guint index)
{
    return g_ptr_array_index(def->cpu->numa->cells, index);
}

/* --- caches, and what lies between --- */

static gboolean has_cache(const NumaCell *cell, guint level)
{
    for (guint i = 0; i < cell->caches->len; i++)
        if (((const NumaCache *)cell->caches->pdata[i])->level == level)
            return TRUE;
    return FALSE;
}

static gboolean check_caches(const NumaCell *cell, GError **error)
{
    guint seen = 0;

    for (guint i = 0; i < cell->caches->len; i++) {
        const NumaCache *cache = cell->caches->pdata[i];

        if (cache->level == 0)
            return error_set(error, WRONG, "Invalid 'level' attribute in cache element for NUMA node %u", cell->id);
        if (cache->level > CACHE_LEVEL_MAX)
            return error_set(error, WRONG, "Ain't nobody heard of that much cache level");
        if (seen & 1u << cache->level)
            return error_set(error, WRONG, "Cache level '%u' already defined", cache->level);
        seen |= 1u << cache->level;
    }
    return TRUE;
}

static gboolean check_between(const Domain *def, guint initiator, guint target, guint32 cache, GError **error)
{
    if (initiator >= n_nodes(def))
        return error_set(error, WRONG, "'initiator' refers to a non-existent NUMA node");
    if (target >= n_nodes(def))
        return error_set(error, WRONG, "'target' refers to a non-existent NUMA node");
    if (!node(def, initiator)->cpus || !*node(def, initiator)->cpus)
        return error_set(error, WRONG, "NUMA nodes without CPUs can't be initiator");
    return cache == UNSET32 || cache == 0 || has_cache(node(def, target), cache) ||
           error_set(error, WRONG, "'cache' refers to a non-existent NUMA node cache");
}

static gboolean check_interconnects(const Domain *def, GError **error)
{
    const NumaInterconnects *all = def->cpu->numa->interconnects;

    for (guint i = 0; all && i < all->latencies->len; i++) {
        const NumaLatency *one = all->latencies->pdata[i];

        if (!check_between(def, one->initiator, one->target, one->cache, error))
            return FALSE;
    }
    for (guint i = 0; all && i < all->bandwidths->len; i++) {
        const NumaBandwidth *one = all->bandwidths->pdata[i];

        if (!check_between(def, one->initiator, one->target, one->cache, error))
            return FALSE;
    }
    return TRUE;
}

/* --- distances --- */

static gboolean check_sibling(const Domain *def, guint from, const NumaSibling *sibling, GError **error)
{
    if (sibling->value >= LOCAL && sibling->id >= n_nodes(def))
        return error_set(error, WRONG, "'sibling_id %u' does not refer to a valid cell within NUMA 'cell id %u'", sibling->id, from);
    return (sibling->value >= LOCAL && sibling->value <= FARTHEST && (sibling->id == from) == (sibling->value == LOCAL)) ||
           error_set(error, WRONG, "'value %u' is invalid for 'sibling id %u' under NUMA 'cell id %u'", sibling->value, sibling->id,
                     from);
}

/* TABLE has N times N distances, 0 where nothing is known. */
static gboolean read_distances(const Domain *def, guint8 *table, guint n, GError **error)
{
    for (guint i = 0; i < n; i++) {
        const NumaDistances *distances = node(def, i)->distances;

        if (distances && distances->siblings->len == 0)
            return error_set(error, WRONG, "NUMA distances defined without siblings");
        for (guint k = 0; distances && k < distances->siblings->len; k++) {
            const NumaSibling *sibling = distances->siblings->pdata[k];

            if (!check_sibling(def, i, sibling, error))
                return FALSE;
            table[i * n + sibling->id] = (guint8)sibling->value;
            if (table[sibling->id * n + i] == 0)
                table[sibling->id * n + i] = (guint8)sibling->value;
            table[i * n + i] = table[sibling->id * n + sibling->id] = LOCAL;
        }
    }
    return TRUE;
}

static void write_distances(const Domain *def, const guint8 *table, guint n)
{
    for (guint i = 0; i < n; i++) {
        NumaCell *cell = node(def, i);

        g_clear_pointer(&cell->distances, numa_distances_free);
        for (guint k = 0; k < n; k++) {
            NumaSibling *sibling;

            if (table[i * n + k] == 0)
                continue;
            if (!cell->distances)
                cell->distances = numa_distances_new();
            sibling = numa_sibling_new();
            sibling->id = k;
            sibling->value = table[i * n + k];
            g_ptr_array_add(cell->distances->siblings, sibling);
        }
    }
}

gboolean domain_normalize_nodes(Domain *def, GError **error)
{
    guint n = n_nodes(def);
    gboolean any = FALSE;

    for (guint i = 0; i < n; i++) {
        if (!check_caches(node(def, i), error))
            return FALSE;
        any |= node(def, i)->distances != NULL;
    }
    if (n > 0 && !check_interconnects(def, error))
        return FALSE;
    if (!any)
        return TRUE;
    if (n > NODES_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "distances between more than %d NUMA nodes", NODES_MAX);
    g_autofree guint8 *table = g_new0(guint8, n * n);
    if (!read_distances(def, table, n, error))
        return FALSE;
    write_distances(def, table, n);
    return TRUE;
}

/* --- huge pages --- */

/* Nodes of PAGE are nodes of the guest, and none of those that TAKEN has. */
static gboolean check_nodeset(const Domain *def, const HugePage *page, const HugePage *other, GError **error)
{
    g_autoptr(CpuSet) nodes = cpuset_parse(page->nodeset, error);
    g_autoptr(CpuSet) taken = nodes && other && other->nodeset ? cpuset_parse(other->nodeset, error) : NULL;

    if (!nodes || (other && other->nodeset && !taken))
        return FALSE;
    for (int id = cpuset_next(nodes, -1); id >= 0; id = cpuset_next(nodes, id)) {
        if (taken && cpuset_has(taken, (guint)id))
            return error_set(error, DETAIL, "nodeset attribute of hugepages of sizes %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT
                             " intersect", page->size, other->size);
        if (!other && id >= (int)MAX(n_nodes(def), 1))
            return error_set(error, DETAIL, "hugepages: node %d not found", id);
    }
    return TRUE;
}

static gboolean check_pair(const Domain *def, const HugePage *page, const HugePage *other, GError **error)
{
    if (page->nodeset)
        return check_nodeset(def, page, other, error);
    return other->nodeset != NULL || error_set(error, DETAIL, "two master hugepages detected: %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT,
                                               page->size, other->size);
}

/* Node 0 of a guest without nodes is all of it. */
static void forget_node(HugePage *page)
{
    g_autoptr(CpuSet) nodes = page->nodeset ? cpuset_parse(page->nodeset, NULL) : NULL;

    if (nodes && cpuset_next(nodes, 0) < 0)
        g_clear_pointer(&page->nodeset, g_free);
}

gboolean domain_normalize_pages(Domain *def, GError **error)
{
    const Hugepages *huge = def->memory_backing ? def->memory_backing->hugepages : NULL;

    for (guint i = 0; huge && n_nodes(def) == 0 && i < huge->pages->len; i++)
        forget_node(huge->pages->pdata[i]);
    for (guint i = 0; huge && i < huge->pages->len; i++) {
        HugePage *page = huge->pages->pdata[i];

        if (page->size == UNSET64 || page->size == 0)
            return error_set(error, DETAIL, "hugepage size can't be zero");
        for (guint k = 0; k < i; k++)
            if (!check_pair(def, page, huge->pages->pdata[k], error))
                return FALSE;
        if (page->nodeset && !check_nodeset(def, page, NULL, error))
            return FALSE;
    }
    return TRUE;
}
