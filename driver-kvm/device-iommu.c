/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's IOMMU: Intel's is part of a q35 machine, virtio's a device of its own. */
#include "driver-kvm/device.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"

static guint connect_iommu(const Domain *def, gconstpointer device)
{
    const Iommu *iommu = device;

    return iommu->model == IOMMU_MODEL_VIRTIO ? PCI_CONNECT_EXPRESS | PCI_CONNECT_INTEGRATED : 0;
}

static gboolean refuse(GError **error, const Iommu *iommu, const char *why)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "IOMMU device: '%s' %s",
                     iommu_model_to_string(iommu->model), why);
}

static gboolean validate_intel(const Domain *def, const Iommu *iommu, GError **error)
{
    const IommuDriver *driver = iommu->driver;
    gboolean remaps = driver && driver->intremap == TOGGLE_ON;
    gboolean split = def->features && def->features->ioapic && def->features->ioapic->driver == IOAPIC_DRIVER_QEMU;

    if (remaps && !split)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "IOMMU interrupt remapping requires split I/O APIC (ioapic driver='qemu')");
    return !driver || driver->eim != TOGGLE_ON || remaps ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "IOMMU eim requires interrupt remapping to be enabled");
}

static gboolean validate_iommu(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Iommu *iommu = device;

    switch (iommu->model) {
    case IOMMU_MODEL_INTEL:
        return machine_is_q35(def) ? validate_intel(def, iommu, error)
                                   : refuse(error, iommu, "is only supported with Q35 machines");
    case IOMMU_MODEL_SMMUV3:
        return machine_has(def, MACHINE_GIC) || refuse(error, iommu, "is only supported with ARM Virt machines");
    case IOMMU_MODEL_VIRTIO:
        if (iommu->driver)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "iommu model '%s' doesn't support additional attributes",
                             iommu_model_to_string(iommu->model));
        if (!machine_is_q35(def) && !machine_has(def, MACHINE_GIC))
            return refuse(error, iommu, "is only supported with Q35 and ARM Virt machines");
        if (iommu->address && iommu->address->type != ADDRESS_TYPE_UNSET && iommu->address->type != ADDRESS_TYPE_PCI)
            return refuse(error, iommu, "needs a PCI address");
        return (def->features && def->features->acpi) || refuse(error, iommu, "requires ACPI");
    default:
        return TRUE;
    }
}

static gboolean build_iommu(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                            GError **error)
{
    const Iommu *iommu = device;
    const IommuDriver *driver = iommu->driver;
    g_autoptr(JsonObject) props = props_new("driver", iommu->model == IOMMU_MODEL_INTEL ? "intel-iommu" : "virtio-iommu");

    if (iommu->model == IOMMU_MODEL_SMMUV3) /* an option of the machine */
        return TRUE;
    if (iommu->model == IOMMU_MODEL_INTEL) {
        props_string(props, "id", iommu->alias->name);
    } else {
        if (!device_address_props(live, iommu->address, props, error))
            return FALSE;
        props_string(props, "id", iommu->alias->name);
    }
    if (driver && iommu->model == IOMMU_MODEL_INTEL) {
        props_on_off(props, "intremap", driver->intremap);
        props_toggle(props, "caching-mode", driver->caching_mode);
        props_on_off(props, "eim", driver->eim);
        props_toggle(props, "device-iotlb", driver->iotlb);
        props_uint(props, "aw-bits", driver->aw_bits);
        props_toggle(props, "dma-translation", driver->dma_translation);
    }
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_iommu = {.name = "iommu", .offset = offsetof(Devices, iommu), .single = TRUE,
                                 .alias = offsetof(Iommu, alias), .address = offsetof(Iommu, address), .prefix = "iommu",
                                 .validate = validate_iommu, .connect = connect_iommu, .build = build_iommu};
