/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers about the host. */
#include <string.h>
#include <sys/utsname.h>

#include "daemon/core/host-cpu.h"
#include "daemon/core/host-memory.h"
#include "daemon/core/host-pool.h"
#include "daemon/core/host-sleep.h"
#include "daemon/core/host-sysinfo.h"
#include "daemon/core/host-topology.h"
#include "daemon/core/hostname.h"
#include "daemon/core/wire-params.h"
#include "daemon/rpc/call.h"
#include "lib/error.h"

#define ROOT "" /* the real host */
#define CPU_FIGURES 4
#define KIB 1024

static gboolean invalid(GError **error, const char *what, int value)
{
    return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "%s %d", what, value);
}

gboolean remote_connect_get_hostname(Call *call, RemoteConnectGetHostnameRet *ret, GError **error)
{
    ret->hostname = hostname_get(error);
    return ret->hostname != NULL;
}

gboolean remote_connect_get_sysinfo(Call *call, const RemoteConnectGetSysinfoArgs *args,
                                    RemoteConnectGetSysinfoRet *ret, GError **error)
{
    ret->sysinfo = host_sysinfo(ROOT, error);
    return ret->sysinfo != NULL;
}

static gboolean whole_memory(guint64 *ret_total, guint64 *ret_free, GError **error)
{
    if (!host_memory(ROOT, HOST_ALL_CELLS, ret_total, ret_free))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "the kernel does not tell the host's memory");
    return TRUE;
}

static gboolean kernel_node(DriverNode *ret_node, GError **error)
{
    HostTopology topology;
    DriverNode node = {0};
    if (!whole_memory(&node.memory, &node.free, error))
        return FALSE;
    host_topology(ROOT, &topology);
    if (topology.cpus == 0)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "no CPUs found");
    node.cpus = topology.cpus;
    node.mhz = host_cpu_mhz(ROOT);
    node.nodes = topology.nodes;
    node.sockets = topology.sockets;
    node.cores = topology.cores;
    node.threads = topology.threads;
    *ret_node = node;
    return TRUE;
}

/* A kernel below a hypervisor sees its own share of the host only. */
static gboolean whole_node(const Call *call, DriverNode *ret_node, GError **error)
{
    const DriverNodeOps *ops = call->instance->driver->node;
    return ops && ops->info ? ops->info(call->instance->self, ret_node, error) : kernel_node(ret_node, error);
}

gboolean remote_node_get_info(Call *call, RemoteNodeGetInfoRet *ret, GError **error)
{
    struct utsname names;
    DriverNode node;
    if (!whole_node(call, &node, error))
        return FALSE;
    if (uname(&names) == 0)
        g_strlcpy(ret->model, names.machine, sizeof(ret->model));
    ret->memory = node.memory;
    ret->cpus = node.cpus;
    ret->mhz = node.mhz;
    ret->nodes = node.nodes;
    ret->sockets = node.sockets;
    ret->cores = node.cores;
    ret->threads = node.threads;
    return TRUE;
}

gboolean remote_node_get_free_memory(Call *call, RemoteNodeGetFreeMemoryRet *ret, GError **error)
{
    DriverNode node;
    if (!whole_node(call, &node, error))
        return FALSE;
    ret->free_mem = node.free * KIB;
    return TRUE;
}

/* The last cell of COUNT ones from START on; an error if START is behind the host's last. */
static gboolean last_cell(int start, guint count, int *ret_last, GError **error)
{
    g_autoptr(GArray) cells = host_cells(ROOT);
    int last = g_array_index(cells, guint, cells->len - 1);
    if (start < HOST_ALL_CELLS || start > last)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "start cell %d out of range (0-%d)", start,
                         last);
    *ret_last = MIN((gint64)last, (gint64)start + count - 1);
    return TRUE;
}

gboolean remote_node_get_cells_free_memory(Call *call, const RemoteNodeGetCellsFreeMemoryArgs *args,
                                           RemoteNodeGetCellsFreeMemoryRet *ret, GError **error)
{
    int last = 0;
    if (args->start_cell < 0)
        return invalid(error, "start cell", args->start_cell);
    if (args->maxcells <= 0 || args->maxcells > REMOTE_NODE_MAX_CELLS)
        return invalid(error, "number of cells", args->maxcells);
    if (!last_cell(args->start_cell, args->maxcells, &last, error))
        return FALSE;
    ret->n_cells = last - args->start_cell + 1;
    ret->cells = g_new0(guint64, ret->n_cells);
    for (guint i = 0; i < ret->n_cells; i++) {
        guint64 total, available;
        if (host_memory(ROOT, args->start_cell + i, &total, &available)) /* 0 for a number without a cell */
            ret->cells[i] = available * KIB;
    }
    return TRUE;
}

static gboolean free_pages(int cell, guint size, guint64 *ret_free, GError **error)
{
    g_autoptr(GArray) pages = host_pages(ROOT, cell);
    for (guint i = 0; i < pages->len; i++) {
        const HostPages *one = &g_array_index(pages, HostPages, i);
        if (one->size == size) {
            *ret_free = one->free;
            return TRUE;
        }
    }
    return error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "page size %u is not available on node %d", size,
                     cell);
}

/* Cell after cell, in each the sizes in the order asked for. */
gboolean remote_node_get_free_pages(Call *call, const RemoteNodeGetFreePagesArgs *args, RemoteNodeGetFreePagesRet *ret,
                                    GError **error)
{
    int last = 0;
    if (args->n_pages == 0 || args->cell_count == 0 || args->cell_count > REMOTE_NODE_MAX_CELLS / args->n_pages)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "too many cells and page sizes, or none");
    if (!last_cell(args->start_cell, args->cell_count, &last, error))
        return FALSE;
    g_autofree guint64 *counts = g_new0(guint64, args->n_pages * args->cell_count);
    guint n = 0;
    for (int cell = args->start_cell; cell <= last; cell++) {
        for (guint i = 0; i < args->n_pages; i++) {
            if (!free_pages(cell, args->pages[i], &counts[n++], error))
                return FALSE;
        }
    }
    ret->n_counts = n;
    ret->counts = g_steal_pointer(&counts);
    return TRUE;
}

