/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What QEMU can do with the source of a disk: formats, encryption, servers. */
#include "driver-kvm/machine.h"
#include "driver-kvm/validate.h"
#include "lib/error.h"

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

static gboolean validate_encryption(const StorageEncryption *encryption, StorageType type, const DiskSource *source,
                                    StorageFormat format, GError **error)
{
    if (!encryption)
        return TRUE;
    if (encryption->engine == STORAGE_ENCRYPTION_ENGINE_LIBRBD)
        return (type == STORAGE_TYPE_NETWORK && source && source->protocol == STORAGE_PROTOCOL_RBD) ||
               error_set(error, UNSUPPORTED, "librbd encryption is supported only with RBD backed disks");
    if (encryption->format == STORAGE_ENCRYPTION_FORMAT_QCOW || encryption->format == STORAGE_ENCRYPTION_FORMAT_DEFAULT)
        return error_set(error, UNSUPPORTED, "old qcow/qcow2 encryption is not supported");
    if (encryption->format == STORAGE_ENCRYPTION_FORMAT_LUKS2)
        return error_set(error, UNSUPPORTED, "luks2 is currently not supported by the qemu encryption engine");
    return format == STORAGE_FORMAT_RAW || format == STORAGE_FORMAT_QCOW2 || format == STORAGE_FORMAT_UNSET ||
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

static gboolean validate_source(StorageType type, const DiskSource *source, const StorageEncryption *encryption,
                                StorageFormat format, gboolean writes, GError **error)
{
    return validate_format(type, format, writes, error) && validate_server(type, source, error) &&
           validate_encryption(source && source->encryption ? source->encryption : encryption, type, source, format, error);
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

gboolean validate_disk(const Domain *def, const Disk *disk, GError **error)
{
    guint depth = 0;

    if (!validate_lun(disk, error) ||
        !validate_source(disk->type, disk->source, disk->encryption, disk->driver->type, !disk->readonly, error))
        return FALSE;
    for (const DiskBackingStore *store = disk->backing_store; store && store->format && depth < CHAIN_MAX;
         store = store->backing_store, depth++)
        if (!validate_source(store->type, store->source, NULL, store->format->type, FALSE, error))
            return FALSE;
    return disk->type != STORAGE_TYPE_VHOSTUSER || machine_memory_is_shared(def) ||
           error_set(error, UNSUPPORTED, "'vhostuser' requires shared memory");
}
