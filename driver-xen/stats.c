/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/stats.h"

#include <string.h>

#include "driver-xen/guest.h"
#include "driver-xen/stats-block.h"
#include "driver-xen/xen.h"
#include "lib/error.h"
#include "lib/model/domain-stats.h"

typedef struct {
    Context *context;
    guint32 domid;
    const Domain *live;
} Sample;

static gboolean gone(GError **error)
{
    return error_set(error, VIR_FROM_LIBXL, VIR_ERR_OPERATION_INVALID, "domain is not running");
}

static gboolean get_info(const Sample *sample, libxl_dominfo *ret_info, GError **error)
{
    libxl_dominfo_init(ret_info);
    if (libxl_domain_info(sample->context->libxl, ret_info, sample->domid) == 0)
        return TRUE;
    libxl_dominfo_dispose(ret_info);
    return gone(error);
}

static gboolean sample_cpu(const Sample *sample, Params *params, GError **error)
{
    libxl_dominfo info;

    if (!get_info(sample, &info, error))
        return FALSE;
    params_ullong(params, info.cpu_time, "cpu.time");
    libxl_dominfo_dispose(&info);
    return TRUE;
}

static gboolean sample_balloon(const Sample *sample, Params *params, GError **error)
{
    libxl_dominfo info;

    if (!get_info(sample, &info, error))
        return FALSE;
    params_ullong(params, info.current_memkb, "balloon.current");
    params_ullong(params, sample->live->memory, "balloon.maximum");
    libxl_dominfo_dispose(&info);
    return TRUE;
}

static int state_of(const libxl_vcpuinfo *vcpu)
{
    return !vcpu->online ? VIR_VCPU_OFFLINE : vcpu->blocked ? VIR_VCPU_BLOCKED : VIR_VCPU_RUNNING;
}

static gboolean sample_vcpus(const Sample *sample, Params *params, GError **error)
{
    int n = 0, max = 0;
    guint online = 0;
    libxl_vcpuinfo *list = libxl_list_vcpu(sample->context->libxl, sample->domid, &n, &max);

    if (!list)
        return gone(error);
    for (int i = 0; i < n; i++)
        online += list[i].online;
    params_uint(params, online, "vcpu.current");
    params_uint(params, (guint)n, "vcpu.maximum");
    for (int i = 0; i < n; i++) {
        if (!list[i].online)
            continue;
        params_int(params, state_of(&list[i]), "vcpu.%u.state", list[i].vcpuid);
        params_ullong(params, list[i].vcpu_time, "vcpu.%u.time", list[i].vcpuid);
    }
    libxl_vcpuinfo_list_free(list, n);
    return TRUE;
}

static gboolean sample_interfaces(const Sample *sample, Params *params, GError **error)
{
    domain_sample_interfaces(sample->live, params);
    return TRUE;
}

static gboolean sample_blocks(const Sample *sample, Params *params, GError **error)
{
    stats_block(sample->context, sample->domid, sample->live, params);
    return TRUE;
}

static const struct {
    guint group;
    gboolean (*sample)(const Sample *sample, Params *params, GError **error);
} groups_known[] = {
    {VIR_DOMAIN_STATS_CPU_TOTAL, sample_cpu},
    {VIR_DOMAIN_STATS_BALLOON, sample_balloon},
    {VIR_DOMAIN_STATS_VCPU, sample_vcpus},
    {VIR_DOMAIN_STATS_INTERFACE, sample_interfaces},
    {VIR_DOMAIN_STATS_BLOCK, sample_blocks},
};

static gboolean stats_sample(gpointer self, Vm *vm, guint groups, guint64 budget, Params *params, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);
    g_autoptr(VmView) view = xen->host->view(vm);

    if (!guest)
        return FALSE;
    if (!view->live)
        return gone(error);
    const Sample sample = {context, guest->domid, view->live};
    for (gsize i = 0; i < G_N_ELEMENTS(groups_known); i++)
        if (groups & groups_known[i].group && !groups_known[i].sample(&sample, params, error))
            return FALSE;
    return TRUE;
}

static gboolean stats_memory(gpointer self, Vm *vm, guint64 budget, virDomainMemoryStatPtr stats, guint max, guint *ret_n, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);
    g_autoptr(VmView) view = xen->host->view(vm);
    libxl_dominfo info;

    if (!guest)
        return FALSE;
    const Sample sample = {context, guest->domid, view->live};
    if (!view->live || !get_info(&sample, &info, error))
        return view->live ? FALSE : gone(error);
    const virDomainMemoryStatStruct known[] = {
        {VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, info.current_memkb},
        {VIR_DOMAIN_MEMORY_STAT_AVAILABLE, view->live->memory},
    };
    libxl_dominfo_dispose(&info);
    *ret_n = MIN(max, G_N_ELEMENTS(known));
    memcpy(stats, known, *ret_n * sizeof *stats);
    return TRUE;
}

static void vcpu_clear(gpointer data)
{
    cpuset_free(((DriverVcpu *)data)->cpus);
}

static gboolean stats_vcpus(gpointer self, Vm *vm, GArray **ret_vcpus, GError **error)
{
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(self, vm, &context, error);
    int n = 0, cpus = 0;
    libxl_vcpuinfo *list = guest ? libxl_list_vcpu(context->libxl, guest->domid, &n, &cpus) : NULL;

    if (!list)
        return guest && gone(error);
    GArray *vcpus = g_array_new(FALSE, TRUE, sizeof(DriverVcpu));
    g_array_set_clear_func(vcpus, vcpu_clear);
    for (int i = 0; i < n; i++) {
        const DriverVcpu vcpu = {
            .number = list[i].vcpuid,
            .state = state_of(&list[i]),
            .cpu = list[i].online ? (int)list[i].cpu : -1,
            .time = list[i].vcpu_time,
            .cpus = cpuset_from_map(list[i].cpumap.map, list[i].cpumap.size),
        };
        g_array_append_val(vcpus, vcpu);
    }
    libxl_vcpuinfo_list_free(list, n);
    *ret_vcpus = vcpus;
    return TRUE;
}

const DriverStatsOps stats_ops = {.sample = stats_sample, .memory = stats_memory, .vcpus = stats_vcpus};
