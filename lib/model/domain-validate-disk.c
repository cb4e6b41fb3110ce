/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-validate.h"

#include <string.h>

#include "lib/error.h"
#include "lib/model/domain-source.h"
#include "lib/model/domain-threads.h"

#define UNSUPPORTED VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED
#define QEMU_UNSUPPORTED VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED
#define WRONG VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR
#define VENDOR_MAX 8 /* characters, as SCSI has it */
#define PRODUCT_MAX 16

static const char *source_of(const Disk *disk)
{
    const DiskSource *source = disk->source;
    const char *path = !source ? NULL : source->file ? source->file : source->dev ? source->dev : source->dir;

    return path ? path : "";
}

static gboolean is_printable(const char *text)
{
    for (; *text; text++)
        if (!g_ascii_isprint(*text))
            return FALSE;
    return TRUE;
}

/* What the guest reads: QEMU takes a serial number as a part of its command line. */
static gboolean validate_strings(const Disk *disk, GError **error)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+. ";

    if (disk->vendor && strlen(disk->vendor) > VENDOR_MAX)
        return error_set(error, UNSUPPORTED, "disk vendor is more than %d characters", VENDOR_MAX);
    if (disk->vendor && !is_printable(disk->vendor))
        return error_set(error, WRONG, "disk vendor is not printable string");
    if (disk->product && strlen(disk->product) > PRODUCT_MAX)
        return error_set(error, UNSUPPORTED, "disk product is more than %d characters", PRODUCT_MAX);
    if (disk->product && !is_printable(disk->product))
        return error_set(error, WRONG, "disk product is not printable string");
    if (disk->serial && disk->serial[strspn(disk->serial, safe)])
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "driver serial '%s' contains unsafe characters",
                         disk->serial);
    return TRUE;
}

/* The kind of drive against its bus. */
static gboolean validate_drive(const Disk *disk, GError **error)
{
    DiskBus bus = disk->target->bus;
    const char *name = disk_bus_to_string(bus), *dev = disk->target->dev;
    gboolean floppy = disk->device == DISK_DEVICE_FLOPPY;

    if (floppy != (bus == DISK_BUS_FDC))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "Invalid bus type '%s' for %s", name,
                         floppy ? "floppy disk" : "disk");
    if (disk->target->removable != TOGGLE_UNSET && bus != DISK_BUS_USB)
        return error_set(error, WRONG, "removable is only valid for usb disks");
    if (disk->target->rotation_rate != UNSET32 && bus != DISK_BUS_SCSI && bus != DISK_BUS_IDE && bus != DISK_BUS_SATA)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "rotation rate is only valid for SCSI/IDE/SATA bus");
    if (disk->device == DISK_DEVICE_CDROM && bus == DISK_BUS_VIRTIO)
        return error_set(error, QEMU_UNSUPPORTED, "disk type of '%s' does not support ejectable media", dev);
    if (disk->device == DISK_DEVICE_LUN && bus != DISK_BUS_SCSI && bus != DISK_BUS_VIRTIO)
        return error_set(error, QEMU_UNSUPPORTED, "disk device='lun' is not supported for bus='%s'", name);
    return TRUE;
}

/* A drive that takes no media has one. */
static gboolean validate_source(const Disk *disk, GError **error)
{
    const DiskSource *source = disk->source;
    gboolean has[STORAGE_TYPE_LAST] = {
        [STORAGE_TYPE_FILE] = source && source->file && *source->file,
        [STORAGE_TYPE_BLOCK] = source && source->dev && *source->dev,
        [STORAGE_TYPE_DIR] = source && source->dir && *source->dir,
        [STORAGE_TYPE_NETWORK] = source && source->protocol,
        [STORAGE_TYPE_VOLUME] = source && source->pool,
        [STORAGE_TYPE_NVME] = TRUE,
        [STORAGE_TYPE_VHOSTUSER] = TRUE,
    };

    if (has[disk->type] || disk->device == DISK_DEVICE_CDROM || disk->device == DISK_DEVICE_FLOPPY)
        return TRUE;
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_NO_SOURCE, "%s", disk->target->dev);
}

