/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers: figures of one domain. An old figure would mislead here: where the guest does not answer within
 * SINGLE_BUDGET, the call fails with VIR_ERR_OPERATION_TIMEOUT.
 */
#include <string.h>

#include "daemon/core/image-size.h"
#include "daemon/core/sampler.h"
#include "daemon/core/wire-params.h"
#include "daemon/rpc/call.h"
#include "lib/error.h"
#include "lib/model/domain-disk.h"

#define SINGLE_BUDGET G_USEC_PER_SEC
#define IMAGE_BUDGET (5 * G_USEC_PER_SEC)

/* Parameter FIELD, a printf format; NULL if PARAMS has none. */
G_GNUC_PRINTF(2, 3) static const Param *find(const Params *params, const char *field, ...)
{
    va_list args;
    va_start(args, field);
    g_autofree char *name = g_strdup_vprintf(field, args);
    va_end(args);
    return params_find(params, name);
}

/* GROUP of the running domain CALL is about, all of it of now. To free. */
static Params *measure(Call *call, guint group, GError **error)
{
    g_autoptr(Params) params = params_new();
    if (!vm_check_active(call->vm, error) || !sampler_measure(call->vm, group, SINGLE_BUDGET, params, error))
        return NULL;
    return g_steal_pointer(&params);
}

gboolean remote_domain_memory_stats(Call *call, const RemoteDomainMemoryStatsArgs *args,
                                    RemoteDomainMemoryStatsRet *ret, GError **error)
{
    if (args->max_stats > REMOTE_DOMAIN_MEMORY_STATS_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "maxStats > %d", REMOTE_DOMAIN_MEMORY_STATS_MAX);
    g_autoptr(Params) params = measure(call, SAMPLER_MEMORY, error);
    if (!params)
        return FALSE;
    ret->n_stats = MIN(params_length(params), args->max_stats);
    ret->stats = ret->n_stats ? g_new0(RemoteDomainMemoryStat, ret->n_stats) : NULL;
    for (guint i = 0; i < ret->n_stats; i++) {
        const Param *param = params_at(params, i);
        ret->stats[i].tag = g_ascii_strtoull(param->field, NULL, 10);
        ret->stats[i].val = param->value.ul;
    }
    return TRUE;
}

/* The place N of the "PREFIX.N." fields whose name (or, for disks, path) is NAME; -1 if there is none. */
static int place_of(const Params *params, const char *prefix, const char *name)
{
    const Param *count = find(params, "%s.count", prefix);
    for (guint i = 0; count && i < count->value.ui; i++) {
        const Param *own_name = find(params, "%s.%u.name", prefix, i);
        const Param *path = find(params, "%s.%u.path", prefix, i);
        if ((own_name && strcmp(own_name->value.s, name) == 0) || (path && strcmp(path->value.s, name) == 0))
            return i;
    }
    return -1;
}

static const struct {
    const char *sample, *parameter; /* the part behind "block.N."; the name in virDomainBlockStatsFlags */
} block_fields[] = {
    {"wr.bytes", VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES},
    {"wr.reqs", VIR_DOMAIN_BLOCK_STATS_WRITE_REQ},
    {"rd.bytes", VIR_DOMAIN_BLOCK_STATS_READ_BYTES},
    {"rd.reqs", VIR_DOMAIN_BLOCK_STATS_READ_REQ},
    {"fl.reqs", VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ},
    {"wr.times", VIR_DOMAIN_BLOCK_STATS_WRITE_TOTAL_TIMES},
    {"rd.times", VIR_DOMAIN_BLOCK_STATS_READ_TOTAL_TIMES},
    {"fl.times", VIR_DOMAIN_BLOCK_STATS_FLUSH_TOTAL_TIMES},
};
#define BLOCK_FIELDS G_N_ELEMENTS(block_fields)

static gint64 block_sum(const Params *params, guint first, guint last, const char *field)
{
    gint64 sum = 0;
    for (guint i = first; i <= last; i++) {
        const Param *param = find(params, "block.%u.%s", i, field);
        if (param)
            sum += param->value.ul;
    }
    return sum;
}

