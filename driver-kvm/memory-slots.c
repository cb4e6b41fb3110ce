/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where modules go, and whether all of them together have room. */
#include "driver-kvm/memory.h"
#include "lib/cpuset.h"
#include "lib/error.h"

static gboolean is_slotted(const MemoryDevice *module)
{
    return module->model == MEMORY_DEVICE_MODEL_DIMM || module->model == MEMORY_DEVICE_MODEL_NVDIMM;
}

static gboolean take_slot(CpuSet *taken, guint slots, guint slot, GError **error)
{
    if (slot >= slots)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "memory device slot '%u' exceeds slots count '%u'",
                         slot, slots);
    if (cpuset_has(taken, slot))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "memory device slot '%u' is already being used by another memory device", slot);
    cpuset_add(taken, slot);
    return TRUE;
}

static gboolean find_slot(CpuSet *taken, guint slots, MemoryDevice *module, GError **error)
{
    guint slot = 0;

    while (slot < slots && cpuset_has(taken, slot))
        slot++;
    if (slot == slots)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "failed to find an empty memory slot");
    address_free(module->address);
    module->address = address_new();
    module->address->type = ADDRESS_TYPE_DIMM;
    module->address->slot = slot;
    module->address->base = UNSET64;
    cpuset_add(taken, slot);
    return TRUE;
}

gboolean memory_assign_slots(Domain *def, GError **error)
{
    guint slots = def->max_memory_slots == UNSET32 ? 0 : MIN(def->max_memory_slots, CPUSET_MAX);
    g_autoptr(CpuSet) taken = cpuset_new();

    if (!memory_has_slots(def))
        return TRUE;
    for (guint pass = 0; pass < 2; pass++)
        for (guint i = 0; i < def->devices->memories->len; i++) {
            MemoryDevice *module = def->devices->memories->pdata[i];
            gboolean placed = module->address && module->address->type == ADDRESS_TYPE_DIMM;

            if (!is_slotted(module))
                continue;
            if (pass == 0 && placed && !take_slot(taken, slots, module->address->slot, error))
                return FALSE;
            if (pass == 1 && !placed && !find_slot(taken, slots, module, error))
                return FALSE;
        }
    return TRUE;
}

/* Huge pages are taken from files, all at once. */
static gboolean validate_pages(const MemoryBacking *backing, GError **error)
{
    if (!backing || !backing->hugepages)
        return TRUE;
    if (backing->source && backing->source->type == MEMORY_BACKING_TYPE_ANONYMOUS)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "hugepages are not allowed with anonymous memory source");
    return !backing->allocation || backing->allocation->mode != MEMORY_ALLOCATION_ONDEMAND ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "hugepages are not allowed with memory allocation ondemand");
}

gboolean memory_validate(const Domain *def, GError **error)
{
    guint n = def->devices->memories->len;

    if (!validate_pages(def->memory_backing, error))
        return FALSE;

    if (!memory_has_slots(def))
        return n == 0 || error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                                   "cannot use/hotplug a memory device when domain 'maxMemory' is not defined");
    if (memory_n_cells(def) == 0)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "At least one numa node has to be configured when enabling memory hotplug");
    if (n > def->max_memory_slots)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "memory device count '%u' exceeds slots count '%u'", n, def->max_memory_slots);
    return memory_of_modules(def) <= def->max_memory - memory_initial(def) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "memory device total size exceeds hotplug space");
}