static gboolean validate_driver(const Domain *def, const Disk *disk, GError **error)
{
    const DiskDriver *driver = disk->driver;
    DiskBus bus = disk->target->bus;

    if (!driver)
        return TRUE;
    if (driver->rerror_policy == DISK_ERROR_POLICY_ENOSPACE)
        return error_set(error, UNSUPPORTED, "Invalid disk read error policy: '%s'",
                         disk_error_policy_to_string(driver->rerror_policy));
    if (driver->queues != UNSET32 && bus != DISK_BUS_VIRTIO)
        return error_set(error, UNSUPPORTED, "queues attribute in disk driver element is only supported by virtio-blk");
    if (bus != DISK_BUS_VIRTIO &&
        !domain_validate_no_virtio(driver->iommu, driver->ats, driver->packed, driver->page_per_vq, error))
        return FALSE;
    if (driver->iothread != UNSET32 && bus != DISK_BUS_VIRTIO)
        return error_set(error, QEMU_UNSUPPORTED, "IOThreads not available for bus %s target %s", disk_bus_to_string(bus),
                         disk->target->dev);
    if (driver->iothread != UNSET32 && !domain_has_iothread(def, driver->iothread))
        return error_set(error, QEMU_UNSUPPORTED, "Disk iothread '%u' not defined in iothreadid", driver->iothread);
    if (driver->io == DISK_IO_NATIVE && driver->cache != DISK_CACHE_NONE && driver->cache != DISK_CACHE_DIRECTSYNC)
        return error_set(error, QEMU_UNSUPPORTED, "io='native' needs either no disk cache or directsync cache mode");
    if (driver->copy_on_read == TOGGLE_ON && disk->readonly)
        return error_set(error, QEMU_UNSUPPORTED, "copy_on_read is not compatible with read-only disk '%s'", disk->target->dev);
    return TRUE;
}

static gboolean validate_iotune(const DiskIoTune *tune, GError **error)
{
    const struct {
        const char *name;
        guint64 total, read, write;
    } limits[] = {
        {"bytes_sec", tune->total_bytes_sec, tune->read_bytes_sec, tune->write_bytes_sec},
        {"iops_sec", tune->total_iops_sec, tune->read_iops_sec, tune->write_iops_sec},
        {"bytes_sec_max", tune->total_bytes_sec_max, tune->read_bytes_sec_max, tune->write_bytes_sec_max},
        {"iops_sec_max", tune->total_iops_sec_max, tune->read_iops_sec_max, tune->write_iops_sec_max},
    };
    gboolean any = FALSE;

    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        gboolean one = limits[i].read != UNSET64 || limits[i].write != UNSET64;

        any |= one || limits[i].total != UNSET64;
        if (one && limits[i].total != UNSET64)
            return error_set(error, WRONG, "total and read/write %s cannot be set at the same time", limits[i].name);
    }
    if (tune->group_name && !any && tune->size_iops_sec == UNSET64)
        return error_set(error, QEMU_UNSUPPORTED, "group_name can be configured only together with settings");
    return TRUE;
}

static gboolean validate_disk(const Domain *def, const Disk *disk, GError **error)
{
    DiskBus bus = disk->target->bus;
    gboolean driven = bus == DISK_BUS_IDE || bus == DISK_BUS_SCSI || bus == DISK_BUS_FDC || bus == DISK_BUS_SATA;

    if (driven && disk->address && disk->address->type != ADDRESS_TYPE_DRIVE && disk->address->type != ADDRESS_TYPE_UNSET)
        return error_set(error, UNSUPPORTED, "Invalid address type '%s' for the disk '%s' with the bus type '%s'",
                         address_type_to_string(disk->address->type), disk->target->dev, disk_bus_to_string(bus));
    return domain_validate_source(disk, error) && validate_strings(disk, error) && validate_drive(disk, error) && validate_source(disk, error) &&
           validate_driver(def, disk, error) && (!disk->iotune || validate_iotune(disk->iotune, error));
}

/* A domain may have many disks: names and places are compared by key; where two are the same, the other is looked for. */
static gboolean validate_targets(const GPtrArray *disks, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < disks->len; i++) {
        Disk *disk = g_ptr_array_index(disks, i);
        const Disk *other = g_hash_table_lookup(seen, disk->target->dev);

        if (other)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "target '%s' duplicated for disk sources '%s' and '%s'",
                             disk->target->dev, source_of(other), source_of(disk));
        g_hash_table_insert(seen, disk->target->dev, disk);
    }
    return TRUE;
}

static gboolean validate_places(const GPtrArray *disks, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < disks->len; i++) {
        Disk *disk = g_ptr_array_index(disks, i);
        const Address *at = disk->address;
        const Disk *other;
        char *key;

        if (!at || at->type != ADDRESS_TYPE_DRIVE)
            continue;
        key = g_strdup_printf("%d %u:%u:%u:%u", disk->target->bus, at->controller, at->bus, at->target, at->unit);
        other = g_hash_table_lookup(seen, key);
        g_hash_table_insert(seen, key, disk);
        if (other)
            return error_set(error, UNSUPPORTED,
                             "Found duplicate drive address for disk with target name '%s' controller='%u' bus='%u' "
                             "target='%u' unit='%u'", other->target->dev, at->controller, at->bus, at->target, at->unit);
    }
    return TRUE;
}

gboolean domain_validate_disks(const Domain *def, GError **error)
{
    const GPtrArray *disks = def->devices->disks;

    for (guint i = 0; i < disks->len; i++)
        if (!validate_disk(def, g_ptr_array_index(disks, i), error))
            return FALSE;
    return validate_targets(disks, error) && validate_places(disks, error);
}
