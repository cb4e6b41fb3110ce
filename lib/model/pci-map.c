/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/pci-map.h"
#include "lib/error.h"

#define SLOTS 32
#define BUSES_MAX 256

typedef struct {
    guint8 functions; /* bit n: function n is taken */
    gboolean aggregate;
} PciSlot;

typedef struct {
    ControllerModel model;
    guint offers;
    guint min_slot, max_slot;
    PciSlot slots[SLOTS];
} PciBus;

struct PciMap {
    GArray *buses; /* of PciBus */
    gboolean grow, roots;
};

/* What each controller is: what it needs above it, what it offers below. */
static const struct {
    ControllerModel model;
    guint needs;
    guint offers;
    guint min_slot, max_slot;
    gboolean hotplug; /* it can, unless it is forbidden */
} kinds[] = {
    {CONTROLLER_MODEL_PCI_ROOT, 0,
     PCI_CONNECT_AUTO | PCI_CONNECT_DEVICE | PCI_CONNECT_BRIDGE | PCI_CONNECT_EXPANDER, 1, 31, TRUE},
    {CONTROLLER_MODEL_PCIE_ROOT, 0,
     PCI_CONNECT_EXPRESS | PCI_CONNECT_ROOT_PORT | PCI_CONNECT_DMI_BRIDGE | PCI_CONNECT_EXPRESS_EXPANDER, 1, 31, FALSE},
    {CONTROLLER_MODEL_PCI_BRIDGE, PCI_CONNECT_BRIDGE,
     PCI_CONNECT_AUTO | PCI_CONNECT_DEVICE | PCI_CONNECT_BRIDGE, 1, 31, TRUE},
    {CONTROLLER_MODEL_PCI_EXPANDER_BUS, PCI_CONNECT_EXPANDER,
     PCI_CONNECT_AUTO | PCI_CONNECT_DEVICE | PCI_CONNECT_BRIDGE, 0, 31, TRUE},
    {CONTROLLER_MODEL_DMI_TO_PCI_BRIDGE, PCI_CONNECT_DMI_BRIDGE, PCI_CONNECT_DEVICE | PCI_CONNECT_BRIDGE, 0, 31, FALSE},
    {CONTROLLER_MODEL_PCIE_TO_PCI_BRIDGE, PCI_CONNECT_PCIE_TO_PCI,
     PCI_CONNECT_AUTO | PCI_CONNECT_DEVICE | PCI_CONNECT_BRIDGE, 1, 31, TRUE},
    {CONTROLLER_MODEL_PCIE_ROOT_PORT, PCI_CONNECT_ROOT_PORT | PCI_CONNECT_AGGREGATE,
     PCI_CONNECT_AUTO | PCI_CONNECT_EXPRESS | PCI_CONNECT_UPSTREAM_PORT | PCI_CONNECT_PCIE_TO_PCI, 0, 0, TRUE},
    {CONTROLLER_MODEL_PCIE_SWITCH_DOWNSTREAM_PORT, PCI_CONNECT_DOWNSTREAM_PORT,
     PCI_CONNECT_AUTO | PCI_CONNECT_EXPRESS | PCI_CONNECT_UPSTREAM_PORT | PCI_CONNECT_PCIE_TO_PCI, 0, 0, TRUE},
    {CONTROLLER_MODEL_PCIE_SWITCH_UPSTREAM_PORT, PCI_CONNECT_UPSTREAM_PORT, PCI_CONNECT_DOWNSTREAM_PORT, 0, 31, FALSE},
    {CONTROLLER_MODEL_PCIE_EXPANDER_BUS, PCI_CONNECT_EXPRESS_EXPANDER, PCI_CONNECT_ROOT_PORT | PCI_CONNECT_DMI_BRIDGE, 0,
     31, FALSE},
};

