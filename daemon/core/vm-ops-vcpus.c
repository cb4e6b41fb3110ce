/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: where virtual CPUs run and may run. */
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/host-topology.h"
#include "daemon/core/vm-ops.h"
#include "lib/cpuset.h"
#include "lib/error.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-threads.h"
#include "lib/sysfs.h"

#define AFFINITY_CPUS CPUSET_MAX

/* What PIN allows; where it is NULL, all the host's CPUs that are online. To free; NULL with ERROR. */
static CpuSet *allowed(const char *pin, GError **error)
{
    guint present;
    if (pin)
        return cpuset_parse(pin, error);
    CpuSet *online = host_online_cpus("", &present);
    if (!online)
        error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "the kernel does not tell the host's CPUs");
    return online;
}

/* N maps of LENGTH octets each fit into an answer. */
static gboolean check_maps(gint64 n, gint64 length, GError **error)
{
    if (n < 0 || n > REMOTE_VCPUINFO_MAX || length < 0 || n * length > REMOTE_CPUMAPS_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "%" G_GINT64_FORMAT " maps of %" G_GINT64_FORMAT
                         " octets are too many", n, length);
    return TRUE;
}

gboolean remote_domain_get_vcpu_pin_info(Call *call, const RemoteDomainGetVcpuPinInfoArgs *args,
                                         RemoteDomainGetVcpuPinInfoRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    const Domain *def = view ? ops_affected(vm, view, args->flags, error) : NULL;
    if (!def || !check_maps(args->ncpumaps, args->maplen, error))
        return FALSE;
    guint n = MIN((guint)args->ncpumaps, domain_max_vcpus(def));
    g_autofree guint8 *maps = g_malloc0(n * args->maplen);
    for (guint i = 0; i < n; i++) {
        g_autoptr(CpuSet) set = allowed(domain_vcpu_cpus(def, i), error);
        if (!set)
            return FALSE;
        cpuset_to_map(set, maps + i * args->maplen, args->maplen);
    }
    ret->n_cpumaps = n * args->maplen;
    ret->cpumaps = g_steal_pointer(&maps);
    ret->num = n;
    return TRUE;
}

gboolean remote_domain_get_emulator_pin_info(Call *call, const RemoteDomainGetEmulatorPinInfoArgs *args,
                                             RemoteDomainGetEmulatorPinInfoRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    const Domain *def = view ? ops_affected(vm, view, args->flags, error) : NULL;
    if (!def || !check_maps(1, args->maplen, error))
        return FALSE;
    g_autoptr(CpuSet) set = allowed(domain_emulator_cpus(def), error);
    if (!set)
        return FALSE;
    ret->n_cpumaps = args->maplen;
    ret->cpumaps = g_malloc0(args->maplen);
    cpuset_to_map(set, ret->cpumaps, args->maplen);
    ret->ret = 1;
    return TRUE;
}

/* Time used and the host CPU it was last on, of thread TID of process PID; left as they were if it is gone. */
static void read_thread(pid_t pid, pid_t tid, RemoteVcpuInfo *info)
{
    enum { USER = 11, SYSTEM = 12, PROCESSOR = 36 }; /* of the words behind the name, which may hold anything */
    g_autofree char *text = sysfs_text("", "/proc/%d/task/%d/stat", (int)pid, (int)tid);
    const char *name_end = text ? strrchr(text, ')') : NULL;
    g_auto(GStrv) words = name_end && name_end[1] ? g_strsplit(name_end + 2, " ", -1) : NULL;
    if (!words || g_strv_length(words) <= PROCESSOR)
        return;
    guint64 ticks = g_ascii_strtoull(words[USER], NULL, 10) + g_ascii_strtoull(words[SYSTEM], NULL, 10);
    info->cpu_time = ticks * (1000000000ull / sysconf(_SC_CLK_TCK));
    info->cpu = g_ascii_strtoull(words[PROCESSOR], NULL, 10);
}

/* The host CPUs that thread TID may be on, as a map. */
static void read_affinity(pid_t tid, guint8 *map, gsize length)
{
    gsize size = CPU_ALLOC_SIZE(AFFINITY_CPUS);
    cpu_set_t *set = CPU_ALLOC(AFFINITY_CPUS);
    if (sched_getaffinity(tid, size, set) == 0) {
        for (gsize cpu = 0; cpu < AFFINITY_CPUS && cpu / 8 < length; cpu++) {
            if (CPU_ISSET_S(cpu, size, set))
                map[cpu / 8] |= 1u << cpu % 8;
        }
    }
    CPU_FREE(set);
}

/* As the hypervisor tells. */
static gboolean own_vcpus(Call *call, Vm *vm, const RemoteDomainGetVcpusArgs *args, RemoteDomainGetVcpusRet *ret, GError **error)
{
    const DriverStatsOps *ops = call->instance->driver->stats;
    g_autoptr(GArray) vcpus = NULL;
    if (!ops->vcpus(call->instance->self, vm, &vcpus, error))
        return FALSE;
    ret->n_info = MIN(vcpus->len, (guint)args->maxinfo);
    ret->info = g_new0(RemoteVcpuInfo, ret->n_info);
    ret->n_cpumaps = args->maxinfo * args->maplen;
    ret->cpumaps = g_malloc0(ret->n_cpumaps);
    for (guint i = 0; i < ret->n_info; i++) {
        const DriverVcpu *vcpu = &g_array_index(vcpus, DriverVcpu, i);
        ret->info[i] = (RemoteVcpuInfo){.number = vcpu->number, .state = vcpu->state, .cpu_time = vcpu->time, .cpu = vcpu->cpu};
        cpuset_to_map(vcpu->cpus, ret->cpumaps + i * args->maplen, args->maplen);
    }
    return TRUE;
}

gboolean remote_domain_get_vcpus(Call *call, const RemoteDomainGetVcpusArgs *args, RemoteDomainGetVcpusRet *ret,
                                 GError **error)
{
    const DriverStatsOps *ops = call->instance->driver->stats;
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    pid_t pid;
    guint n = 0;
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    if (!view || !check_maps(args->maxinfo, args->maplen, error))
        return FALSE;
    if (view->id < 0)
        return error_set(error, call->instance->from, VIR_ERR_OPERATION_INVALID,
                         "cannot retrieve vcpu information for inactive domain");
    if (ops && ops->vcpus)
        return own_vcpus(call, vm, args, ret, error);
    if (!ops || !ops->threads)
        return ops_not_offered(call, error);
    g_autofree pid_t *tids = g_new0(pid_t, args->maxinfo);
    if (!ops->threads(call->instance->self, vm, &pid, tids, args->maxinfo, &n, error))
        return FALSE;

    ret->info = g_new0(RemoteVcpuInfo, n);
    ret->n_cpumaps = args->maxinfo * args->maplen;
    ret->cpumaps = g_malloc0(ret->n_cpumaps);
    for (guint i = 0; i < n; i++) {
        if (tids[i] == 0)
            continue;
        RemoteVcpuInfo *info = &ret->info[ret->n_info];
        *info = (RemoteVcpuInfo){.number = i, .state = VIR_VCPU_RUNNING, .cpu = VIR_VCPU_INFO_CPU_UNAVAILABLE};
        read_thread(pid, tids[i], info);
        read_affinity(tids[i], ret->cpumaps + ret->n_info++ * args->maplen, args->maplen);
    }
    return TRUE;
}
