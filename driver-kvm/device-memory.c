/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory modules: DIMMs in slots, and virtio's, which are PCI devices. */
#include "driver-kvm/device.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/memory.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"
#include "lib/sysfs.h"
#include "lib/uuid.h"

#define LABEL_MIN 128           /* KiB */
#define HUGE_PAGE (2048 * 1024) /* octets of a transparent one, where the kernel does not say */

#define REFUSED VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED
#define UNSUPPORTED VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED
#define DETAIL VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL

static const struct {
    const char *alias, *driver;
    gboolean pci;
} models[] = {
    [MEMORY_DEVICE_MODEL_DIMM] = {"dimm", "pc-dimm", FALSE},
    [MEMORY_DEVICE_MODEL_NVDIMM] = {"nvdimm", "nvdimm", FALSE},
    [MEMORY_DEVICE_MODEL_VIRTIO_PMEM] = {"virtiopmem", "virtio-pmem-pci", TRUE},
    [MEMORY_DEVICE_MODEL_VIRTIO_MEM] = {"virtiomem", "virtio-mem-pci", TRUE},
    [MEMORY_DEVICE_MODEL_SGX_EPC] = {"epc", NULL, FALSE},
};

gboolean device_memory_any(const Domain *def, MemoryDeviceModel model)
{
    for (guint i = 0; i < def->devices->memories->len; i++)
        if (((const MemoryDevice *)def->devices->memories->pdata[i])->model == model)
            return TRUE;
    return FALSE;
}

static guint connect_memory(const Domain *def, gconstpointer device)
{
    return models[((const MemoryDevice *)device)->model].pci ? PCI_CONNECT_EXPRESS : 0;
}

/* Those in slots are called by the slot, the others by their number among their like. */
static char *make_alias(const Domain *def, gconstpointer device, guint index)
{
    const MemoryDevice *module = device;
    guint number = 0;

    if (module->address && module->address->type == ADDRESS_TYPE_DIMM)
        return g_strdup_printf("%s%u", models[module->model].alias, module->address->slot);
    for (guint i = 0; i < index; i++)
        number += ((const MemoryDevice *)def->devices->memories->pdata[i])->model == module->model;
    return g_strdup_printf("%s%u", models[module->model].alias, number);
}

static gboolean complete_memory(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    MemoryDevice *module = device;
    MemoryTarget *target = module->target;

    if (module->model == MEMORY_DEVICE_MODEL_VIRTIO_PMEM && module->access == MEMORY_ACCESS_UNSET)
        module->access = MEMORY_ACCESS_SHARED;
    if (module->model == MEMORY_DEVICE_MODEL_VIRTIO_MEM && target->requested == UNSET64)
        target->requested = 0;
    if (module->model == MEMORY_DEVICE_MODEL_VIRTIO_MEM && target->block == UNSET64)
        target->block = 0;
    if (target->label && target->label->size != UNSET64 && target->label->size < LABEL_MIN)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "nvdimm label must be at least 128KiB");
    if (target->label && target->label->size != UNSET64 && target->label->size >= target->size)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "label size must be smaller than NVDIMM size");
    if (machine_is_ppc64(def) && module->model == MEMORY_DEVICE_MODEL_NVDIMM && !memory_fits_block(def, module))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                         "minimum target size for the NVDIMM must be 256MB plus the label size");
    if (machine_is_ppc64(def))
        target->size = memory_module_size(def, module);
    if (module->model == MEMORY_DEVICE_MODEL_NVDIMM && machine_is_ppc64(def) && !module->uuid.set) {
        uuid_generate(module->uuid.bytes);
        module->uuid.set = TRUE;
    }
    return TRUE;
}

static gboolean validate_path(const MemoryDevice *module, GError **error)
{
    return (module->source && module->source->path) ||
           error_set(error, DETAIL, "path is required for model '%s'", memory_device_model_to_string(module->model));
}

static gboolean validate_nvdimm(const Domain *def, const MemoryDevice *module, GError **error)
{
    gboolean labelled =
        module->target->label && module->target->label->size != UNSET64 && module->target->label->size > 0;

    if (!validate_path(module, error))
        return FALSE;
    if (module->discard == TOGGLE_ON)
        return error_set(error, UNSUPPORTED, "discard is not supported for nvdimms");
    if (machine_is_ppc64(def))
        return labelled || error_set(error, UNSUPPORTED, "label size is required for NVDIMM device");
    return !module->uuid.set || error_set(error, UNSUPPORTED, "UUID is not supported for NVDIMM device");
}

static gboolean validate_pmem(const MemoryDevice *module, GError **error)
{
    if (!validate_path(module, error))
        return FALSE;
    if (module->discard == TOGGLE_ON)
        return error_set(error, UNSUPPORTED, "discard is not supported for model '%s'",
                         memory_device_model_to_string(module->model));
    if (module->access != MEMORY_ACCESS_SHARED)
        return error_set(error, UNSUPPORTED, "shared access mode required for virtio-pmem device");
    return module->target->node == UNSET32 || error_set(error, UNSUPPORTED, "virtio-pmem does not support NUMA nodes");
}

