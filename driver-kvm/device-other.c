/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kinds that can be defined, with their places among the others, but that this driver does not start yet. */
#include "driver-kvm/device.h"
#include "lib/model/pci-map.h"

static guint connect_filesystem(const Domain *def, gconstpointer device)
{
    const Filesystem *filesystem = device;

    return filesystem->model == FILESYSTEM_MODEL_VIRTIO_TRANSITIONAL ? PCI_CONNECT_DEVICE : PCI_CONNECT_EXPRESS;
}

static guint connect_hostdev(const Domain *def, gconstpointer device)
{
    const Hostdev *hostdev = device;

    return hostdev->type == HOSTDEV_TYPE_PCI || hostdev->type == HOSTDEV_TYPE_SCSI_HOST || hostdev->type == HOSTDEV_TYPE_MDEV
               ? PCI_CONNECT_EXPRESS
               : 0;
}

static guint connect_shmem(const Domain *def, gconstpointer device)
{
    return PCI_CONNECT_DEVICE;
}

static guint connect_memory(const Domain *def, gconstpointer device)
{
    const MemoryDevice *module = device;

    return module->model == MEMORY_DEVICE_MODEL_VIRTIO_PMEM || module->model == MEMORY_DEVICE_MODEL_VIRTIO_MEM
               ? PCI_CONNECT_EXPRESS
               : 0;
}

static guint connect_iommu(const Domain *def, gconstpointer device)
{
    const Iommu *iommu = device;

    return iommu->model == IOMMU_MODEL_VIRTIO ? PCI_CONNECT_EXPRESS | PCI_CONNECT_INTEGRATED : 0;
}

static guint connect_vsock(const Domain *def, gconstpointer device)
{
    const Vsock *vsock = device;

    return vsock->model == VSOCK_MODEL_VIRTIO_TRANSITIONAL ? PCI_CONNECT_DEVICE : PCI_CONNECT_EXPRESS;
}

static gboolean complete_vsock(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Vsock *vsock = device;

    if (vsock->model == VSOCK_MODEL_UNSET)
        vsock->model = VSOCK_MODEL_VIRTIO;
    if (!vsock->cid)
        vsock->cid = vsock_cid_new();
    if (vsock->cid->automatic == TOGGLE_UNSET)
        vsock->cid->automatic = vsock->cid->address == UNSET32 ? TOGGLE_ON : TOGGLE_OFF;
    return TRUE;
}

static gboolean complete_filesystem(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Filesystem *filesystem = device;

    if (filesystem->accessmode == FILESYSTEM_ACCESS_UNSET && !(filesystem->source && filesystem->source->socket))
        filesystem->accessmode = FILESYSTEM_ACCESS_PASSTHROUGH;
    return TRUE;
}

static gboolean is_usb_hostdev(gconstpointer device)
{
    return ((const Hostdev *)device)->type == HOSTDEV_TYPE_USB;
}

#define ROW(member, type) .offset = offsetof(Devices, member), .alias = offsetof(type, alias), .address = offsetof(type, address)

const DeviceKind device_memory = {.name = "memory", ROW(memories, MemoryDevice), .prefix = "dimm", .connect = connect_memory};
const DeviceKind device_filesystem = {.name = "filesystem", ROW(filesystems, Filesystem), .prefix = "fs",
                                      .complete = complete_filesystem, .connect = connect_filesystem};
const DeviceKind device_tpm = {.name = "tpm", ROW(tpms, Tpm), .prefix = "tpm"};
const DeviceKind device_hostdev = {.name = "hostdev", ROW(hostdevs, Hostdev), .prefix = "hostdev",
                                   .connect = connect_hostdev, .is_usb = is_usb_hostdev};
const DeviceKind device_nvram = {.name = "nvram", ROW(nvram, Nvram), .single = TRUE, .prefix = "nvram"};
const DeviceKind device_shmem = {.name = "shmem", ROW(shmems, Shmem), .prefix = "shmem", .connect = connect_shmem};
const DeviceKind device_vsock = {.name = "vsock", ROW(vsock, Vsock), .single = TRUE, .prefix = "vsock",
                                 .complete = complete_vsock, .connect = connect_vsock};
const DeviceKind device_iommu = {.name = "iommu", ROW(iommu, Iommu), .single = TRUE, .prefix = "iommu",
                                 .connect = connect_iommu};
const DeviceKind device_lease = {.name = "lease", .offset = offsetof(Devices, leases), .alias = -1, .address = -1};
