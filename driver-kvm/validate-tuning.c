/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a start asks of the host's processors, memory and control groups. */
#include "driver-kvm/validate.h"

#include "driver-kvm/machine.h"
#include "driver-kvm/threads.h"
#include "lib/error.h"
#include "lib/model/domain-cpus.h"
#include "lib/sysfs.h"

#define MANY_VCPUS 255

static gboolean is_set(guint64 value)
{
    return value != UNSET64;
}

/* Shares alone are passed over, as by libvirtd: they mean something only beside others that have some. */
static gboolean check_quotas(const Cputune *tune, GError **error)
{
    gboolean any = is_set(tune->period) || is_set(tune->quota) || is_set(tune->global_period) || is_set(tune->global_quota) ||
                   is_set(tune->emulator_period) || is_set(tune->emulator_quota) || is_set(tune->iothread_period) ||
                   is_set(tune->iothread_quota);

    return !any || error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "cgroup cpu is required for scheduler tuning");
}

/* Numatune's nodes and the host's. */
static gboolean check_nodes(const char *nodeset, GError **error)
{
    g_autoptr(CpuSet) wanted = nodeset ? cpuset_parse(nodeset, error) : NULL;
    g_autoptr(CpuSet) there = sysfs_cpuset("", "/sys/devices/system/node/online");

    if (!nodeset)
        return TRUE;
    if (!wanted)
        return FALSE;
    for (int node = cpuset_next(wanted, -1); node >= 0; node = cpuset_next(wanted, node))
        if (there ? !cpuset_has(there, (guint)node) : node > 0)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "NUMA node %d is unavailable", node);
    return TRUE;
}

static gboolean check_numatune(const Numatune *tune, GError **error)
{
    if (tune->memory && !check_nodes(tune->memory->nodeset, error))
        return FALSE;
    for (guint i = 0; i < tune->memnodes->len; i++)
        if (!check_nodes(((const NumatuneMemnode *)tune->memnodes->pdata[i])->nodeset, error))
            return FALSE;
    return TRUE;
}

static gboolean check_modules(const Domain *def, GError **error)
{
    for (guint i = 0; i < def->devices->memories->len; i++) {
        const MemorySource *source = ((const MemoryDevice *)def->devices->memories->pdata[i])->source;

        if (source && !check_nodes(source->nodemask, error))
            return FALSE;
    }
    return TRUE;
}

/* libvirtd asks a program of another project, which says which nodes are the least busy. */
static gboolean check_placement(const Domain *def, GError **error)
{
    gboolean automatic = def->vcpu->placement == VCPU_PLACEMENT_AUTO ||
                         (def->numatune && def->numatune->memory && def->numatune->memory->placement == NUMATUNE_PLACEMENT_AUTO);

    return !automatic ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "Failed to query numad for the advisory nodeset");
}

gboolean validate_tuning(const Domain *def, GError **error)
{
    return check_placement(def, error) && (!def->numatune || check_numatune(def->numatune, error)) &&
           check_modules(def, error) && (!def->cputune || check_quotas(def->cputune, error)) && threads_check(def, error);
}

/* Interrupts find no more than so many processors without a helper. */
static gboolean check_many_vcpus(const Domain *def, GError **error)
{
    const Iommu *iommu = def->devices->iommu;

    if (!machine_is_x86(def) || domain_max_vcpus(def) <= MANY_VCPUS)
        return TRUE;
    if (!machine_is_q35(def))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "more than %d vCPUs are only supported on q35-based machine types", MANY_VCPUS);
    return (iommu && iommu->driver && iommu->driver->eim == TOGGLE_ON) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "more than %d vCPUs require extended interrupt mode enabled on the iommu device", MANY_VCPUS);
}

gboolean validate_tunable(const Domain *def, GError **error)
{
    const Cputune *tune = def->cputune;

    if (!check_many_vcpus(def, error))
        return FALSE;
    if (def->memtune && def->memtune->min_guarantee != UNSET64)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Parameter 'min_guarantee' not supported by QEMU.");
    return def->type == DOMAIN_TYPE_KVM || !tune || (tune->cachetunes->len == 0 && tune->memorytunes->len == 0) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "cachetune is only supported for KVM domains");
}
