/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which USB ports of a guest are taken, hubs included. A port is written "1", or "1.2" behind a hub. One owner. */
#include <glib.h>
#include "lib/model/model.h"

#define USB_HUB_PORTS 8
#define USB_DEPTH_MAX 4

typedef struct UsbMap UsbMap;

UsbMap *usb_map_new(void);
void usb_map_free(UsbMap *map); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UsbMap, usb_map_free)

/* Bus BUS has PORTS ports. FALSE if there is one of that number already. */
gboolean usb_map_add_bus(UsbMap *map, guint bus, guint ports, GError **error);

/* A hub is plugged in at ADDRESS, which is complete: takes the port and offers its own ports. */
gboolean usb_map_add_hub(UsbMap *map, const Address *address, GError **error);

/* Takes the port of ADDRESS; nothing to do if ADDRESS names none. */
gboolean usb_map_reserve(UsbMap *map, const Address *address, GError **error);

/* Gives *ADDRESS (made if NULL) a free port: on its bus if it names one, else on the first bus that has one. */
gboolean usb_map_assign(UsbMap *map, Address **address, GError **error);

/* ADDRESS is a USB address with a port. NULL is allowed. */
gboolean usb_address_complete(const Address *address);