/* The words for what a device needs, in the order in which the first that applies is named. */
static const struct {
    guint connect;
    const char *words;
} names[] = {
    {PCI_CONNECT_DEVICE, "standard PCI device"},
    {PCI_CONNECT_EXPRESS, "PCI Express device"},
    {PCI_CONNECT_ROOT_PORT, "pcie-root-port"},
    {PCI_CONNECT_UPSTREAM_PORT, "pcie-switch-upstream-port"},
    {PCI_CONNECT_DOWNSTREAM_PORT, "pcie-switch-downstream-port"},
    {PCI_CONNECT_DMI_BRIDGE, "dmi-to-pci-bridge"},
    {PCI_CONNECT_PCIE_TO_PCI, "pcie-to-pci-bridge"},
    {PCI_CONNECT_EXPANDER, "pci-expander-bus"},
    {PCI_CONNECT_EXPRESS_EXPANDER, "pcie-expander-bus"},
    {PCI_CONNECT_BRIDGE, "pci-bridge"},
};

static PciBus *bus_at(const PciMap *map, guint bus)
{
    return &g_array_index(map->buses, PciBus, bus);
}

static const char *connect_words(guint connect)
{
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (connect & names[i].connect)
            return names[i].words;
    return "device";
}

static char *address_text(const Address *address)
{
    return g_strdup_printf("%04x:%02x:%02x.%u", address->domain, address->bus, address->slot, address->function);
}

PciMap *pci_map_new(guint n_buses, gboolean grow)
{
    PciMap *map = g_new0(PciMap, 1);

    map->buses = g_array_new(FALSE, TRUE, sizeof(PciBus));
    g_array_set_size(map->buses, MIN(n_buses, BUSES_MAX));
    map->grow = grow;
    return map;
}

void pci_map_free(PciMap *map)
{
    if (!map)
        return;
    g_array_unref(map->buses);
    g_free(map);
}

void pci_map_grow_roots(PciMap *map)
{
    map->roots = TRUE;
}

guint pci_map_n_buses(const PciMap *map)
{
    return map->buses->len;
}

ControllerModel pci_map_model(const PciMap *map, guint bus)
{
    return bus_at(map, bus)->model;
}

guint pci_connect_of_controller(ControllerModel model)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].model == model)
            return kinds[i].needs;
    return 0;
}

gboolean pci_map_set_model(PciMap *map, guint bus, ControllerModel model, gboolean hotplug, GError **error)
{
    PciBus *one = bus_at(map, bus);

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].model != model)
            continue;
        one->model = model;
        one->offers = kinds[i].offers | (kinds[i].hotplug && hotplug ? PCI_CONNECT_HOTPLUG : 0);
        one->min_slot = kinds[i].min_slot;
        one->max_slot = kinds[i].max_slot;
        return TRUE;
    }
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "PCI controller model was not set correctly");
}

gboolean pci_map_slot_used(const PciMap *map, guint bus, guint slot)
{
    return bus_at(map, bus)->slots[slot].functions != 0;
}

gboolean pci_map_bus_full(const PciMap *map, guint bus)
{
    const PciBus *one = bus_at(map, bus);

    for (guint slot = one->min_slot; slot <= one->max_slot; slot++)
        if (!one->slots[slot].functions)
            return FALSE;
    return TRUE;
}

/* Whether a device that needs CONNECT may sit on a bus that has OFFERS. */
static gboolean fits(const Address *address, guint offers, guint connect, gboolean from_document, GError **error)
{
    virErrorNumber code = from_document ? VIR_ERR_XML_ERROR : VIR_ERR_INTERNAL_ERROR;
    g_autofree char *text = address_text(address);

    if (connect & PCI_CONNECT_INTEGRATED) {
        if (address->bus != 0)
            return error_set(error, VIR_FROM_DOMAIN, code,
                             "The device at PCI address %s needs to be an integrated device (bus=0)", text);
        offers |= PCI_CONNECT_AUTO;
    }
    if (from_document) {
        /* A user may put a PCI device on a PCIe slot and the other way round, and a bridge wherever a device fits. */
        if (offers & (PCI_CONNECT_DEVICE | PCI_CONNECT_EXPRESS))
            offers |= PCI_CONNECT_DEVICE | PCI_CONNECT_EXPRESS;
        if (connect & PCI_CONNECT_BRIDGE)
            connect |= PCI_CONNECT_DEVICE;
    } else if ((connect & PCI_CONNECT_AUTO) && !(offers & PCI_CONNECT_AUTO)) {
        return error_set(error, VIR_FROM_DOMAIN, code,
                         "The device at PCI address %s was auto-assigned this address, but the PCI controller with "
                         "index='%u' doesn't allow auto-assignment", text, address->bus);
    }
    if ((connect & PCI_CONNECT_HOTPLUG) && !(offers & PCI_CONNECT_HOTPLUG))
        return error_set(error, VIR_FROM_DOMAIN, code,
                         "The device at PCI address %s requires hotplug capability, but the PCI controller with "
                         "index='%u' doesn't support hotplug", text, address->bus);
    if (!(connect & offers & PCI_CONNECT_KINDS))
        return error_set(error, VIR_FROM_DOMAIN, code,
                         "The device at PCI address %s cannot be plugged into the PCI controller with index='%u'. It "
                         "requires a controller that accepts a %s.", text, address->bus, connect_words(connect));
    return TRUE;
}

