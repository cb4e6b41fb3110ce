/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/usb-map.h"
#include "lib/error.h"

#define BUSES_MAX 256
#define PORTS_MAX 255

typedef struct UsbHub UsbHub;
struct UsbHub {
    guint n_ports;
    gboolean *taken;
    UsbHub **hubs; /* what is plugged in, where it is a hub */
};

struct UsbMap {
    GPtrArray *buses; /* of UsbHub, NULL where there is no such bus */
};

static UsbHub *usb_hub_new(guint n_ports)
{
    UsbHub *hub = g_new0(UsbHub, 1);

    hub->n_ports = n_ports;
    hub->taken = g_new0(gboolean, n_ports);
    hub->hubs = g_new0(UsbHub *, n_ports);
    return hub;
}

static void usb_hub_free(gpointer data)
{
    UsbHub *hub = data;

    if (!hub)
        return;
    for (guint i = 0; i < hub->n_ports; i++)
        usb_hub_free(hub->hubs[i]);
    g_free(hub->hubs);
    g_free(hub->taken);
    g_free(hub);
}

UsbMap *usb_map_new(void)
{
    UsbMap *map = g_new0(UsbMap, 1);

    map->buses = g_ptr_array_new_with_free_func(usb_hub_free);
    return map;
}

void usb_map_free(UsbMap *map)
{
    if (!map)
        return;
    g_ptr_array_unref(map->buses);
    g_free(map);
}

gboolean usb_address_complete(const Address *address)
{
    return address && address->type == ADDRESS_TYPE_USB && address->port && g_strcmp0(address->port, "0") != 0;
}

static UsbHub *bus_at(const UsbMap *map, guint bus)
{
    return bus < map->buses->len ? g_ptr_array_index(map->buses, bus) : NULL;
}

gboolean usb_map_add_bus(UsbMap *map, guint bus, guint ports, GError **error)
{
    if (bus >= BUSES_MAX || ports > PORTS_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "USB controller with index %u is out of range", bus);
    if (bus_at(map, bus))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Duplicate USB controllers with index %u", bus);
    if (map->buses->len <= bus)
        g_ptr_array_set_size(map->buses, (gint)bus + 1);
    g_ptr_array_index(map->buses, bus) = usb_hub_new(ports);
    return TRUE;
}

/* The hub that ADDRESS's last port belongs to, and that port's index. */
static UsbHub *find_port(const UsbMap *map, const Address *address, guint *ret_port, GError **error)
{
    g_auto(GStrv) path = g_strsplit(address->port, ".", USB_DEPTH_MAX + 1);
    guint depth = g_strv_length(path);
    UsbHub *hub = bus_at(map, address->bus);
    guint port;

    if (!hub) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Missing USB bus %u", address->bus);
        return NULL;
    }
    for (guint i = 0; i + 1 < depth; i++) {
        port = (guint)g_ascii_strtoull(path[i], NULL, 10);
        if (port == 0 || port > hub->n_ports) {
            error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "port %u out of range in USB address bus: %u port: %s",
                      port, address->bus, address->port);
            return NULL;
        }
        hub = hub->hubs[port - 1];
        if (!hub) {
            error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "there is no hub at port %u in USB address bus: %u port: %s",
                      port, address->bus, address->port);
            return NULL;
        }
    }
    port = (guint)g_ascii_strtoull(path[depth - 1], NULL, 10);
    if (port == 0 || port > hub->n_ports || depth > USB_DEPTH_MAX) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "requested USB port %s not present on USB bus %u",
                  address->port, address->bus);
        return NULL;
    }
    *ret_port = port - 1;
    return hub;
}

gboolean usb_map_add_hub(UsbMap *map, const Address *address, GError **error)
{
    guint port;
    UsbHub *hub;

    if (!usb_address_complete(address))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Wrong address type for USB hub");
    hub = find_port(map, address, &port, error);
    if (!hub)
        return FALSE;
    if (hub->hubs[port])
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Duplicate USB hub on bus %u port %s", address->bus,
                         address->port);
    hub->taken[port] = TRUE;
    hub->hubs[port] = usb_hub_new(USB_HUB_PORTS);
    return TRUE;
}

gboolean usb_map_reserve(UsbMap *map, const Address *address, GError **error)
{
    guint port;
    UsbHub *hub;

    if (!usb_address_complete(address))
        return TRUE;
    hub = find_port(map, address, &port, error);
    if (!hub)
        return FALSE;
    if (hub->taken[port])
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Duplicate USB address bus %u port %s", address->bus,
                         address->port);
    hub->taken[port] = TRUE;
    return TRUE;
}

/* A free port at or below HUB, as text after PREFIX; NULL if there is none. The hub's own ports come first. */
static char *free_port(const UsbHub *hub, const char *prefix, guint level)
{
    for (guint i = 0; i < hub->n_ports; i++)
        if (!hub->taken[i])
            return g_strdup_printf("%s%u", prefix, i + 1);
    if (level + 1 >= USB_DEPTH_MAX)
        return NULL;
    for (guint i = 0; i < hub->n_ports; i++) {
        g_autofree char *deeper = g_strdup_printf("%s%u.", prefix, i + 1);
        char *found = hub->hubs[i] ? free_port(hub->hubs[i], deeper, level + 1) : NULL;

        if (found)
            return found;
    }
    return NULL;
}

gboolean usb_map_assign(UsbMap *map, Address **address, GError **error)
{
    gboolean fixed = *address && (*address)->type == ADDRESS_TYPE_USB;
    guint first = fixed ? (*address)->bus : 0;
    guint end = fixed ? first + 1 : map->buses->len;

    if (fixed && !bus_at(map, first))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                         "USB bus %u requested but no controller with that index is present", first);
    for (guint bus = first; bus < end; bus++) {
        const UsbHub *hub = bus_at(map, bus);
        char *port = hub ? free_port(hub, "", 0) : NULL;

        if (!port)
            continue;
        if (!*address)
            *address = address_new();
        (*address)->type = ADDRESS_TYPE_USB;
        (*address)->bus = bus;
        g_free((*address)->port);
        (*address)->port = port;
        return usb_map_reserve(map, *address, error);
    }
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "No free USB ports");
}
