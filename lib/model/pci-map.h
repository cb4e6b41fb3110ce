/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Which PCI slots of a guest are taken, and the search for free ones, by libvirt's rules: a definition without addresses
 * must get the addresses that libvirtd would have given it, since guests name their devices after them.
 *
 * A map that may grow adds buses (bridges, ports) where nothing fits; the caller then turns them into controllers and
 * runs again on a fixed map. One owner, one thread.
 */
#include <glib.h>
#include "lib/model/model.h"

/* What a device needs from the bus it is plugged into, or a bus offers. */
typedef enum {
    PCI_CONNECT_DEVICE = 1 << 0, /* conventional PCI endpoint */
    PCI_CONNECT_EXPRESS = 1 << 1,
    PCI_CONNECT_ROOT_PORT = 1 << 2,
    PCI_CONNECT_UPSTREAM_PORT = 1 << 3,
    PCI_CONNECT_DOWNSTREAM_PORT = 1 << 4,
    PCI_CONNECT_DMI_BRIDGE = 1 << 5,
    PCI_CONNECT_PCIE_TO_PCI = 1 << 6,
    PCI_CONNECT_EXPANDER = 1 << 7,
    PCI_CONNECT_EXPRESS_EXPANDER = 1 << 8,
    PCI_CONNECT_BRIDGE = 1 << 9,
    PCI_CONNECT_KINDS = (1 << 10) - 1,
    PCI_CONNECT_AUTO = 1 << 10,       /* device: may be placed by us; bus: we may place devices on it */
    PCI_CONNECT_HOTPLUG = 1 << 11,
    PCI_CONNECT_AGGREGATE = 1 << 12,  /* several such devices share a slot */
    PCI_CONNECT_INTEGRATED = 1 << 13, /* sits on the root bus */
} PciConnect;

typedef struct PciMap PciMap;

/* A map of N_BUSES buses without a model. GROW: whether it adds buses where needed. */
PciMap *pci_map_new(guint n_buses, gboolean grow);
void pci_map_free(PciMap *map); /* NULL is allowed */
void pci_map_grow_roots(PciMap *map); /* what it adds for conventional devices are more roots, not bridges */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PciMap, pci_map_free)

/* Makes bus BUS what a controller of MODEL provides. */
gboolean pci_map_set_model(PciMap *map, guint bus, ControllerModel model, gboolean hotplug, GError **error);
ControllerModel pci_map_model(const PciMap *map, guint bus); /* CONTROLLER_MODEL_UNSET if it has none */
guint pci_map_n_buses(const PciMap *map);

/* What a controller of MODEL needs from the bus above it; 0 for a root. */
guint pci_connect_of_controller(ControllerModel model);

/* Takes one function of a slot. FROM_DOCUMENT: the address was the user's choice, which is held to laxer rules, and
 * faults are his (VIR_ERR_XML_ERROR, else VIR_ERR_INTERNAL_ERROR). */
gboolean pci_map_reserve(PciMap *map, const Address *address, guint connect, gboolean from_document, GError **error);

/* True if any function of the slot is taken. */
gboolean pci_map_slot_used(const PciMap *map, guint bus, guint slot);
gboolean pci_map_bus_full(const PciMap *map, guint bus);

/* Whether ADDRESS could be taken at all (bus there, of a fitting kind, slot in range). */
gboolean pci_map_check(const PciMap *map, const Address *address, guint connect, gboolean from_document, GError **error);

/* Finds the first fitting slot that is free and takes FUNCTION of it (-1: the first free one). RET_ADDRESS is a PCI
 * address whose other members are unset. */
gboolean pci_map_next(PciMap *map, guint connect, int function, Address *ret_address, GError **error);

/* An address of type pci with these numbers, to free. */
Address *pci_map_address_new(guint domain, guint bus, guint slot, guint function);
/* Sets the members of a PCI address that a device can have. */
void pci_map_address_set(Address *address, guint bus, guint slot, guint function);
/* ADDRESS is a PCI address that says where (not merely that it is PCI). NULL is allowed. */
gboolean pci_map_present(const Address *address);
/* ADDRESS leaves the place to us: absent, or a bare type='pci'. */
gboolean pci_map_wanted(const Address *address);
