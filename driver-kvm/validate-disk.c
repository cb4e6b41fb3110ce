/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What QEMU can do with the source of a disk: formats, encryption, servers. */
#include "driver-kvm/machine.h"
#include "driver-kvm/validate.h"
#include "lib/error.h"
#include "lib/model/domain-disk.h"

#define UNSUPPORTED VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED
#define CHAIN_MAX 200

static gboolean validate_format(StorageType type, StorageFormat format, gboolean writes, GError **error)
{
    if (format == STORAGE_FORMAT_DIR)
        return error_set(error, UNSUPPORTED,
                         "'directory' storage format is not directly supported by QEMU, use 'dir' disk type instead");
    if (format == STORAGE_FORMAT_ISO)
        return error_set(error, UNSUPPORTED, "storage format 'iso' is not directly supported by QEMU, use 'raw' instead");
    if (format == STORAGE_FORMAT_COW)
        return error_set(error, UNSUPPORTED, "'cow' storage format is not supported");
    if (format == STORAGE_FORMAT_FAT && type != STORAGE_TYPE_DIR && type != STORAGE_TYPE_VOLUME)
        return error_set(error, UNSUPPORTED, "storage format 'fat' is supported only with 'dir' storage type");
    if (type == STORAGE_TYPE_DIR && format != STORAGE_FORMAT_FAT)
        return error_set(error, UNSUPPORTED, "storage type 'dir' requires use of storage format 'fat'");
    return type != STORAGE_TYPE_DIR || !writes ||
           error_set(error, UNSUPPORTED, "virtual FAT storage can't be accessed in read-write mode");
}

/* Ceph's own. */
static gboolean validate_librbd(const DiskImage *image, const Caps *caps, GError **error)
{
    if (!caps_has_argument(caps, "blockdev-add", "+rbd/encrypt"))
        return error_set(error, UNSUPPORTED, "librbd encryption is not supported by this QEMU binary");
    if (image->type != STORAGE_TYPE_NETWORK || !image->source || image->source->protocol != STORAGE_PROTOCOL_RBD)
        return error_set(error, UNSUPPORTED, "librbd encryption is supported only with RBD backed disks");
    switch (image->encryption->format) {
    case STORAGE_ENCRYPTION_FORMAT_LUKS:
    case STORAGE_ENCRYPTION_FORMAT_LUKS2:
        return TRUE;
    case STORAGE_ENCRYPTION_FORMAT_LUKS_ANY:
        return caps_has_argument(caps, "blockdev-add", "+rbd/encrypt/+luks-any") ||
               error_set(error, UNSUPPORTED, "luks-any encryption is not supported by this QEMU binary");
    default:
        return error_set(error, UNSUPPORTED, "librbd encryption only supports luks/luks2 formats");
    }
}

static gboolean validate_encryption(const DiskImage *image, const Caps *caps, GError **error)
{
    const StorageEncryption *encryption = image->encryption;

    if (!encryption)
        return TRUE;
    if (encryption->engine == STORAGE_ENCRYPTION_ENGINE_LIBRBD)
        return validate_librbd(image, caps, error);
    if (encryption->format == STORAGE_ENCRYPTION_FORMAT_QCOW || encryption->format == STORAGE_ENCRYPTION_FORMAT_DEFAULT)
        return error_set(error, UNSUPPORTED, "old qcow/qcow2 encryption is not supported");
    if (encryption->format != STORAGE_ENCRYPTION_FORMAT_LUKS)
        return error_set(error, UNSUPPORTED, "%s is currently not supported by the qemu encryption engine",
                         storage_encryption_format_to_string(encryption->format));
    return image->format == STORAGE_FORMAT_RAW || image->format == STORAGE_FORMAT_QCOW2 || image->format == STORAGE_FORMAT_UNSET ||
           error_set(error, UNSUPPORTED, "encryption is supported only with 'raw' and 'qcow2' image format");
}

static gboolean validate_server(StorageType type, const DiskSource *source, GError **error)
{
    if (type != STORAGE_TYPE_NETWORK || !source)
        return TRUE;
    if (source->protocol == STORAGE_PROTOCOL_TFTP)
        return error_set(error, UNSUPPORTED, "'tftp' protocol is not supported with this QEMU binary");
    return source->protocol != STORAGE_PROTOCOL_NFS || source->hosts->len == 1 ||
           error_set(error, UNSUPPORTED, "'nfs' protocol requires the usage of exactly one host");
}

static gboolean validate_image(const DiskImage *image, gboolean writes, const Caps *caps, GError **error)
{
    return validate_format(image->type, image->format, writes, error) && validate_server(image->type, image->source, error) &&
           validate_encryption(image, caps, error);
}

/* A LUN is its own device: nothing of it is made up. */
static gboolean validate_lun(const Disk *disk, GError **error)
{
    if (disk->device != DISK_DEVICE_LUN)
        return TRUE;
    if (disk->wwn)
        return error_set(error, UNSUPPORTED, "Setting wwn is not supported for lun device");
    if (disk->vendor || disk->product)
        return error_set(error, UNSUPPORTED, "Setting vendor or product is not supported for lun device");
    if (disk->serial && disk->target->bus == DISK_BUS_SCSI)
        return error_set(error, UNSUPPORTED, "scsi-block 'lun' devices do not support the serial property");
    return disk->driver->copy_on_read != TOGGLE_ON ||
           error_set(error, UNSUPPORTED, "copy_on_read is not compatible with 'lun' disk '%s'", disk->target->dev);
}

gboolean validate_disk(const Domain *def, const Disk *disk, const Caps *caps, GError **error)
{
    DiskImage image = disk_image(disk);
    guint depth = 0;

    if (!validate_lun(disk, error) || !validate_image(&image, !disk->readonly, caps, error))
        return FALSE;
    for (const DiskBackingStore *store = disk->backing_store; store && store->format && depth < CHAIN_MAX;
         store = store->backing_store, depth++) {
        image = disk_image_behind(disk, store);
        if (!validate_image(&image, FALSE, caps, error))
            return FALSE;
    }
    return disk->type != STORAGE_TYPE_VHOSTUSER || machine_memory_is_shared(def) ||
           error_set(error, UNSUPPORTED, "'vhostuser' requires shared memory");
}
