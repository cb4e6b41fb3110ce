/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How PCI places are found. Twice the same walk over the devices: first on a map that grows, which tells how many
 * bridges and ports are needed; these become controllers; then on a map of fixed size, from which the addresses are taken.
 * Between what the chipset has at fixed places and the devices' order (which is QEMU's from before it had
 * addresses) nothing is free to choose: the result must equal libvirtd's.
 */
#include "driver-kvm/address.h"
#include "driver-kvm/address-parts.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/memory.h"
#include "lib/error.h"
#include "lib/model/domain-address.h"
#include "lib/model/pci-map.h"

typedef struct {
    Domain *def;
    PciMap *map;
    gboolean final; /* addresses are written into the devices */
    gconstpointer plugged; /* the device that comes to a guest that runs; NULL: none does */
} Walk;

/* The order in which PCI devices get their places; controllers that are no PCI bridges come after sound cards. */
static const DeviceKind *const pci_order[] = {
    &device_filesystem, &device_interface, &device_sound, &device_controller, &device_disk,  &device_hostdev,
    &device_memballoon, &device_rng,       &device_watchdog, &device_video,   &device_shmem, &device_input,
    &device_serial,     &device_iommu,     &device_vsock, &device_memory,  &device_panic, &device_crypto, &device_pstore,
};

/* The order in which devices are looked at where it is not that of PCI slots. */
static const DeviceKind *const look_order[] = {
    &device_disk,       &device_interface, &device_sound,      &device_hostdev,  &device_video,
    &device_controller, &device_smartcard, &device_serial,     &device_parallel, &device_channel,
    &device_console,    &device_input,     &device_filesystem, &device_watchdog, &device_memballoon,
    &device_rng,        &device_nvram,     &device_hub,        &device_shmem,    &device_tpm,
    &device_panic,      &device_memory,    &device_redirdev,   &device_iommu,    &device_vsock,
};

/* A console that stands for a serial port is where that is. */
static gboolean is_twin(const DeviceKind *kind, gconstpointer device)
{
    const Chardev *console = kind == &device_console ? device : NULL;

    return console && console->target && console->target->type == CHARDEV_TARGET_TYPE_SERIAL;
}

gboolean address_each(Domain *def, DeviceFunc fn, gpointer data, GError **error)
{
    for (gsize k = 0; k < G_N_ELEMENTS(look_order); k++)
        for (guint i = 0; i < device_count(look_order[k], def); i++) {
            gpointer device = device_at(look_order[k], def, i);

            if (!is_twin(look_order[k], device) && !fn(look_order[k], device, data, error))
                return FALSE;
        }
    return TRUE;
}

guint address_needs(const DeviceKind *kind, const Domain *def, gconstpointer device)
{
    guint needs = kind->connect ? kind->connect(def, device) : 0;

    if ((needs & PCI_CONNECT_EXPRESS) && !machine_has_pcie_root(def))
        needs = (needs & ~(guint)PCI_CONNECT_EXPRESS) | PCI_CONNECT_DEVICE;
    return needs & (PCI_CONNECT_DEVICE | PCI_CONNECT_EXPRESS) ? needs | PCI_CONNECT_AUTO : needs;
}

static guint needs_of(const Walk *walk, const DeviceKind *kind, gconstpointer device)
{
    guint needs = address_needs(kind, walk->def, device);

    return needs && device == walk->plugged ? needs | PCI_CONNECT_HOTPLUG : needs;
}

/* The PIIX3's own functions; the chipset's walk takes them. */
static gboolean is_piix3_function(const DeviceKind *kind, gconstpointer device, const Address *address)
{
    const Controller *controller = device;

    if (kind != &device_controller || address->domain || address->bus || address->slot != 1 || controller->index != 0)
        return FALSE;
    return (controller->type == CONTROLLER_TYPE_IDE && address->function == 1) ||
           (controller->type == CONTROLLER_TYPE_USB && address->function == 2 &&
            (controller->model == CONTROLLER_MODEL_PIIX3_UHCI || controller->model == CONTROLLER_MODEL_UNSET));
}

