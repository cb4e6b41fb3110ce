/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cannot come to a guest that runs, or go from it, whatever QEMU would say. In libvirt's words. */
#include "driver-kvm/plug.h"

#include <errno.h>
#include <unistd.h>

#include "lib/error.h"

#define UNSUPPORTED VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED

static gboolean shares_memory(const Domain *live)
{
    const MemoryBacking *backing = live->memory_backing;

    return backing && backing->access && backing->access->mode == MEMORY_ACCESS_SHARED;
}

static gboolean is_virtiofs(const Filesystem *folder)
{
    return folder->driver && folder->driver->type == FILESYSTEM_DRIVER_TYPE_VIRTIOFS;
}

static gboolean check_folder(const Domain *live, const Filesystem *folder, GError **error)
{
    if (!is_virtiofs(folder))
        return error_set(error, UNSUPPORTED, "only virtiofs filesystems can be hotplugged");
    return shares_memory(live) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "'virtiofs' requires shared memory");
}

static gboolean check_watchdog(const Watchdog *watchdog, GError **error)
{
    return watchdog->model == WATCHDOG_MODEL_I6300ESB ||
           error_set(error, UNSUPPORTED, "hotplug of watchdog of model %s is not supported",
                     watchdog_model_to_string(watchdog->model));
}

/* What libvirt says of host devices where there are none to have. */
static gboolean check_hostdev(const Hostdev *hostdev, GError **error)
{
    g_autoptr(GDir) groups = g_dir_open("/sys/kernel/iommu_groups", 0, NULL);

    if (hostdev->type == HOSTDEV_TYPE_PCI && !(groups && g_dir_read_name(groups)))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "host doesn't support passthrough of host PCI devices");
    if (hostdev->type == HOSTDEV_TYPE_USB && access("/sys/bus/usb/devices", F_OK) < 0)
        return error_set_errno(error, VIR_FROM_NONE, errno, "cannot open directory '/sys/bus/usb/devices'");
    return TRUE;
}

gboolean plug_check_kind(const DomainDevice *wanted, GError **error)
{
    const Chardev *console = wanted->device;

    if (g_strcmp0(wanted->name, "console") == 0 &&
        (!console->target || console->target->type == CHARDEV_TARGET_TYPE_UNSET ||
         console->target->type == CHARDEV_TARGET_TYPE_SERIAL))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported console target type serial");
    return wanted->type != &hostdev_type || check_hostdev(wanted->device, error);
}

gboolean plug_check_in(const Domain *live, const DomainDevice *device, GError **error)
{
    const Controller *controller = device->device;
    const Disk *disk = device->device;
    const Input *input = device->device;

    if (device->type == &controller_type && controller->type != CONTROLLER_TYPE_SCSI)
        return error_set(error, UNSUPPORTED, "'%s' controller cannot be hot plugged.",
                         controller_type_to_string(controller->type));
    if (device->type == &disk_type && disk->device == DISK_DEVICE_FLOPPY)
        return error_set(error, UNSUPPORTED, "floppy device hotplug isn't supported");
    if (device->type == &input_type && input->bus != INPUT_BUS_USB && input->bus != INPUT_BUS_VIRTIO)
        return error_set(error, UNSUPPORTED, "input device on bus '%s' cannot be hot plugged.",
                         input_bus_to_string(input->bus));
    if (device->type == &watchdog_type)
        return check_watchdog(device->device, error);
    return device->type != &filesystem_type || check_folder(live, device->device, error);
}

/* --- going --- */

/* Others are, or may be, in the same slot. */
static gboolean shares_slot(const Address *address)
{
    return address && address->type == ADDRESS_TYPE_PCI &&
           (address->multifunction == TOGGLE_ON || address->function > 0);
}

static gboolean is_on(const Address *address, guint index)
{
    return address && address->type == ADDRESS_TYPE_DRIVE && address->controller == index;
}

static gboolean is_busy(const Domain *live, const Controller *controller)
{
    for (guint i = 0; i < live->devices->disks->len; i++) {
        const Disk *disk = live->devices->disks->pdata[i];

        if (disk->target->bus == DISK_BUS_SCSI && is_on(disk->address, controller->index))
            return TRUE;
    }
    for (guint i = 0; i < live->devices->hostdevs->len; i++)
        if (is_on(((const Hostdev *)live->devices->hostdevs->pdata[i])->address, controller->index))
            return TRUE;
    return FALSE;
}

static gboolean check_disk_out(const Disk *disk, GError **error)
{
    gboolean removable =
        disk->target->bus == DISK_BUS_VIRTIO || disk->target->bus == DISK_BUS_USB || disk->target->bus == DISK_BUS_SCSI;

    if (disk->device == DISK_DEVICE_FLOPPY || (disk->device == DISK_DEVICE_CDROM && !removable))
        return error_set(error, UNSUPPORTED, "disk device type '%s' cannot be detached",
                         disk_device_to_string(disk->device));
    return removable || error_set(error, UNSUPPORTED, "This type of disk cannot be hot unplugged");
}

static const Address *address_of(const DomainDevice *device)
{
    if (device->type == &disk_type)
        return ((const Disk *)device->device)->address;
    if (device->type == &interface_type)
        return ((const Interface *)device->device)->address;
    return device->type == &controller_type ? ((const Controller *)device->device)->address : NULL;
}

gboolean plug_check_out(const Domain *live, const DomainDevice *device, GError **error)
{
    const Controller *controller = device->device;
    const Input *input = device->device;
    const Address *address = address_of(device);

    if (device->type == &controller_type && controller->type != CONTROLLER_TYPE_SCSI)
        return error_set(error, UNSUPPORTED, "'%s' controller cannot be hot unplugged.",
                         controller_type_to_string(controller->type));
    if (shares_slot(address))
        return error_set(error, UNSUPPORTED, "cannot hot unplug multifunction PCI device: %04x:%02x:%02x.%u",
                         address->domain == UNSET32 ? 0 : address->domain, address->bus, address->slot,
                         address->function);
    if (device->type == &controller_type && is_busy(live, controller))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "device cannot be detached: device is busy");
    if (device->type == &input_type && input->bus != INPUT_BUS_USB && input->bus != INPUT_BUS_VIRTIO)
        return error_set(error, UNSUPPORTED, "input device on bus '%s' cannot be detached",
                         input_bus_to_string(input->bus));
    if (device->type == &filesystem_type && !is_virtiofs(device->device))
        return error_set(error, UNSUPPORTED, "only virtiofs filesystems can be hotunplugged");
    return device->type != &disk_type || check_disk_out(device->device, error);
}
