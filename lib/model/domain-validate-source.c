/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/error.h"
#include "lib/model/domain-source.h"

#define UNSUPPORTED VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED
#define WRONG VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR

/* --- credentials and encryption --- */

/* What a secret is for, of the protocols that know any. */
static SecretType secret_of(StorageProtocol protocol)
{
    switch (protocol) {
    case STORAGE_PROTOCOL_RBD:
        return SECRET_TYPE_CEPH;
    case STORAGE_PROTOCOL_ISCSI:
    case STORAGE_PROTOCOL_HTTP:
    case STORAGE_PROTOCOL_HTTPS:
    case STORAGE_PROTOCOL_FTP:
    case STORAGE_PROTOCOL_FTPS:
    case STORAGE_PROTOCOL_TFTP:
    case STORAGE_PROTOCOL_SSH:
        return SECRET_TYPE_ISCSI;
    default:
        return SECRET_TYPE_UNSET;
    }
}

static gboolean validate_auth(const Disk *disk, GError **error)
{
    const DiskAuth *inner = disk->source ? disk->source->auth : NULL, *auth = inner ? inner : disk->auth;
    SecretType wanted;

    if (inner && disk->auth)
        return error_set(error, UNSUPPORTED, "an <auth> definition already found for disk source");
    if (!auth || disk->type != STORAGE_TYPE_NETWORK || !disk->source)
        return TRUE;
    wanted = secret_of(disk->source->protocol);
    if (wanted == SECRET_TYPE_UNSET)
        return error_set(error, UNSUPPORTED, "authentication is not supported for protocol '%s'",
                         storage_protocol_to_string(disk->source->protocol));
    return auth->secret->type == wanted ||
           error_set(error, UNSUPPORTED, "invalid secret type '%s'", secret_type_to_string(auth->secret->type));
}

static const StorageEncryption *encryption_of(const Disk *disk)
{
    return disk->source && disk->source->encryption ? disk->source->encryption : disk->encryption;
}

static gboolean validate_encryption(const Disk *disk, GError **error)
{
    const StorageEncryption *encryption = encryption_of(disk);

    if (disk->encryption && disk->source && disk->source->encryption)
        return error_set(error, UNSUPPORTED, "an <encryption> definition already found for disk source");
    return !encryption || !encryption->cipher ||
           error_set(error, UNSUPPORTED, "supplying <cipher> for domain disk definition is unnecessary");
}

/* --- LUNs --- */

static gboolean validate_lun(const Disk *disk, GError **error)
{
    const DiskSource *source = disk->source;

    if (disk->device != DISK_DEVICE_LUN) {
        if (source && source->reservations)
            return error_set(error, UNSUPPORTED, "<reservations/> allowed only for lun devices");
        if (disk->sgio != DISK_SGIO_UNSET)
            return error_set(error, UNSUPPORTED, "sgio can be used only with device='lun'");
        return disk->rawio == TOGGLE_UNSET || error_set(error, UNSUPPORTED, "rawio can be used only with device='lun'");
    }
    if (disk->type != STORAGE_TYPE_BLOCK && disk->type != STORAGE_TYPE_NETWORK && disk->type != STORAGE_TYPE_VOLUME)
        return error_set(error, UNSUPPORTED, "disk device='lun' is only valid for block type disk source");
    if (disk->type == STORAGE_TYPE_NETWORK && source && source->protocol != STORAGE_PROTOCOL_ISCSI)
        return error_set(error, UNSUPPORTED, "disk device='lun' is not supported for protocol='%s'",
                         storage_protocol_to_string(source->protocol));
    if (disk->driver && disk->driver->type != STORAGE_FORMAT_RAW && disk->driver->type != STORAGE_FORMAT_UNSET)
        return error_set(error, UNSUPPORTED, "disk device 'lun' must use 'raw' format");
    if (encryption_of(disk))
        return error_set(error, UNSUPPORTED, "disk device 'lun' doesn't support encryption");
    return disk->sgio != DISK_SGIO_UNFILTERED || error_set(error, UNSUPPORTED, "unfiltered sgio is no longer supported");
}

/* --- vhost-user --- */

/* The process at the other end serves the disk: nothing of ours has a say in it. */
static gboolean validate_vhostuser(const Disk *disk, GError **error)
{
    g_autoptr(DiskDriver) nothing = disk_driver_new();
    const DiskDriver *driver = disk->driver ? disk->driver : nothing;
    const struct {
        gboolean set;
        const char *name;
    } rules[] = {
        {disk->blockio != NULL, "blockio"},
        {disk->geometry != NULL, "geometry"},
        {disk->iotune != NULL, "iotune"},
        {disk->backing_store != NULL, "backingStore"},
        {disk->encryption != NULL, "encryption"},
        {driver->cache != DISK_CACHE_UNSET, "cache"},
        {driver->error_policy != DISK_ERROR_POLICY_UNSET || driver->rerror_policy != DISK_ERROR_POLICY_UNSET, "error_policy"},
        {driver->io != DISK_IO_UNSET, "io"},
        {driver->ioeventfd != TOGGLE_UNSET, "ioeventfd"},
        {driver->copy_on_read != TOGGLE_UNSET, "copy_on_read"},
        {driver->discard != DISK_DISCARD_UNSET, "discard"},
        {driver->iothread != UNSET32, "iothread"},
        {driver->detect_zeroes != DISK_DETECT_ZEROES_UNSET, "detect_zeroes"},
        {driver->metadata_cache != NULL, "metadata_cache"},
        {disk->readonly, "readonly"},
        {disk->shareable, "shareable"},
        {disk->transient != NULL, "transient"},
        {disk->serial != NULL, "serial"},
        {disk->wwn != NULL, "wwn"},
        {disk->vendor != NULL, "vendor"},
        {disk->product != NULL, "product"},
    };

    if (disk->snapshot != DISK_SNAPSHOT_UNSET && disk->snapshot != DISK_SNAPSHOT_NO)
        return error_set(error, UNSUPPORTED, "only snapshot=no is supported with vhostuser disk");
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
        if (rules[i].set)
            return error_set(error, UNSUPPORTED, "%s is not supported with vhostuser disk", rules[i].name);
    return disk->target->bus == DISK_BUS_VIRTIO ||
           error_set(error, UNSUPPORTED, "vhostuser disk supports only virtio bus");
}

gboolean domain_validate_source(const Disk *disk, GError **error)
{
    if (disk->type == STORAGE_TYPE_VHOSTUSER && !validate_vhostuser(disk, error))
        return FALSE;
    if (disk->type == STORAGE_TYPE_VHOSTUSER && disk->source && disk->source->startup_policy != DISK_STARTUP_UNSET)
        return error_set(error, WRONG, "disk startupPolicy '%s' is not allowed for disk of 'vhostuser' type",
                         disk_startup_to_string(disk->source->startup_policy));
    return validate_auth(disk, error) && validate_encryption(disk, error) && validate_lun(disk, error);
}
