/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-source.h"

#include <string.h>

#include "lib/error.h"

#define UNSUPPORTED VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED
#define WRONG VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR
#define CHAIN_MAX 200 /* as many images as may lie on each other */

/* Protocols that have a usual port, and those whose names are two: "pool/image". */
static const struct {
    const char *port;
    gboolean two_names;
} protocols[STORAGE_PROTOCOL_LAST] = {
    [STORAGE_PROTOCOL_NBD] = {"10809", FALSE},   [STORAGE_PROTOCOL_RBD] = {NULL, TRUE},
    [STORAGE_PROTOCOL_SHEEPDOG] = {"7000", FALSE}, [STORAGE_PROTOCOL_GLUSTER] = {"24007", TRUE},
    [STORAGE_PROTOCOL_ISCSI] = {"3260", FALSE},  [STORAGE_PROTOCOL_HTTP] = {"80", FALSE},
    [STORAGE_PROTOCOL_HTTPS] = {"443", FALSE},   [STORAGE_PROTOCOL_FTP] = {"21", FALSE},
    [STORAGE_PROTOCOL_FTPS] = {"990", FALSE},    [STORAGE_PROTOCOL_TFTP] = {"69", FALSE},
    [STORAGE_PROTOCOL_SSH] = {"22", FALSE},      [STORAGE_PROTOCOL_VXHS] = {"9999", FALSE},
};

static void normalize_host(StorageProtocol protocol, DiskHost *host)
{
    if (host->transport == STORAGE_TRANSPORT_UNIX)
        g_clear_pointer(&host->name, g_free);
    else if (host->transport != STORAGE_TRANSPORT_RDMA && !host->port)
        host->port = g_strdup(protocols[protocol].port);
}

static gboolean normalize_network(DiskSource *source, GError **error)
{
    StorageProtocol protocol = source->protocol;

    if (!source->name && protocol != STORAGE_PROTOCOL_NBD)
        return error_set(error, WRONG, "missing name for disk source");
    if (protocols[protocol].two_names && !strchr(source->name, '/'))
        return error_set(error, WRONG, "can't split path '%s' into pool name and image name", source->name);
    if (protocol == STORAGE_PROTOCOL_ISCSI && !strchr(source->name, '/')) { /* a target's first unit is meant */
        char *name = g_strconcat(source->name, "/0", NULL);
        g_free(source->name);
        source->name = name;
    }
    for (guint i = 0; i < source->hosts->len; i++)
        normalize_host(protocol, g_ptr_array_index(source->hosts, i));
    return TRUE;
}

static void normalize_slices(DiskSource *source)
{
    GPtrArray *slices = source->slices ? source->slices->slices : NULL;

    for (guint i = 0; slices && i < slices->len;)
        if (((const DiskSlice *)g_ptr_array_index(slices, i))->type == DISK_SLICE_TYPE_UNSET)
            g_ptr_array_remove_index(slices, i);
        else
            i++;
    if (slices && slices->len == 0)
        g_clear_pointer(&source->slices, disk_slices_free);
}

static gboolean normalize_encryption(StorageEncryption *encryption, GError **error)
{
    if (!encryption)
        return TRUE;
    for (guint i = 0; i < encryption->secrets->len; i++) {
        const EncryptionSecret *secret = g_ptr_array_index(encryption->secrets, i);

        if (!secret->usage && !secret->uuid.set)
            return error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR, "missing secret uuid or usage attribute");
        if (secret->usage && secret->uuid.set)
            return error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR, "either secret uuid or usage expected");
    }
    if (encryption->ivgen && !encryption->cipher)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR, "ivgen element found, but cipher is missing");
    if (encryption->engine == STORAGE_ENCRYPTION_ENGINE_UNSET)
        encryption->engine = STORAGE_ENCRYPTION_ENGINE_QEMU;
    return TRUE;
}

static gboolean normalize_auth(const DiskAuth *auth, GError **error)
{
    if (!auth)
        return TRUE;
    if (!auth->secret->usage && !auth->secret->uuid.set)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR, "missing secret uuid or usage attribute");
    return !auth->secret->usage || !auth->secret->uuid.set ||
           error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR, "either secret uuid or usage expected");
}

static gboolean is_cookie_name(const char *name)
{
    for (; *name; name++)
        if (g_ascii_iscntrl(*name) || strchr(" \t()<>@,;:\\\"/[]?={}", *name))
            return FALSE;
    return TRUE;
}

/* It may stand in quotes. */
static gboolean is_cookie_value(const char *value)
{
    gsize length = strlen(value), first = value[0] == '"' ? 1 : 0, end = first && length > 1 && value[length - 1] == '"' ? length - 1 : length;

    for (gsize i = first; i < end; i++)
        if (g_ascii_iscntrl(value[i]) || strchr(" \",;\\", value[i]))
            return FALSE;
    return TRUE;
}

static gboolean normalize_cookies(const DiskCookies *cookies, GError **error)
{
    for (guint i = 0; cookies && i < cookies->cookies->len; i++) {
        const DiskCookie *cookie = g_ptr_array_index(cookies->cookies, i);

        if (!is_cookie_name(cookie->name))
            return error_set(error, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR, "cookie name '%s' contains invalid characters",
                             cookie->name);
        if (!cookie->value)
            return error_set(error, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR, "missing value for cookie '%s'", cookie->name);
        if (!is_cookie_value(cookie->value))
            return error_set(error, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR, "value of cookie '%s' contains invalid characters",
                             cookie->name);
    }
    return TRUE;
}

gboolean domain_normalize_source(StorageType type, DiskSource *source, GError **error)
{
    if (!source)
        return TRUE;
    if (type == STORAGE_TYPE_NETWORK && (!normalize_network(source, error) || !normalize_cookies(source->cookies, error)))
        return FALSE;
    if (type == STORAGE_TYPE_VOLUME && !source->pool != !source->volume)
        return error_set(error, WRONG, "'pool' and 'volume' must be specified together for 'pool' type source");
    if (type == STORAGE_TYPE_VHOSTUSER && !source->path)
        return error_set(error, WRONG, "missing 'path' attribute for vhostuser disk source");
    if (type == STORAGE_TYPE_NVME && source->namespace == 0)
        return error_set(error, UNSUPPORTED, "NVMe namespace can't be zero");
    normalize_slices(source);
    return normalize_auth(source->auth, error) && normalize_encryption(source->encryption, error);
}

gboolean domain_normalize_sources(Disk *disk, GError **error)
{
    guint depth = 0;

    if (disk->type == STORAGE_TYPE_VHOSTUSER && disk->snapshot == DISK_SNAPSHOT_UNSET)
        disk->snapshot = DISK_SNAPSHOT_NO;
    if (disk->driver && disk->driver->type == STORAGE_FORMAT_NONE)
        return error_set(error, UNSUPPORTED, "unknown driver format value 'none'");
    if (!domain_normalize_source(disk->type, disk->source, error) || !normalize_auth(disk->auth, error) ||
        !normalize_encryption(disk->encryption, error))
        return FALSE;
    for (DiskBackingStore *store = disk->backing_store; store && depth < CHAIN_MAX; store = store->backing_store, depth++)
        if (!domain_normalize_source(store->type, store->source, error))
            return FALSE;
    return !disk->mirror || domain_normalize_source(disk->mirror->type, disk->mirror->source, error);
}
