/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that guests share: a file below /dev/shm by the device's name, or what a server hands out. */
#include "driver-kvm/device.h"

#include <string.h>

#include "driver-kvm/caps.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"

#define DEFAULT_SIZE 4 /* MiB */
#define UNSUPPORTED VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED

static guint connect_pci(const Domain *def, gconstpointer device)
{
    return PCI_CONNECT_DEVICE;
}

static ShmemModel model_of(const Shmem *shmem)
{
    return shmem->model && shmem->model->type != SHMEM_MODEL_UNSET ? shmem->model->type : SHMEM_MODEL_IVSHMEM;
}

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Shmem *shmem = device;

    if (model_of(shmem) != SHMEM_MODEL_IVSHMEM_DOORBELL && (shmem->size == UNSET64 || shmem->size == 0))
        shmem->size = DEFAULT_SIZE;
    if (shmem->server && !shmem->msi)
        shmem->msi = shmem_msi_new();
    if (shmem->server && shmem->msi->ioeventfd == TOGGLE_UNSET)
        shmem->msi->ioeventfd = TOGGLE_ON;
    return TRUE;
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Shmem *shmem = device;
    ShmemModel model = model_of(shmem);
    const char *name = shmem_model_to_string(model);

    if (strchr(shmem->name, '/'))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "shmem name cannot include '/' character");
    if (strcmp(shmem->name, ".") == 0 || strcmp(shmem->name, "..") == 0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "shmem name cannot be equal to '%s'", shmem->name);
    if (shmem->msi && !shmem->server)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "msi option is only supported with a server");
    if (!caps_has_type(caps, name))
        return error_set(error, UNSUPPORTED,
                         model == SHMEM_MODEL_IVSHMEM ? "%s device is not supported with this QEMU binary"
                                                      : "shmem model '%s' is not supported by this QEMU binary",
                         name);
    if (model == SHMEM_MODEL_IVSHMEM_PLAIN && shmem->server)
        return error_set(error, UNSUPPORTED, "shmem model '%s' is supported only with server option disabled", name);
    if (model == SHMEM_MODEL_IVSHMEM_DOORBELL && !shmem->server)
        return error_set(error, UNSUPPORTED, "shmem model '%s' is supported only with server option enabled", name);
    if (model == SHMEM_MODEL_IVSHMEM_DOORBELL && shmem->size != UNSET64 && shmem->size != 0)
        return error_set(error, UNSUPPORTED, "shmem model '%s' does not support size setting", name);
    return TRUE;
}

static guint64 size_of(const Shmem *shmem)
{
    return shmem->size == UNSET64 || shmem->size == 0 ? DEFAULT_SIZE : shmem->size;
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    guint64 size = size_of(device);

    return (size & (size - 1)) == 0 ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR, "shmem size must be a power of two");
}

static void build_memory(const Shmem *shmem, JsonObject *props, GPtrArray *parts)
{
    JsonObject *memory = props_new("qom-type", "memory-backend-file");

    props_format(memory, "id", "shmmem-%s", shmem->alias->name);
    props_format(memory, "mem-path", "/dev/shm/%s", shmem->name);
    props_int(memory, "size", (gint64)(size_of(shmem) << 20));
    props_bool(memory, "share", TRUE);
    parts_add(parts, PART_OBJECT, memory);
    props_format(props, "memdev", "shmmem-%s", shmem->alias->name);
    if (shmem->role != SHMEM_ROLE_UNSET)
        props_string(props, "master", shmem->role == SHMEM_ROLE_MASTER ? "on" : "off");
}

static void build_server(const Shmem *shmem, JsonObject *props, GPtrArray *parts)
{
    g_autofree char *own = g_strdup_printf("/var/lib/libvirt/shmem-%s-sock", shmem->name);
    g_autofree char *id = g_strconcat("char", shmem->alias->name, NULL);

    parts_add_socket(parts, id, shmem->server->path ? shmem->server->path : own);
    props_string(props, "chardev", id);
    if (shmem->role != SHMEM_ROLE_UNSET)
        props_string(props, "master", shmem->role == SHMEM_ROLE_MASTER ? "on" : "off");
    if (shmem->msi) {
        props_uint(props, "vectors", shmem->msi->vectors);
        props_toggle(props, "ioeventfd", shmem->msi->ioeventfd);
    }
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Shmem *shmem = device;
    g_autoptr(JsonObject) props = props_new("driver", shmem_model_to_string(model_of(shmem)));

    props_string(props, "id", shmem->alias->name);
    if (shmem->server)
        build_server(shmem, props, parts);
    else
        build_memory(shmem, props, parts);
    if (!device_address_props(live, shmem->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_shmem = {
    .name = "shmem", .offset = offsetof(Devices, shmems), .alias = offsetof(Shmem, alias), .address = offsetof(Shmem, address),
    .prefix = "shmem", .connect = connect_pci, .complete = complete, .validate = validate,
    .prepare = prepare, .build = build,
};