static gboolean validate_virtio_mem(const MemoryDevice *module, GError **error)
{
    const MemoryTarget *target = module->target;
    gint64 huge = HUGE_PAGE;

    sysfs_number(&huge, "", "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
    if (target->requested > target->size)
        return error_set(error, DETAIL, "requested size must be smaller than or equal to @size (%" G_GUINT64_FORMAT "KiB)",
                         target->size);
    if (target->block == 0 || (target->block & (target->block - 1)))
        return error_set(error, DETAIL, "block size must be a power of two");
    if (target->block < (guint64)huge / 1024)
        return error_set(error, DETAIL, "block size too small, must be at least %" G_GINT64_FORMAT "KiB", huge / 1024);
    return target->requested % target->block == 0 ||
           error_set(error, DETAIL, "requested size must be an integer multiple of block size");
}

static gboolean validate_node(const Domain *def, const MemoryDevice *module, GError **error)
{
    guint n = memory_n_cells(def), node = module->target->node;

    return n == 0 || node == UNSET32 || node < n ||
           error_set(error, DETAIL, "can't add memory backend for guest node '%u' as the guest has only '%u' NUMA nodes configured",
                     node, n);
}

static gboolean validate_memory(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const MemoryDevice *module = device;
    const char *driver = models[module->model].driver;
    gboolean fine = module->model == MEMORY_DEVICE_MODEL_NVDIMM        ? validate_nvdimm(def, module, error)
                    : module->model == MEMORY_DEVICE_MODEL_VIRTIO_PMEM ? validate_pmem(module, error)
                    : module->model == MEMORY_DEVICE_MODEL_VIRTIO_MEM  ? validate_virtio_mem(module, error)
                                                                       : TRUE;

    if (!fine || !validate_node(def, module, error))
        return FALSE;
    if (!driver)
        return error_set(error, REFUSED, "sgx epc isn't supported by this QEMU binary");
    if (!caps_has_device(caps, driver) && module->model == MEMORY_DEVICE_MODEL_DIMM)
        return error_set(error, REFUSED, "memory hotplug isn't supported by this QEMU binary");
    if (!caps_has_device(caps, driver))
        return error_set(error, REFUSED, "%s isn't supported by this QEMU binary",
                         memory_device_model_to_string(module->model));
    if (module->target->node == UNSET32 && module->model != MEMORY_DEVICE_MODEL_VIRTIO_PMEM)
        return error_set(error, REFUSED, "target NUMA node needs to be specified for memory device");
    return !models[module->model].pci || !module->address || module->address->type == ADDRESS_TYPE_PCI ||
           error_set(error, REFUSED, "only 'pci' addresses are supported for the %s device",
                     memory_device_model_to_string(module->model));
}

static void add_sizes(const MemoryDevice *module, JsonObject *props)
{
    const MemoryTarget *target = module->target;
    const struct {
        const char *key;
        guint64 kib;
    } sizes[] = {{"label-size", target->label ? target->label->size : UNSET64},
                 {"block-size", target->block},
                 {"requested-size", target->requested}};

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
        if (sizes[i].kib != UNSET64 && sizes[i].kib > 0)
            props_int(props, sizes[i].key, (gint64)(sizes[i].kib * 1024));
    if (module->uuid.set) {
        char uuid[UUID_TEXT];

        uuid_format(module->uuid.bytes, uuid);
        props_string(props, "uuid", uuid);
    }
}

static gboolean build_memory(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                             GError **error)
{
    const MemoryDevice *module = device;
    const MemoryTarget *target = module->target;
    const char *alias = module->alias->name;
    g_autofree char *backend = g_strconcat("mem", alias, NULL);
    int node = target->node == UNSET32 ? MEMORY_NO_NODE : (int)target->node;
    MemoryPiece piece = {backend, alias, target->size, node, module};
    g_autoptr(JsonObject) props = props_new("driver", models[module->model].driver);

    memory_add_backend(live, caps, context, &piece, parts);
    props_uint(props, "node", target->node);
    add_sizes(module, props);
    if (target->readonly)
        props_bool(props, "unarmed", TRUE);
    props_string(props, "memdev", backend);
    if (module->model == MEMORY_DEVICE_MODEL_VIRTIO_MEM && memory_is_preallocated(live, &piece))
        props_bool(props, "prealloc", TRUE);
    props_string(props, "id", alias);
    if (!device_address_props(live, module->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_memory = {.name = "memory", .offset = offsetof(Devices, memories), .alias = offsetof(MemoryDevice, alias),
                                  .address = offsetof(MemoryDevice, address), .make_alias = make_alias,
                                  .complete = complete_memory, .validate = validate_memory, .connect = connect_memory,
                                  .build = build_memory};
