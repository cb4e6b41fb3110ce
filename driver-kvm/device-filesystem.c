/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Folders of the host: by QEMU itself (9p), or by virtiofsd beside it (virtiofs.h). */
#include "driver-kvm/device.h"
#include "driver-kvm/machine.h"

#include <string.h>
#include <unistd.h>

#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "driver-kvm/virtiofs.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"

#define UNSUPPORTED VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED

static gboolean is_virtiofs(const Filesystem *filesystem)
{
    return filesystem->driver && filesystem->driver->type == FILESYSTEM_DRIVER_TYPE_VIRTIOFS;
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Filesystem *filesystem = device;

    return filesystem->model == FILESYSTEM_MODEL_VIRTIO_TRANSITIONAL ? PCI_CONNECT_DEVICE : PCI_CONNECT_EXPRESS;
}

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Filesystem *filesystem = device;

    if (filesystem->accessmode == FILESYSTEM_ACCESS_UNSET && !(filesystem->source && filesystem->source->socket))
        filesystem->accessmode = FILESYSTEM_ACCESS_PASSTHROUGH;
    return TRUE;
}

static gboolean validate_virtiofs(const Domain *def, const Filesystem *filesystem, GError **error)
{
    gboolean foreign = filesystem->source && filesystem->source->socket;

    if (filesystem->readonly)
        return error_set(error, UNSUPPORTED, "virtiofs does not yet support read-only mode");
    if (geteuid() != 0 && !foreign)
        return error_set(error, UNSUPPORTED, "virtiofs is not yet supported in session mode");
    if (!foreign && filesystem->accessmode != FILESYSTEM_ACCESS_PASSTHROUGH)
        return error_set(error, UNSUPPORTED, "virtiofs only supports passthrough accessmode");
    if (filesystem->driver->wrpolicy != FILESYSTEM_WR_POLICY_UNSET)
        return error_set(error, UNSUPPORTED, "virtiofs does not support wrpolicy");
    if (filesystem->model > FILESYSTEM_MODEL_VIRTIO)
        return error_set(error, UNSUPPORTED, "virtiofs does not support model");
    if (filesystem->driver->format != STORAGE_FORMAT_UNSET)
        return error_set(error, UNSUPPORTED, "virtiofs does not support format");
    if (filesystem->multidevs > FILESYSTEM_MULTIDEVS_DEFAULT)
        return error_set(error, UNSUPPORTED, "virtiofs does not support multidevs");
    return machine_memory_is_shared(def) || error_set(error, UNSUPPORTED, "'virtiofs' requires shared memory");
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Filesystem *filesystem = device;
    FilesystemDriverType driver = filesystem->driver ? filesystem->driver->type : FILESYSTEM_DRIVER_TYPE_UNSET;

    if (filesystem->type != FILESYSTEM_TYPE_UNSET && filesystem->type != FILESYSTEM_TYPE_MOUNT)
        return error_set(error, UNSUPPORTED, "only supports mount filesystem type");
    if ((filesystem->fmode || filesystem->dmode) && filesystem->accessmode != FILESYSTEM_ACCESS_MAPPED)
        return error_set(error, UNSUPPORTED, "fmode and dmode must be used with accessmode=mapped");
    if (driver == FILESYSTEM_DRIVER_TYPE_LOOP || driver == FILESYSTEM_DRIVER_TYPE_NBD || driver == FILESYSTEM_DRIVER_TYPE_PLOOP)
        return error_set(error, UNSUPPORTED, "Filesystem driver type not supported");
    return !is_virtiofs(filesystem) || validate_virtiofs(def, filesystem, error);
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    Filesystem *filesystem = device;

    if (!is_virtiofs(filesystem) || filesystem->source->socket || !context->touch_host)
        return TRUE;
    return virtiofs_prepare(filesystem, error);
}

static void build_virtiofs(const Filesystem *filesystem, const ArgvContext *context, JsonObject *props, GPtrArray *parts)
{
    const char *alias = filesystem->alias->name;
    g_autofree char *own = virtiofs_socket(context->private_dir, alias);
    const char *path = filesystem->source->socket ? filesystem->source->socket : own;
    g_autofree char *id = g_strconcat("chr-vu-", alias, NULL);

    parts_add_socket(parts, id, path);
    props_string(props, "id", alias);
    props_string(props, "chardev", id);
    props_positive(props, "queue-size", filesystem->driver->queue);
    props_string(props, "tag", filesystem->target->dir);
    if (filesystem->boot)
        props_uint(props, "bootindex", filesystem->boot->order);
}

static void option(GString *text, const char *key, const char *value)
{
    if (value)
        g_string_append_printf(text, ",%s=%s", key, value);
}

static void build_9p(const Filesystem *filesystem, JsonObject *props, GPtrArray *parts)
{
    static const char *const models[] = {
        [FILESYSTEM_ACCESS_PASSTHROUGH] = "passthrough", [FILESYSTEM_ACCESS_MAPPED] = "mapped", [FILESYSTEM_ACCESS_SQUASH] = "none"};
    const FilesystemDriver *driver = filesystem->driver;
    const char *alias = filesystem->alias->name;
    g_autofree char *path = part_escape(filesystem->source->dir);
    GString *text = g_string_new(driver && driver->type == FILESYSTEM_DRIVER_TYPE_HANDLE ? "handle" : "local");

    if (!driver || driver->type != FILESYSTEM_DRIVER_TYPE_HANDLE) {
        option(text, "security_model", models[filesystem->accessmode]);
        if (filesystem->multidevs > FILESYSTEM_MULTIDEVS_DEFAULT)
            option(text, "multidevs", filesystem_multidevs_to_string(filesystem->multidevs));
        option(text, "fmode", filesystem->fmode);
        option(text, "dmode", filesystem->dmode);
    }
    if (driver && driver->wrpolicy == FILESYSTEM_WR_POLICY_IMMEDIATE)
        option(text, "writeout", "immediate");
    g_string_append_printf(text, ",id=fsdev-%s,path=%s%s", alias, path, filesystem->readonly ? ",readonly" : "");
    parts_add_option(parts, "-fsdev", g_string_free(text, FALSE));
    props_string(props, "id", alias);
    props_format(props, "fsdev", "fsdev-%s", alias);
    props_string(props, "mount_tag", filesystem->target->dir);
}

static const char *driver_name(const Filesystem *filesystem)
{
    return is_virtiofs(filesystem)                                          ? "vhost-user-fs-pci"
           : filesystem->model == FILESYSTEM_MODEL_VIRTIO_TRANSITIONAL     ? "virtio-9p-pci-transitional"
           : filesystem->model == FILESYSTEM_MODEL_VIRTIO_NON_TRANSITIONAL ? "virtio-9p-pci-non-transitional"
                                                                           : "virtio-9p-pci";
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Filesystem *filesystem = device;
    g_autoptr(JsonObject) props = props_new("driver", driver_name(filesystem));

    if (!is_virtiofs(filesystem) && !filesystem->source->dir)
        return error_set(error, UNSUPPORTED, "a <filesystem> without a folder of the host is not supported by this driver");
    props_virtio(props, filesystem->driver);
    if (is_virtiofs(filesystem))
        build_virtiofs(filesystem, context, props, parts);
    else
        build_9p(filesystem, props, parts);
    if (!device_address_props(live, filesystem->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_filesystem = {
    .name = "filesystem", .offset = offsetof(Devices, filesystems), .alias = offsetof(Filesystem, alias),
    .address = offsetof(Filesystem, address), .prefix = "fs", .complete = complete, .validate = validate,
    .connect = connect_pci, .prepare = prepare, .build = build,
};