/* The figures of the disk PATH, or, if it is "", the sums over all disks; in the order of block_fields. */
static gboolean block_figures(Call *call, const char *path, gint64 figures[BLOCK_FIELDS], GError **error)
{
    if (!vm_check_active(call->vm, error))
        return FALSE;
    g_autoptr(VmView) view = vm_view(call->vm);
    if (*path && !domain_disk_find(vm_view_def(view), path))
        return error_set(error, call->instance->from, VIR_ERR_INVALID_ARG, "invalid path: %s", path);
    g_autoptr(Params) params = measure(call, VIR_DOMAIN_STATS_BLOCK, error);
    if (!params)
        return FALSE;
    const Param *count = find(params, "block.count");
    guint last = count && count->value.ui ? count->value.ui - 1 : 0;
    int place = *path ? place_of(params, "block", path) : 0;
    if (place < 0)
        return error_set(error, call->instance->from, VIR_ERR_INTERNAL_ERROR, "cannot find statistics for device '%s'",
                         path);
    for (gsize i = 0; i < BLOCK_FIELDS; i++)
        figures[i] = block_sum(params, place, *path ? (guint)place : last, block_fields[i].sample);
    return TRUE;
}

gboolean remote_domain_block_stats(Call *call, const RemoteDomainBlockStatsArgs *args, RemoteDomainBlockStatsRet *ret,
                                   GError **error)
{
    gint64 figures[BLOCK_FIELDS];
    if (!block_figures(call, args->path, figures, error))
        return FALSE;
    ret->wr_bytes = figures[0];
    ret->wr_req = figures[1];
    ret->rd_bytes = figures[2];
    ret->rd_req = figures[3];
    ret->errs = -1; /* the hypervisor does not count them */
    return TRUE;
}

gboolean remote_domain_block_stats_flags(Call *call, const RemoteDomainBlockStatsFlagsArgs *args,
                                         RemoteDomainBlockStatsFlagsRet *ret, GError **error)
{
    gint64 figures[BLOCK_FIELDS];
    if (!block_figures(call, args->path, figures, error))
        return FALSE;
    ret->nparams = BLOCK_FIELDS;
    if (args->nparams == 0)
        return TRUE;
    g_autoptr(Params) params = params_new();
    for (gsize i = 0; i < BLOCK_FIELDS && i < (guint)MAX(args->nparams, 0); i++)
        params_llong(params, figures[i], "%s", block_fields[i].parameter);
    ret->params = wire_params(params, &ret->n_params);
    ret->nparams = ret->n_params;
    return TRUE;
}

/* The host's device of the interface that NAME (a device or a MAC address) means. Borrowed from DEF. */
static const char *interface_device(Call *call, const Domain *def, const char *name, GError **error)
{
    const GPtrArray *interfaces = def->devices->interfaces;
    for (guint i = 0; i < interfaces->len; i++) {
        const Interface *interface = interfaces->pdata[i];
        const char *device = interface->target ? interface->target->dev : NULL;
        gboolean by_mac = interface->mac && interface->mac->address &&
                          g_ascii_strcasecmp(interface->mac->address, name) == 0;
        if (by_mac && !device) {
            error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "Interface name not provided");
            return NULL;
        }
        if (by_mac || g_strcmp0(device, name) == 0)
            return device;
    }
    error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "'%s' is not a known interface", name);
    return NULL;
}

static gint64 net_figure(const Params *params, int place, const char *field)
{
    const Param *param = find(params, "net.%d.%s", place, field);
    return param ? (gint64)param->value.ul : -1;
}

gboolean remote_domain_interface_stats(Call *call, const RemoteDomainInterfaceStatsArgs *args,
                                       RemoteDomainInterfaceStatsRet *ret, GError **error)
{
    if (!vm_check_active(call->vm, error))
        return FALSE;
    g_autoptr(VmView) view = vm_view(call->vm);
    const char *device = interface_device(call, vm_view_def(view), args->device, error);
    if (!device)
        return FALSE;
    g_autoptr(Params) params = measure(call, VIR_DOMAIN_STATS_INTERFACE, error);
    if (!params)
        return FALSE;
    int place = place_of(params, "net", device);
    if (place < 0)
        return error_set(error, call->instance->from, VIR_ERR_INTERNAL_ERROR, "interface '%s' counts nothing", device);
    ret->rx_bytes = net_figure(params, place, "rx.bytes");
    ret->rx_packets = net_figure(params, place, "rx.pkts");
    ret->rx_errs = net_figure(params, place, "rx.errs");
    ret->rx_drop = net_figure(params, place, "rx.drop");
    ret->tx_bytes = net_figure(params, place, "tx.bytes");
    ret->tx_packets = net_figure(params, place, "tx.pkts");
    ret->tx_errs = net_figure(params, place, "tx.errs");
    ret->tx_drop = net_figure(params, place, "tx.drop");
    return TRUE;
}

