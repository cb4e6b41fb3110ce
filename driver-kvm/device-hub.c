/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/device.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Hub *hub = device;
    g_autoptr(JsonObject) props = props_new("driver", "usb-hub");

    props_string(props, "id", hub->alias->name);
    if (!device_address_props(live, hub->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_hub = {
    .name = "hub", .offset = offsetof(Devices, hubs), .alias = offsetof(Hub, alias), .address = offsetof(Hub, address),
    .prefix = "hub", .build = build,
};