static gboolean collect(const DeviceKind *kind, gpointer device, gpointer data, GError **error)
{
    Walk *walk = data;
    Address **address = device_address(kind, device);
    guint needs;

    if (!address || !pci_map_present(*address) || kind == &device_console) /* a console stands for a serial port */
        return TRUE;
    if (is_piix3_function(kind, device, *address)) {
        if (!machine_has_pcie_root(walk->def))
            return TRUE;
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "Bus 0 must be PCI for integrated PIIX3 USB or IDE controllers");
    }
    needs = needs_of(walk, kind, device);
    return pci_map_reserve(walk->map, *address, needs ? needs : PCI_CONNECT_DEVICE, TRUE, error);
}

/* PLUGGED: see Walk. */
static PciMap *make_map(Domain *def, guint n_buses, gboolean grow, gconstpointer plugged, GError **error)
{
    g_autoptr(PciMap) map = pci_map_new(n_buses, grow);
    gboolean roots = machine_has(def, MACHINE_SPAPR_VIO);
    ControllerModel filler = roots                        ? CONTROLLER_MODEL_PCI_ROOT
                             : machine_has_pcie_root(def) ? CONTROLLER_MODEL_PCIE_ROOT_PORT
                                                          : CONTROLLER_MODEL_PCI_BRIDGE;
    Walk walk = {def, map, FALSE, plugged};

    if (roots)
        pci_map_grow_roots(map);
    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);
        gboolean hotplug = !controller->target || controller->target->hotplug != TOGGLE_OFF;

        if (controller->type == CONTROLLER_TYPE_PCI &&
            (controller->index >= pci_map_n_buses(map) ||
             !pci_map_set_model(map, controller->index, controller->model, hotplug, error)))
            return NULL;
    }
    for (guint bus = 1; bus < pci_map_n_buses(map); bus++)
        if (pci_map_model(map, bus) == CONTROLLER_MODEL_UNSET && !pci_map_set_model(map, bus, filler, TRUE, error))
            return NULL;
    if (!address_each(def, collect, &walk, error))
        return NULL;
    return g_steal_pointer(&map);
}

gboolean address_take(Domain *def, PciMap *map, gboolean final, guint needs, int function, Address **address, GError **error)
{
    g_autoptr(Address) found = address_new();

    if (!pci_map_next(map, needs, function, found, error))
        return FALSE;
    if (!final)
        return TRUE;
    if (!*address)
        *address = address_new();
    pci_map_address_set(*address, found->bus, found->slot, found->function);
    return TRUE;
}

/* The functions of an ICH9 USB controller share a slot. */
static gboolean place_ich9(Walk *walk, Controller *controller, GError **error)
{
    static const struct {
        ControllerModel model;
        guint function;
        Toggle multifunction;
    } functions[] = {
        {CONTROLLER_MODEL_ICH9_EHCI1, 7, TOGGLE_UNSET},
        {CONTROLLER_MODEL_ICH9_UHCI1, 0, TOGGLE_ON},
        {CONTROLLER_MODEL_ICH9_UHCI2, 1, TOGGLE_UNSET},
        {CONTROLLER_MODEL_ICH9_UHCI3, 2, TOGGLE_UNSET},
    };
    guint needs = address_needs(&device_controller, walk->def, controller);
    gsize own = 0;

    while (functions[own].model != controller->model)
        own++;
    for (guint i = 0; i < walk->def->devices->controllers->len; i++) {
        const Controller *other = g_ptr_array_index(walk->def->devices->controllers, i);

        if (!domain_is_ich9_usb(other) || other->index != controller->index || !pci_map_present(other->address))
            continue;
        address_free(controller->address);
        controller->address = pci_map_address_new(0, other->address->bus, other->address->slot, functions[own].function);
        controller->address->multifunction = functions[own].multifunction;
        return pci_map_reserve(walk->map, controller->address, needs, TRUE, error);
    }
    if (!address_take(walk->def, walk->map, walk->final, needs, (int)functions[own].function, &controller->address, error))
        return FALSE;
    if (walk->final)
        controller->address->multifunction = functions[own].multifunction;
    return TRUE;
}

static gboolean place(Walk *walk, const DeviceKind *kind, gpointer device, GError **error)
{
    Address **address = device_address(kind, device);
    guint needs = needs_of(walk, kind, device);

    if (!needs)
        return TRUE;
    if (kind == &device_disk && *address && (*address)->type != ADDRESS_TYPE_PCI &&
        (*address)->type != ADDRESS_TYPE_UNSET && (*address)->type != ADDRESS_TYPE_CCW &&
        (*address)->type != ADDRESS_TYPE_VIRTIO_MMIO)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "virtio disk cannot have an address of type '%s'",
                         address_type_to_string((*address)->type));
    if (!pci_map_wanted(*address))
        return TRUE;
    if (kind == &device_controller && domain_is_ich9_usb(device))
        return place_ich9(walk, device, error);
    return address_take(walk->def, walk->map, walk->final, needs, -1, address, error);
}