/* How far a guest has written into a device is known to the hypervisor alone. */
static gboolean running_block_info(Call *call, const char *path, RemoteDomainGetBlockInfoRet *ret, GError **error)
{
    g_autoptr(Params) params = measure(call, VIR_DOMAIN_STATS_BLOCK, error);
    if (!params)
        return FALSE;
    int place = place_of(params, "block", path);
    const Param *allocation = find(params, "block.%d.allocation", place);
    const Param *capacity = find(params, "block.%d.capacity", place);
    const Param *physical = find(params, "block.%d.physical", place);
    if (place < 0 || !capacity)
        return error_set(error, call->instance->from, VIR_ERR_INTERNAL_ERROR, "no sizes of disk '%s' are known", path);
    ret->capacity = capacity->value.ul;
    ret->physical = physical ? physical->value.ul : 0;
    ret->allocation = allocation && allocation->value.ul ? allocation->value.ul : ret->physical;
    return TRUE;
}

static gboolean image_block_info(Call *call, ImageSize *image, RemoteDomainGetBlockInfoRet *ret, GError **error)
{
    if (!image_sizes(image, 1, g_get_monotonic_time() + IMAGE_BUDGET, error))
        return FALSE;
    if (!image->found)
        return error_set_errno(error, call->instance->from, image->errnum, "Failed to open file '%s'", image->path);
    ret->capacity = image->capacity;
    ret->allocation = image->allocation;
    ret->physical = image->physical;
    return TRUE;
}

gboolean remote_domain_get_block_info(Call *call, const RemoteDomainGetBlockInfoArgs *args,
                                      RemoteDomainGetBlockInfoRet *ret, GError **error)
{
    if (!vm_check_present(call->vm, error))
        return FALSE;
    g_autoptr(VmView) view = vm_view(call->vm);
    const Domain *def = vm_view_def(view);
    const Disk *disk = domain_disk_find(def, args->path);
    if (!disk)
        return error_set(error, call->instance->from, VIR_ERR_INVALID_ARG, "invalid path %s not assigned to domain",
                         args->path);
    ImageSize image = image_size_of(disk);
    if (!disk->source)
        return error_set(error, call->instance->from, VIR_ERR_INVALID_ARG,
                         "disk '%s' does not currently have a source assigned", args->path);
    if (disk->source->fdgroup)
        return error_set(error, call->instance->from, VIR_ERR_OPERATION_UNSUPPORTED,
                         "block info is not supported for FD passed disk image");
    if (view->id >= 0 && disk->type != STORAGE_TYPE_FILE)
        return running_block_info(call, args->path, ret, error);
    if (disk->type == STORAGE_TYPE_DIR)
        return error_set_errno(error, VIR_FROM_STORAGE, EISDIR, "cannot read header '%s'", disk_path(disk));
    if (!image.path)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "missing storage backend for %s files using %s protocol",
                         storage_type_to_string(disk->type), storage_protocol_to_string(disk->source->protocol));
    return image_block_info(call, &image, ret, error);
}

#define CPU_PARAMETERS 3

/* In all only: the kernel's unified cgroups do not count by host CPU (libvirtd says the same there). */
gboolean remote_domain_get_cpu_stats(Call *call, const RemoteDomainGetCpuStatsArgs *args,
                                     RemoteDomainGetCpuStatsRet *ret, GError **error)
{
    static const char *const fields[CPU_PARAMETERS][2] = {
        {"cpu.time", VIR_DOMAIN_CPU_STATS_CPUTIME},
        {"cpu.user", VIR_DOMAIN_CPU_STATS_USERTIME},
        {"cpu.system", VIR_DOMAIN_CPU_STATS_SYSTEMTIME},
    };
    if (!vm_check_active(call->vm, error))
        return FALSE;
    if (args->start_cpu != -1)
        return error_set(error, call->instance->from, VIR_ERR_OPERATION_UNSUPPORTED,
                         "CPU time by host CPU is not counted");
    ret->nparams = CPU_PARAMETERS;
    if (args->nparams == 0)
        return TRUE;
    g_autoptr(Params) sample = measure(call, VIR_DOMAIN_STATS_CPU_TOTAL, error);
    if (!sample)
        return FALSE;
    g_autoptr(Params) params = params_new();
    for (gsize i = 0; i < CPU_PARAMETERS && i < args->nparams; i++) {
        const Param *param = params_find(sample, fields[i][0]);
        if (param)
            params_ullong(params, param->value.ul, "%s", fields[i][1]);
    }
    ret->params = wire_params(params, &ret->n_params);
    ret->nparams = ret->n_params;
    return TRUE;
}
