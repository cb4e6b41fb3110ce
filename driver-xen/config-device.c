/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One device as libxl wants it described (xl-disk-configuration(5), xl-network-configuration(5)). */
#include "driver-xen/config.h"

#include <stdio.h>
#include <string.h>

#include "lib/error.h"
#include "lib/model/domain-disk.h"

#define UNSUPPORTED VIR_FROM_LIBXL, VIR_ERR_CONFIG_UNSUPPORTED
#define RATE_INTERVAL 50000 /* microseconds in which an interface gets its credit anew; xl's own default */

/* --- disks --- */

static const struct {
    StorageFormat format;
    libxl_disk_format libxl;
} formats[] = {
    {STORAGE_FORMAT_UNSET, LIBXL_DISK_FORMAT_RAW}, {STORAGE_FORMAT_RAW, LIBXL_DISK_FORMAT_RAW},
    {STORAGE_FORMAT_QCOW, LIBXL_DISK_FORMAT_QCOW}, {STORAGE_FORMAT_QCOW2, LIBXL_DISK_FORMAT_QCOW2},
    {STORAGE_FORMAT_QED, LIBXL_DISK_FORMAT_QED},   {STORAGE_FORMAT_VHD, LIBXL_DISK_FORMAT_VHD},
};

static const struct {
    const char *name;
    libxl_disk_backend backend;
    gboolean raw_only;
} drivers[] = {
    {"qemu", LIBXL_DISK_BACKEND_QDISK, FALSE}, {"tap", LIBXL_DISK_BACKEND_QDISK, FALSE}, {"tap2", LIBXL_DISK_BACKEND_QDISK, FALSE},
    {"file", LIBXL_DISK_BACKEND_QDISK, TRUE},  {"phy", LIBXL_DISK_BACKEND_PHY, TRUE},
};

static gboolean no_format(StorageFormat format, const char *driver, GError **error)
{
    return error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "libxenlight does not support disk format %s with disk driver %s",
                     storage_format_to_string(format), driver);
}

static gboolean set_format(StorageFormat format, const char *driver, libxl_device_disk *config, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
        if (formats[i].format == format) {
            config->format = formats[i].libxl;
            return TRUE;
        }
    return no_format(format, driver, error);
}

static gboolean set_driver(const DiskDriver *driver, libxl_device_disk *config, GError **error)
{
    config->format = LIBXL_DISK_FORMAT_RAW;
    config->backend = LIBXL_DISK_BACKEND_UNKNOWN;
    if (!driver || !driver->name)
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(drivers); i++) {
        if (strcmp(drivers[i].name, driver->name) != 0)
            continue;
        config->backend = drivers[i].backend;
        if (drivers[i].raw_only && driver->type != STORAGE_FORMAT_RAW && driver->type != STORAGE_FORMAT_UNSET)
            return no_format(driver->type, driver->name, error);
        return set_format(driver->type, driver->name, config, error);
    }
    return error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "libxenlight does not support disk driver %s", driver->name);
}

gboolean config_disk(const Disk *disk, libxl_device_disk *config, GError **error)
{
    const DiskSource *source = disk->source;
    const char *path = !source ? NULL : disk->type == STORAGE_TYPE_BLOCK ? source->dev : source->file;

    if (disk->type != STORAGE_TYPE_FILE && disk->type != STORAGE_TYPE_BLOCK)
        return error_set(error, UNSUPPORTED, "disks of type '%s' are not supported by this driver", storage_type_to_string(disk->type));
    if (disk->transient)
        return error_set(error, UNSUPPORTED, "libxenlight does not support transient disks");
    if (!set_driver(disk->driver, config, error))
        return FALSE;
    config->pdev_path = config_dup(path);
    config->vdev = config_dup(disk->target->dev);
    config->removable = 1;
    config->readwrite = !disk->readonly;
    config->is_cdrom = disk->device == DISK_DEVICE_CDROM;
    if (config->readwrite && disk->driver && disk->driver->discard != DISK_DISCARD_UNSET)
        libxl_defbool_set(&config->discard_enable, disk->driver->discard == DISK_DISCARD_UNMAP);
    if (config->is_cdrom && !path)
        config->format = LIBXL_DISK_FORMAT_EMPTY;
    if (disk->backenddomain)
        config->backend_domname = config_dup(disk->backenddomain->name);
    return TRUE;
}

/* --- interfaces --- */

static gboolean set_model(const Domain *live, const char *model, gboolean plugged, libxl_device_nic *config, GError **error)
{
    gboolean hvm = live->os->type->value == OS_TYPE_HVM, netfront = g_strcmp0(model, "netfront") == 0;

    if (model && !hvm && !netfront)
        return error_set(error, UNSUPPORTED, "only model 'netfront' is supported for Xen PV(H) domains");
    config->model = config_dup(model);
    config->nictype = (model ? !netfront : hvm && !plugged) ? LIBXL_NIC_TYPE_VIF_IOEMU : LIBXL_NIC_TYPE_VIF;
    return TRUE;
}

static gboolean set_mac(const char *text, uint8_t mac[6], GError **error)
{
    return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) == 6 ||
           error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "'%s' is no hardware address", text);
}

gboolean config_is_generated(const char *name)
{
    return !name || g_str_has_prefix(name, "vif");
}

static char *addresses(const Interface *interface)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < interface->ips->len; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", ((const InterfaceIp *)interface->ips->pdata[i])->address);
    return text->len ? config_dup(text->str) : NULL;
}

gboolean config_nic(const Domain *live, const Interface *interface, gboolean plugged, libxl_device_nic *config, GError **error)
{
    const Bandwidth *bandwidth = interface->bandwidth;
    const BandwidthRate *out = bandwidth ? bandwidth->outbound : NULL;

    if (interface->type != INTERFACE_TYPE_BRIDGE && interface->type != INTERFACE_TYPE_ETHERNET)
        return error_set(error, UNSUPPORTED, "unsupported interface type %s", interface_type_to_string(interface->type));
    if (!set_mac(interface->mac->address, config->mac, error) ||
        !set_model(live, interface->model ? interface->model->type : NULL, plugged, config, error))
        return FALSE;
    if (interface->target && !config_is_generated(interface->target->dev))
        config->ifname = config_dup(interface->target->dev);
    if (interface->type == INTERFACE_TYPE_BRIDGE)
        config->bridge = config_dup(interface->source->bridge);
    config->script = config_dup(interface->script ? interface->script->path : NULL);
    config->ip = addresses(interface);
    if (interface->backenddomain)
        config->backend_domname = config_dup(interface->backenddomain->name);
    if (out && out->average > 0) {
        config->rate_bytes_per_interval = (guint64)out->average * 1024 * RATE_INTERVAL / 1000000;
        config->rate_interval_usecs = RATE_INTERVAL;
    }
    return TRUE;
}