/* Cell after cell, in each the sizes in the order given. */
gboolean remote_node_alloc_pages(Call *call, const RemoteNodeAllocPagesArgs *args, RemoteNodeAllocPagesRet *ret, GError **error)
{
    gboolean add = !(args->flags & VIR_NODE_ALLOC_PAGES_SET);
    int last = 0;

    if (args->n_page_sizes != args->n_page_counts || args->n_page_sizes == 0 || args->cell_count == 0 ||
        args->cell_count > REMOTE_NODE_MAX_CELLS / args->n_page_sizes)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "too many cells and page sizes, or none");
    if (!last_cell(MAX(args->start_cell, HOST_ALL_CELLS), args->cell_count, &last, error))
        return FALSE;
    for (int cell = args->start_cell; cell <= last; cell++) {
        for (guint i = 0; i < args->n_page_sizes; i++, ret->ret++) {
            if (!host_pool_set(ROOT, cell, args->page_sizes[i], args->page_counts[i], add, error))
                return FALSE;
        }
    }
    return TRUE;
}

/* Old calls are made twice: with 0 for the number of figures, then with that number. */
static gboolean wrong_number(GError **error, int given, int right)
{
    return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "nparams must be equal to %d, not %d", right, given);
}

gboolean remote_node_get_cpu_stats(Call *call, const RemoteNodeGetCpuStatsArgs *args, RemoteNodeGetCpuStatsRet *ret,
                                   GError **error)
{
    HostCpuTimes times;
    if (args->cpu_num < VIR_NODE_CPU_STATS_ALL_CPUS || !host_cpu_times(ROOT, args->cpu_num, &times))
        return invalid(error, "Invalid cpuNum", args->cpu_num);
    ret->nparams = CPU_FIGURES;
    if (args->nparams == 0)
        return TRUE;
    if (args->nparams != CPU_FIGURES)
        return wrong_number(error, args->nparams, CPU_FIGURES);
    const RemoteNodeGetCpuStats rows[CPU_FIGURES] = {
        {(char *)VIR_NODE_CPU_STATS_KERNEL, times.kernel},
        {(char *)VIR_NODE_CPU_STATS_USER, times.user},
        {(char *)VIR_NODE_CPU_STATS_IDLE, times.idle},
        {(char *)VIR_NODE_CPU_STATS_IOWAIT, times.iowait},
    };
    ret->n_params = CPU_FIGURES;
    ret->params = g_memdup2(rows, sizeof(rows));
    for (guint i = 0; i < CPU_FIGURES; i++)
        ret->params[i].field = g_strdup(rows[i].field);
    return TRUE;
}

gboolean remote_node_get_memory_stats(Call *call, const RemoteNodeGetMemoryStatsArgs *args,
                                      RemoteNodeGetMemoryStatsRet *ret, GError **error)
{
    HostFigure figures[HOST_MEMORY_FIGURES];
    int n = args->cell_num < HOST_ALL_CELLS ? 0 : host_memory_figures(ROOT, args->cell_num, figures);
    if (n == 0)
        return invalid(error, "Invalid cellNum", args->cell_num);
    ret->nparams = n;
    if (args->nparams == 0)
        return TRUE;
    if (args->nparams != n)
        return wrong_number(error, args->nparams, n);
    ret->n_params = n;
    ret->params = g_new0(RemoteNodeGetMemoryStats, n);
    for (int i = 0; i < n; i++)
        ret->params[i] = (RemoteNodeGetMemoryStats){g_strdup(figures[i].field), figures[i].value};
    return TRUE;
}

gboolean remote_node_get_memory_parameters(Call *call, const RemoteNodeGetMemoryParametersArgs *args,
                                           RemoteNodeGetMemoryParametersRet *ret, GError **error)
{
    g_autoptr(Params) params = host_sharing(ROOT);
    ret->nparams = HOST_SHARING_MAX;
    if (args->nparams == 0)
        return TRUE;
    if (args->nparams < (int)params_length(params))
        return wrong_number(error, args->nparams, HOST_SHARING_MAX);
    ret->params = wire_params(params, &ret->n_params);
    ret->nparams = ret->n_params;
    return TRUE;
}

gboolean remote_node_set_memory_parameters(Call *call, const RemoteNodeSetMemoryParametersArgs *args, GError **error)
{
    g_autoptr(Params) params = wire_params_read(args->params, args->n_params);
    return host_set_sharing(ROOT, params, error);
}

gboolean remote_node_suspend_for_duration(Call *call, const RemoteNodeSuspendForDurationArgs *args, GError **error)
{
    return host_sleep(args->target, args->duration, error);
}

gboolean remote_node_get_cpu_map(Call *call, const RemoteNodeGetCpuMapArgs *args, RemoteNodeGetCpuMapRet *ret,
                                 GError **error)
{
    guint present;
    g_autoptr(CpuSet) online = host_online_cpus(ROOT, &present);
    if (!online)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "the kernel does not tell the host's CPUs");
    if (args->need_map) {
        ret->n_cpumap = (present + 7) / 8;
        ret->cpumap = g_malloc0(ret->n_cpumap);
        cpuset_to_map(online, ret->cpumap, ret->n_cpumap);
    }
    if (args->need_online)
        ret->online = cpuset_count(online);
    ret->ret = present;
    return TRUE;
}