static gboolean place_controllers(Walk *walk, gboolean bridges, GError **error)
{
    GPtrArray *controllers = walk->def->devices->controllers;

    for (guint i = 0; i < controllers->len; i++) {
        Controller *controller = g_ptr_array_index(controllers, i);
        gboolean fixed = controller->type == CONTROLLER_TYPE_IDE && controller->index == 0;

        if ((controller->type == CONTROLLER_TYPE_PCI) == bridges && !fixed &&
            !place(walk, &device_controller, controller, error))
            return FALSE;
    }
    return TRUE;
}

/* A NIC of the host has its turn with the other devices of the host. */
static gboolean place_interfaces(Walk *walk, gboolean of_host, GError **error)
{
    GPtrArray *interfaces = walk->def->devices->interfaces;

    for (guint i = 0; i < interfaces->len; i++) {
        Interface *interface = g_ptr_array_index(interfaces, i);

        if ((interface->type == INTERFACE_TYPE_HOSTDEV) == of_host && !place(walk, &device_interface, interface, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean place_kind(Walk *walk, const DeviceKind *kind, GError **error)
{
    if (kind == &device_controller)
        return place_controllers(walk, FALSE, error);
    if (kind == &device_interface)
        return place_interfaces(walk, FALSE, error);
    if (kind == &device_hostdev && !place_interfaces(walk, TRUE, error))
        return FALSE;
    for (guint i = 0; i < device_count(kind, walk->def); i++)
        if (!place(walk, kind, device_at(kind, walk->def, i), error))
            return FALSE;
    return TRUE;
}

static gboolean place_all(Walk *walk, GError **error)
{
    if (!place_controllers(walk, TRUE, error))
        return FALSE;
    for (gsize k = 0; k < G_N_ELEMENTS(pci_order); k++)
        if (!place_kind(walk, pci_order[k], error))
            return FALSE;
    return TRUE;
}

/* One slot for a device that may be plugged in later, where that costs nothing or a bridge. */
static gboolean keep_slot(PciMap *map, guint needs, GError **error)
{
    g_autoptr(Address) spare = address_new();

    return pci_map_next(map, needs | PCI_CONNECT_AUTO, -1, spare, error);
}

static gboolean all_full(const PciMap *map)
{
    for (guint bus = 0; bus < pci_map_n_buses(map); bus++)
        if (!pci_map_bus_full(map, bus))
            return FALSE;
    return TRUE;
}

/* Turns the buses that were added into controllers, which need places too. */
static gboolean add_controllers(Domain *def, PciMap *map, GError **error)
{
    for (guint bus = 1; bus < pci_map_n_buses(map); bus++) {
        Controller *added;
        guint needs;

        if (domain_controller(def, CONTROLLER_TYPE_PCI, bus))
            continue;
        added = domain_add_controller(def, CONTROLLER_TYPE_PCI, bus, pci_map_model(map, bus));
        needs = address_needs(&device_controller, def, added);
        if (needs && !address_take(def, map, FALSE, needs, -1, &added->address, error))
            return FALSE;
    }
    return TRUE;
}

/* Finds out how many buses there have to be. */
static gboolean count_buses(Domain *def, guint n_buses, guint *ret_n_buses, GError **error)
{
    g_autoptr(PciMap) map = make_map(def, n_buses, TRUE, NULL, error);
    Walk walk = {def, map, FALSE, NULL};

    if (!map || !address_chipset(def, map, FALSE, error))
        return FALSE;
    if (machine_has_pci_root(def) && !all_full(map) && !keep_slot(map, PCI_CONNECT_DEVICE, error))
        return FALSE;
    if (!place_all(&walk, error))
        return FALSE;
    /* A definition that left all its controllers to us gets a free port, for hot plug. */
    if (n_buses == 1 && pci_map_n_buses(map) > 1 && machine_has_pcie_root(def) &&
        !keep_slot(map, PCI_CONNECT_EXPRESS, error))
        return FALSE;
    if (!add_controllers(def, map, error))
        return FALSE;
    *ret_n_buses = pci_map_n_buses(map);
    return TRUE;
}

typedef struct {
    const Address *beside; /* some function of a slot */
} Mate;

static gboolean mark_first_function(const DeviceKind *kind, gpointer device, gpointer data, GError **error)
{
    const Mate *mate = data;
    Address **address = device_address(kind, device);

    if (address && *address && (*address)->type == ADDRESS_TYPE_PCI && (*address)->function == 0 &&
        (*address)->bus == mate->beside->bus && (*address)->slot == mate->beside->slot &&
        (*address)->multifunction == TOGGLE_UNSET && (*address)->domain == mate->beside->domain)
        (*address)->multifunction = TOGGLE_ON;
    return TRUE;
}

static gboolean mark_multifunction(const DeviceKind *kind, gpointer device, gpointer data, GError **error)
{
    Address **address = device_address(kind, device);
    Mate mate;

    if (!address || !*address || (*address)->type != ADDRESS_TYPE_PCI || (*address)->function == 0)
        return TRUE;
    mate.beside = *address;
    return device_each(data, mark_first_function, &mate, error);
}

static gboolean assign_pci(Domain *def, const Caps *caps, GError **error)
{
    g_autoptr(PciMap) map = NULL;
    Walk walk = {def, NULL, TRUE, NULL};
    guint n_buses = 0;

    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);

        if (controller->type == CONTROLLER_TYPE_PCI)
            n_buses = MAX(n_buses, MIN(controller->index, 255) + 1);
    }
    if (n_buses > 0 && !count_buses(def, n_buses, &n_buses, error))
        return FALSE;
    map = make_map(def, n_buses, FALSE, NULL, error);
    walk.map = map;
    if (!map)
        return FALSE;
    if (machine_has(def, MACHINE_EMBEDDED) && !machine_offers_pci(def, caps))
        return TRUE;
    return address_chipset(def, map, TRUE, error) && place_all(&walk, error) &&
           device_each(def, mark_multifunction, def, error) && address_bridges(def, error);
}

/* The map is that of the machine as it runs. */
static gboolean plug_pci(Domain *live, const DeviceKind *kind, gpointer device, GError **error)
{
    Address **address = device_address(kind, device);
    guint n_buses = 0;

    if (!address || !address_needs(kind, live, device))
        return TRUE;
    for (guint i = 0; i < live->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(live->devices->controllers, i);

        if (controller->type == CONTROLLER_TYPE_PCI)
            n_buses = MAX(n_buses, MIN(controller->index, 255) + 1);
    }
    g_autoptr(PciMap) map = make_map(live, n_buses, FALSE, device, error);
    Walk walk = {live, map, TRUE, device};
    return map && address_chipset(live, map, TRUE, error) && place(&walk, kind, device, error);
}

static gboolean plug_serial(Domain *live, const DeviceKind *kind, gconstpointer device, GError **error)
{
    guint n = live->devices->controllers->len;
    gboolean any = FALSE;

    if (kind != &device_channel || ((const Chardev *)device)->target->type != CHARDEV_TARGET_TYPE_VIRTIO)
        return TRUE;
    for (guint i = 0; i < n; i++)
        any |= ((const Controller *)live->devices->controllers->pdata[i])->type == CONTROLLER_TYPE_VIRTIO_SERIAL;
    if (!any)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "no virtio-serial controllers are available");
    return domain_address_virtio_serial(live, error) &&
           (live->devices->controllers->len == n ||
            error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "Unable to find a free virtio-serial port"));
}

gboolean address_plug(Domain *live, const DeviceKind *kind, gpointer device, GError **error)
{
    if (kind == &device_memory && !memory_assign_slots(live, error))
        return FALSE;
    return plug_serial(live, kind, device, error) && plug_pci(live, kind, device, error) &&
           (!kind->is_usb || !kind->is_usb(device) || address_usb_plug(live, error));
}

gboolean address_assign(Domain *def, const Caps *caps, GError **error)
{
    guint n_controllers;

    if (!memory_assign_slots(def, error) || !domain_address_virtio_serial(def, error) ||
        !address_buses(def, caps, error))
        return FALSE;
    n_controllers = def->devices->controllers->len;
    return assign_pci(def, caps, error) && address_zpci(def, caps, n_controllers, error) && address_usb(def, error);
}