gboolean pci_map_check(const PciMap *map, const Address *address, guint connect, gboolean from_document, GError **error)
{
    virErrorNumber code = from_document ? VIR_ERR_XML_ERROR : VIR_ERR_INTERNAL_ERROR;
    g_autofree char *text = address_text(address);
    const PciBus *bus;

    if (map->buses->len == 0)
        return error_set(error, VIR_FROM_DOMAIN, code, "No PCI buses available");
    if (address->domain != 0)
        return error_set(error, VIR_FROM_DOMAIN, code, "Invalid PCI address %s. Only PCI domain 0 is available", text);
    if (address->bus >= map->buses->len)
        return error_set(error, VIR_FROM_DOMAIN, code, "Invalid PCI address %s. Only PCI buses up to %u are available",
                         text, map->buses->len - 1);
    bus = bus_at(map, address->bus);
    if (!fits(address, bus->offers, connect, from_document, error))
        return FALSE;
    if (address->slot < bus->min_slot)
        return error_set(error, VIR_FROM_DOMAIN, code, "Invalid PCI address %s. slot must be >= %u", text, bus->min_slot);
    if (address->slot > bus->max_slot)
        return error_set(error, VIR_FROM_DOMAIN, code, "Invalid PCI address %s. slot must be <= %u", text, bus->max_slot);
    if (address->function > 7)
        return error_set(error, VIR_FROM_DOMAIN, code, "Invalid PCI address %s. function must be <= 7", text);
    return TRUE;
}

static gboolean offered_somewhere(const PciMap *map, guint connect)
{
    for (guint i = 0; i < map->buses->len; i++)
        if (bus_at(map, i)->offers & connect)
            return TRUE;
    return FALSE;
}

static gboolean add_bus(PciMap *map, ControllerModel model, GError **error)
{
    if (map->buses->len >= BUSES_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "No more available PCI slots");
    g_array_set_size(map->buses, map->buses->len + 1);
    return pci_map_set_model(map, map->buses->len - 1, model, TRUE, error);
}

/* A guest that has PCIe only needs a way down to conventional PCI: a port and a bridge on it. The port is for the bridge
 * alone, else the place kept free for hot plug would be taken from it. */
static gboolean add_conventional(PciMap *map, GError **error)
{
    if (!add_bus(map, CONTROLLER_MODEL_PCIE_ROOT_PORT, error))
        return FALSE;
    bus_at(map, map->buses->len - 1)->offers = PCI_CONNECT_PCIE_TO_PCI;
    return add_bus(map, CONTROLLER_MODEL_PCIE_TO_PCI_BRIDGE, error);
}

