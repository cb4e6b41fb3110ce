/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shares of caches and of memory bandwidth (resctrl): groups of virtual CPUs are the same or have none in common. */
#include "lib/cpuset.h"
#include "lib/error.h"
#include "lib/model/domain-cpus.h"

#define RESCTRL VIR_FROM_RESCTRL, VIR_ERR_XML_ERROR
#define WRONG VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR
#define CONFLICT VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG
#define MONITORED_LEVEL 3
#define BANDWIDTH_MAX 100 /* percent */

typedef enum { APART, SAME, OVERLAPPING } Relation;

static Relation relate(const char *one_text, const char *two_text)
{
    g_autoptr(CpuSet) one = cpuset_parse(one_text, NULL), two = cpuset_parse(two_text, NULL);
    guint common = 0;

    if (!one || !two)
        return APART;
    for (int cpu = cpuset_next(one, -1); cpu >= 0; cpu = cpuset_next(one, cpu))
        common += cpuset_has(two, (guint)cpu);
    if (common == 0)
        return APART;
    return common == cpuset_count(one) && common == cpuset_count(two) ? SAME : OVERLAPPING;
}

/* ONE has each of TWO. */
static gboolean includes(const char *one_text, const char *two_text)
{
    g_autoptr(CpuSet) one = cpuset_parse(one_text, NULL), two = cpuset_parse(two_text, NULL);

    for (int cpu = one && two ? cpuset_next(two, -1) : -1; cpu >= 0; cpu = cpuset_next(two, cpu))
        if (!cpuset_has(one, (guint)cpu))
            return FALSE;
    return TRUE;
}

/* Those of a group that the domain has. To free. */
static char *existing(const Domain *def, const char *text)
{
    g_autoptr(CpuSet) all = cpuset_parse(text, NULL);
    guint n = domain_max_vcpus(def);

    for (int cpu = all ? cpuset_last(all) : -1; cpu >= 0 && (guint)cpu >= n; cpu = cpuset_last(all))
        cpuset_remove(all, (guint)cpu);
    return all ? cpuset_format(all) : g_strdup("");
}

static gboolean check_caches(const Cachetune *tune, GError **error)
{
    for (guint i = 1; i < tune->caches->len; i++)
        for (guint k = 0; k < i; k++) {
            const CachetuneCache *old = g_ptr_array_index(tune->caches, k), *cache = g_ptr_array_index(tune->caches, i);
            gboolean both = old->type == CACHE_TYPE_BOTH || cache->type == CACHE_TYPE_BOTH;

            if (old->level == cache->level && old->id == cache->id && (both || old->type == cache->type))
                return error_set(error, RESCTRL, "Colliding cache allocations for cache level '%u' id '%u', type '%s'",
                                 cache->level, cache->id, cache_type_to_string(cache->type));
        }
    return TRUE;
}

static gboolean check_monitor(const char *vcpus, const char *group, GError **error)
{
    return includes(group, vcpus) || error_set(error, CONFLICT, "Monitor vcpus conflicts with allocation");
}

static gboolean check_monitors(const Cachetune *tune, GError **error)
{
    for (guint i = 0; i < tune->monitors->len; i++) {
        const CachetuneMonitor *monitor = g_ptr_array_index(tune->monitors, i);

        if (monitor->level != MONITORED_LEVEL)
            return error_set(error, WRONG, "Invalid monitor cache level '%u'", monitor->level);
        if (!check_monitor(monitor->vcpus, tune->vcpus, error))
            return FALSE;
        for (guint k = 0; k < i; k++) {
            const CachetuneMonitor *old = g_ptr_array_index(tune->monitors, k);
            Relation relation = relate(old->vcpus, monitor->vcpus);
            gboolean whole = relate(old->vcpus, tune->vcpus) == SAME || relate(monitor->vcpus, tune->vcpus) == SAME;

            if (relation == SAME)
                return error_set(error, CONFLICT, "Identical vcpus found in same type monitors");
            if (relation == OVERLAPPING && !whole)
                return error_set(error, CONFLICT, "vcpus overlaps in resctrl groups");
        }
    }
    return TRUE;
}

static gboolean check_nodes(const Memorytune *tune, GError **error)
{
    for (guint i = 0; i < tune->nodes->len; i++) {
        const MemorytuneNode *node = g_ptr_array_index(tune->nodes, i);

        for (guint k = 0; k < i; k++)
            if (((const MemorytuneNode *)g_ptr_array_index(tune->nodes, k))->id == node->id)
                return error_set(error, RESCTRL, "Memory Bandwidth already defined for node %u", node->id);
        if (node->bandwidth > BANDWIDTH_MAX)
            return error_set(error, RESCTRL, "Memory Bandwidth value exceeding %d is invalid.", BANDWIDTH_MAX);
    }
    return TRUE;
}

/* GROUPS are those of the elements before; VCPUS joins them. */
static gboolean check_group(GPtrArray *groups, const char *vcpus, gboolean may_be_same, GError **error)
{
    for (guint i = 0; i < groups->len; i++) {
        Relation relation = relate(g_ptr_array_index(groups, i), vcpus);

        if (relation == OVERLAPPING)
            return error_set(error, WRONG, "Overlapping vcpus in resctrls");
        if (relation == SAME && !may_be_same)
            return error_set(error, WRONG, "Identical vcpus in cachetunes found");
    }
    g_ptr_array_add(groups, (gpointer)vcpus);
    return TRUE;
}

static void take_vcpus(const Domain *def, char **vcpus)
{
    char *text = existing(def, *vcpus);

    g_free(*vcpus);
    *vcpus = text;
}

static gboolean normalize_cachetunes(const Domain *def, GPtrArray *tunes, GPtrArray *groups, GError **error)
{
    for (guint i = 0; i < tunes->len;) {
        Cachetune *tune = g_ptr_array_index(tunes, i);

        take_vcpus(def, &tune->vcpus);
        if (!*tune->vcpus || (tune->caches->len == 0 && tune->monitors->len == 0)) {
            g_ptr_array_remove_index(tunes, i);
            continue;
        }
        if (!check_group(groups, tune->vcpus, FALSE, error) || !check_caches(tune, error) || !check_monitors(tune, error))
            return FALSE;
        i++;
    }
    return TRUE;
}

static gboolean normalize_memorytunes(const Domain *def, GPtrArray *tunes, GPtrArray *groups, GError **error)
{
    for (guint i = 0; i < tunes->len;) {
        Memorytune *tune = g_ptr_array_index(tunes, i);

        take_vcpus(def, &tune->vcpus);
        if (!*tune->vcpus || (tune->nodes->len == 0 && tune->monitors->len == 0)) {
            g_ptr_array_remove_index(tunes, i);
            continue;
        }
        if (!check_group(groups, tune->vcpus, TRUE, error) || !check_nodes(tune, error))
            return FALSE;
        for (guint k = 0; k < tune->monitors->len; k++)
            if (!check_monitor(((const MemorytuneMonitor *)g_ptr_array_index(tune->monitors, k))->vcpus, tune->vcpus, error))
                return FALSE;
        i++;
    }
    return TRUE;
}

gboolean domain_normalize_resctrl(Domain *def, GError **error)
{
    g_autoptr(GPtrArray) groups = g_ptr_array_new();

    return !def->cputune || (normalize_cachetunes(def, def->cputune->cachetunes, groups, error) &&
                             normalize_memorytunes(def, def->cputune->memorytunes, groups, error));
}
