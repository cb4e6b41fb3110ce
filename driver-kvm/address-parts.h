/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What address.c is made of. */
#include "driver-kvm/device.h"
#include "lib/model/pci-map.h"

/* FN for each device that can have an address, until it returns FALSE. */
gboolean address_each(Domain *def, DeviceFunc fn, gpointer data, GError **error);

/* PciConnect of DEVICE on this machine, with PCI_CONNECT_AUTO where we may place it. */
guint address_needs(const DeviceKind *kind, const Domain *def, gconstpointer device);

/* Takes the next fitting place; written to *ADDRESS (made if NULL) only if FINAL. FUNCTION -1: any. */
gboolean address_take(Domain *def, PciMap *map, gboolean final, guint needs, int function, Address **address,
                      GError **error);

/* address-chipset.c: what pc and q35 have at fixed PCI places, and the numbers of PCI controllers.
 *
 * Takes what the chipset has and gives its devices their addresses. */
gboolean address_chipset(Domain *def, PciMap *map, gboolean final, GError **error);

/* Once all have addresses: names, chassis and ports of PCI controllers. */
gboolean address_bridges(Domain *def, GError **error);

/* address-usb.c: USB ports, with hubs where there are too few. */
gboolean address_usb(Domain *def, GError **error);
gboolean address_usb_plug(Domain *live, GError **error); /* without more hubs */

/* address-bus.c: places on the other buses (virtio-mmio, sPAPR's, channels); before PCI, since what has one of these
 * needs no slot. */
gboolean address_buses(Domain *def, const Caps *caps, GError **error);
/* What s390 calls its PCI devices beside where they are; after PCI. As with libvirt, of the controllers only the first
 * N_CONTROLLERS have it: those that were there before slots ran out. */
gboolean address_zpci(Domain *def, const Caps *caps, guint n_controllers, GError **error);