/* Adds buses until BUS (a number, moved where another bus has to come before) is there. */
static gboolean grow(PciMap *map, guint32 *bus, guint connect, GError **error)
{
    ControllerModel model;

    if (*bus < map->buses->len)
        return TRUE;
    if ((connect & PCI_CONNECT_DEVICE) && map->roots) {
        model = CONTROLLER_MODEL_PCI_ROOT;
    } else if (connect & PCI_CONNECT_DEVICE) {
        model = CONTROLLER_MODEL_PCI_BRIDGE;
        if (!offered_somewhere(map, PCI_CONNECT_BRIDGE)) {
            if (*bus == map->buses->len)
                (*bus)++;
            if (!add_conventional(map, error))
                return FALSE;
        }
    } else if (connect & (PCI_CONNECT_EXPRESS | PCI_CONNECT_UPSTREAM_PORT | PCI_CONNECT_PCIE_TO_PCI)) {
        model = CONTROLLER_MODEL_PCIE_ROOT_PORT;
    } else {
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                         "a PCI slot is needed to connect a PCI controller model='%s', but none is available, and it "
                         "cannot be automatically added", connect_words(connect));
    }
    while (map->buses->len <= *bus)
        if (!add_bus(map, model, error))
            return FALSE;
    return TRUE;
}

gboolean pci_map_reserve(PciMap *map, const Address *address, guint connect, gboolean from_document, GError **error)
{
    g_autofree char *text = address_text(address);
    guint32 bus = address->bus;
    PciSlot *slot;

    if (map->grow && !grow(map, &bus, connect, error))
        return FALSE;
    if (!pci_map_check(map, address, connect, from_document, error))
        return FALSE;
    slot = &bus_at(map, address->bus)->slots[address->slot];
    if (slot->functions & (1 << address->function))
        return error_set(error, VIR_FROM_DOMAIN, from_document ? VIR_ERR_XML_ERROR : VIR_ERR_INTERNAL_ERROR,
                         "Attempted double use of PCI Address %s", text);
    if (!slot->functions && (connect & PCI_CONNECT_AGGREGATE))
        slot->aggregate = TRUE;
    slot->functions |= 1 << address->function;
    return TRUE;
}

/* The first place on BUS; FALSE if there is none. */
static gboolean find_on_bus(const PciBus *bus, Address *address, guint connect, int function)
{
    if (!fits(address, bus->offers, connect, FALSE, NULL))
        return FALSE;
    for (guint slot = bus->min_slot; slot <= bus->max_slot; slot++) {
        guint8 taken = bus->slots[slot].functions;

        address->slot = slot;
        if (!taken)
            return TRUE;
        if (!(connect & PCI_CONNECT_AGGREGATE) || !bus->slots[slot].aggregate)
            continue;
        for (guint f = function < 0 ? 0 : (guint)function; f < 8; f++) {
            address->function = f;
            if (!(taken & (1 << f)))
                return TRUE;
            if (function >= 0)
                break;
        }
        address->function = MAX(function, 0);
    }
    return FALSE;
}

gboolean pci_map_next(PciMap *map, guint connect, int function, Address *ret_address, GError **error)
{
    g_autoptr(Address) found = pci_map_address_new(0, 0, 0, MAX(function, 0));

    if (map->buses->len == 0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "No PCI buses available");
    for (; found->bus < map->buses->len; found->bus++)
        if (find_on_bus(bus_at(map, found->bus), found, connect, function))
            break;
    if (found->bus == map->buses->len) {
        if (!map->grow)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "No more available PCI slots");
        if (!grow(map, &found->bus, connect, error))
            return FALSE;
        found->slot = bus_at(map, found->bus)->min_slot;
    }
    if (!pci_map_reserve(map, found, connect, FALSE, error))
        return FALSE;
    pci_map_address_set(ret_address, found->bus, found->slot, found->function);
    return TRUE;
}

void pci_map_address_set(Address *address, guint bus, guint slot, guint function)
{
    address->type = ADDRESS_TYPE_PCI;
    address->domain = 0;
    address->bus = bus;
    address->slot = slot;
    address->function = function;
}

Address *pci_map_address_new(guint domain, guint bus, guint slot, guint function)
{
    Address *address = address_new();

    pci_map_address_set(address, bus, slot, function);
    address->domain = domain;
    return address;
}

gboolean pci_map_present(const Address *address)
{
    return address && address->type == ADDRESS_TYPE_PCI && (address->domain || address->bus || address->slot);
}

gboolean pci_map_wanted(const Address *address)
{
    return !address || address->type == ADDRESS_TYPE_UNSET || (address->type == ADDRESS_TYPE_PCI && !pci_map_present(address));
}
