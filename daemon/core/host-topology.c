/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/host-topology.h"

#include <string.h>

#include "daemon/core/host-memory.h"
#include "lib/sysfs.h"

#define CPUS "/sys/devices/system/cpu"
#define NODES "/sys/devices/system/node"
#define CACHE_LEVEL_MIN 3

static void cpu_clear(gpointer data)
{
    HostCpu *cpu = data;
    cpuset_free(cpu->siblings);
}

/* Missing, or negative where an architecture has no such thing, is 0. */
static guint topology_number(const char *root, guint cpu, const char *file)
{
    gint64 number;
    if (!sysfs_number(&number, root, CPUS "/cpu%u/topology/%s", cpu, file) || number < 0 || number > G_MAXINT)
        return 0;
    return number;
}

static CpuSet *siblings_of(const char *root, guint cpu)
{
    CpuSet *siblings = sysfs_cpuset(root, CPUS "/cpu%u/topology/thread_siblings_list", cpu);
    if (!siblings) {
        siblings = cpuset_new();
        cpuset_add(siblings, cpu);
    }
    return siblings;
}

GArray *host_cell_cpus(const char *root, guint cell)
{
    GArray *cpus = g_array_new(FALSE, TRUE, sizeof(HostCpu));
    g_array_set_clear_func(cpus, cpu_clear);
    g_autoptr(CpuSet) members = sysfs_cpuset(root, NODES "/node%u/cpulist", cell);
    if (!members && cell == 0)
        members = sysfs_cpuset(root, CPUS "/online");
    for (int id = members ? cpuset_next(members, -1) : -1; id >= 0; id = cpuset_next(members, id)) {
        HostCpu cpu = {
            .id = id,
            .socket = topology_number(root, id, "physical_package_id"),
            .die = topology_number(root, id, "die_id"),
            .core = topology_number(root, id, "core_id"),
            .siblings = siblings_of(root, id),
        };
        g_array_append_val(cpus, cpu);
    }
    return cpus;
}

GArray *host_cell_distances(const char *root, guint cell)
{
    GArray *distances = g_array_new(FALSE, TRUE, sizeof(guint));
    g_autofree char *text = sysfs_text(root, NODES "/node%u/distance", cell);
    if (!text)
        return distances;
    /* The file lists the cells there are; the place in the result is the cell's number. */
    g_autoptr(GArray) cells = host_cells(root);
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
    guint next = 0;
    for (guint i = 0; words[i] && next < cells->len; i++) {
        if (*words[i] == '\0')
            continue;
        guint to = g_array_index(cells, guint, next++);
        g_array_set_size(distances, to + 1);
        g_array_index(distances, guint, to) = g_ascii_strtoull(words[i], NULL, 10);
    }
    return distances;
}

static void cache_clear(gpointer data)
{
    HostCache *cache = data;
    cpuset_free(cache->cpus);
}

