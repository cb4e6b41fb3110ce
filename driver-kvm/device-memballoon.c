/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/device.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Memballoon *balloon = device;

    if (balloon->model == MEMBALLOON_MODEL_XEN)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "Memory balloon device type '%s' is not supported by this version of qemu",
                         memballoon_model_to_string(balloon->model));
    return TRUE;
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Memballoon *balloon = device;

    switch (balloon->model) {
    case MEMBALLOON_MODEL_VIRTIO_TRANSITIONAL:
        return PCI_CONNECT_DEVICE;
    case MEMBALLOON_MODEL_VIRTIO:
    case MEMBALLOON_MODEL_VIRTIO_NON_TRANSITIONAL:
        return PCI_CONNECT_EXPRESS;
    default:
        return 0;
    }
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    const Memballoon *balloon = device;
    JsonObject *period;

    if (balloon->model == MEMBALLOON_MODEL_NONE || !balloon->stats || balloon->stats->period == UNSET32 ||
        balloon->stats->period == 0)
        return TRUE;
    period = json_object_new();
    props_format(period, "path", "/machine/peripheral/%s", balloon->alias->name);
    props_string(period, "property", "guest-stats-polling-interval");
    props_int(period, "value", balloon->stats->period);
    argv_context_command(context, "qom-set", period);
    return TRUE;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Memballoon *balloon = device;
    g_autoptr(JsonObject) props = NULL;

    if (balloon->model == MEMBALLOON_MODEL_NONE)
        return TRUE;
    props = props_new("driver", balloon->model == MEMBALLOON_MODEL_VIRTIO_TRANSITIONAL ? "virtio-balloon-pci-transitional"
                                : balloon->model == MEMBALLOON_MODEL_VIRTIO_NON_TRANSITIONAL
                                    ? "virtio-balloon-pci-non-transitional"
                                    : "virtio-balloon-pci");
    props_virtio(props, balloon->driver);
    props_string(props, "id", balloon->alias->name);
    props_toggle(props, "deflate-on-oom", balloon->autodeflate);
    props_toggle(props, "free-page-reporting", balloon->free_page_reporting);
    if (!device_address_props(live, balloon->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

static char *make_alias(const Domain *def, gconstpointer device, guint index)
{
    const Memballoon *balloon = device;

    return balloon->model == MEMBALLOON_MODEL_NONE ? NULL : g_strdup_printf("balloon%u", index);
}

const DeviceKind device_memballoon = {
    .name = "memballoon", .offset = offsetof(Devices, memballoon), .single = TRUE, .alias = offsetof(Memballoon, alias),
    .address = offsetof(Memballoon, address), .make_alias = make_alias, .validate = validate, .connect = connect_pci,
    .prepare = prepare, .build = build,
};