static gint compare_caches(gconstpointer a, gconstpointer b)
{
    const HostCache *left = a, *right = b;
    if (left->level != right->level)
        return left->level < right->level ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

static gboolean has_cache(const GArray *caches, const HostCache *cache)
{
    for (guint i = 0; i < caches->len; i++) {
        const HostCache *other = &g_array_index(caches, HostCache, i);
        if (compare_caches(other, cache) == 0 && strcmp(other->type, cache->type) == 0)
            return TRUE;
    }
    return FALSE;
}

/* "32768K", "32M" or bytes, in KiB. */
static guint64 parse_size(const char *text)
{
    char *unit = NULL;
    guint64 size = g_ascii_strtoull(text, &unit, 10);
    switch (*unit) {
    case 'K':
        return size;
    case 'M':
        return size * 1024;
    default:
        return size / 1024;
    }
}

static const char *cache_type(const char *kernel_name)
{
    if (strcmp(kernel_name, "Unified") == 0)
        return "both";
    return strcmp(kernel_name, "Instruction") == 0 ? "code" : "data";
}

/* Adds the cache in folder CPU/cache/INDEX, unless another CPU that shares it has shown it before. */
static void add_cache(GArray *caches, const char *root, guint cpu, guint index)
{
    gint64 level, id;
    g_autofree char *folder = g_strdup_printf(CPUS "/cpu%u/cache/index%u", cpu, index);
    if (!sysfs_number(&level, root, "%s/level", folder) || level < CACHE_LEVEL_MIN ||
        !sysfs_number(&id, root, "%s/id", folder))
        return;
    g_autofree char *type = sysfs_text(root, "%s/type", folder);
    g_autofree char *size = sysfs_text(root, "%s/size", folder);
    g_autoptr(CpuSet) cpus = sysfs_cpuset(root, "%s/shared_cpu_list", folder);
    if (!type || !size || !cpus)
        return;
    HostCache cache = {.id = id, .level = level, .size = parse_size(size)};
    g_strlcpy(cache.type, cache_type(type), sizeof(cache.type));
    if (has_cache(caches, &cache))
        return;
    cache.cpus = g_steal_pointer(&cpus);
    g_array_append_val(caches, cache);
}

GArray *host_caches(const char *root)
{
    GArray *caches = g_array_new(FALSE, TRUE, sizeof(HostCache));
    g_array_set_clear_func(caches, cache_clear);
    g_autoptr(CpuSet) online = sysfs_cpuset(root, CPUS "/online");
    for (int cpu = online ? cpuset_next(online, -1) : -1; cpu >= 0; cpu = cpuset_next(online, cpu)) {
        g_autofree char *folder = g_strdup_printf(CPUS "/cpu%d/cache", cpu);
        g_autoptr(GArray) indexes = sysfs_numbered(root, folder, "index");
        for (guint i = 0; i < indexes->len; i++)
            add_cache(caches, root, cpu, g_array_index(indexes, guint, i));
    }
    g_array_sort(caches, compare_caches);
    return caches;
}

CpuSet *host_online_cpus(const char *root, guint *ret_present)
{
    g_autoptr(CpuSet) present = sysfs_cpuset(root, CPUS "/present");
    g_autoptr(CpuSet) online = sysfs_cpuset(root, CPUS "/online");
    if (!present || !online)
        return NULL;
    *ret_present = cpuset_last(present) + 1;
    return g_steal_pointer(&online);
}

static guint count_values(const GArray *cpus, int socket, guint (*value)(const HostCpu *cpu))
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < cpus->len; i++) {
        const HostCpu *cpu = &g_array_index(cpus, HostCpu, i);
        if (socket < 0 || cpu->socket == (guint)socket)
            g_hash_table_add(seen, GUINT_TO_POINTER(value(cpu)));
    }
    return g_hash_table_size(seen);
}

static guint socket_of(const HostCpu *cpu)
{
    return cpu->socket;
}

static guint core_of(const HostCpu *cpu)
{
    return cpu->core;
}

/* Adds the CPUs of one cell: sums of CPUs, greatest of the rest. */
static void count_cell(const GArray *cpus, HostTopology *topology)
{
    topology->cpus += cpus->len;
    topology->sockets = MAX(topology->sockets, count_values(cpus, -1, socket_of));
    for (guint i = 0; i < cpus->len; i++) {
        const HostCpu *cpu = &g_array_index(cpus, HostCpu, i);
        topology->cores = MAX(topology->cores, count_values(cpus, cpu->socket, core_of));
        topology->threads = MAX(topology->threads, cpuset_count(cpu->siblings));
    }
}

/* How many CPUs of CELL are switched off. The kernel shows them, if at all, as entries of the cell's folder. */
static guint count_offline(const char *root, guint cell, const CpuSet *present, const GArray *online)
{
    g_autofree char *folder = g_strdup_printf(NODES "/node%u", cell);
    g_autoptr(GArray) shown = sysfs_numbered(root, folder, "cpu");
    guint known = 0;
    for (guint i = 0; i < shown->len; i++)
        known += present && cpuset_has(present, g_array_index(shown, guint, i));
    return known > online->len ? known - online->len : 0;
}

void host_topology(const char *root, HostTopology *ret_topology)
{
    HostTopology topology = {0};
    guint offline = 0;
    g_autoptr(CpuSet) present = sysfs_cpuset(root, CPUS "/present");
    g_autoptr(GArray) cells = host_cells(root);
    for (guint i = 0; i < cells->len; i++) {
        guint cell = g_array_index(cells, guint, i);
        g_autoptr(GArray) cpus = host_cell_cpus(root, cell);
        count_cell(cpus, &topology);
        offline += count_offline(root, cell, present, cpus);
    }
    topology.nodes = cells->len;

    guint total = topology.cpus + offline;
    if (topology.nodes * topology.sockets * topology.cores * topology.threads != total) {
        topology.nodes = topology.sockets = topology.threads = 1;
        topology.cores = total;
    }
    *ret_topology = topology;
}
