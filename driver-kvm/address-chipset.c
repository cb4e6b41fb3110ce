/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/address-parts.h"
#include "driver-kvm/machine.h"
#include "lib/error.h"

#define PHBS_MAX 32

/* CONTROLLER stands at a fixed place. */
static gboolean fix(Controller *controller, guint slot, guint function, const char *what, GError **error)
{
    const Address *address = controller->address;

    if (!pci_map_present(address)) {
        address_free(controller->address);
        controller->address = pci_map_address_new(0, 0, slot, function);
        return TRUE;
    }
    if (address->domain || address->bus || address->slot != slot || address->function != function)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s must have PCI address 0:0:%x.%x", what, slot,
                         function);
    return TRUE;
}

static gboolean reserve(PciMap *map, guint slot, guint function, guint needs, GError **error)
{
    g_autoptr(Address) address = pci_map_address_new(0, 0, slot, function);

    return pci_map_reserve(map, address, needs, TRUE, error);
}

/* The first card: where QEMU has always put it, if that is free. */
static gboolean place_primary_video(Domain *def, PciMap *map, gboolean final, guint slot, guint needs, GError **error)
{
    Video *video = def->devices->videos->len ? g_ptr_array_index(def->devices->videos, 0) : NULL;
    g_autoptr(Address) usual = pci_map_address_new(0, 0, slot, 0);

    if (!video || video->model->type == VIDEO_TYPE_NONE || video->model->type == VIDEO_TYPE_RAMFB ||
        !pci_map_wanted(video->address))
        return TRUE;
    if (!pci_map_check(map, usual, needs, TRUE, error))
        return FALSE;
    if (pci_map_slot_used(map, 0, slot))
        return address_take(def, map, final, address_needs(&device_video, def, video), -1, &video->address, error);
    if (!pci_map_reserve(map, usual, needs, TRUE, error))
        return FALSE;
    address_free(video->address);
    video->address = g_steal_pointer(&usual);
    return TRUE;
}

static gboolean chipset_i440fx(Domain *def, PciMap *map, gboolean final, GError **error)
{
    guint needs = PCI_CONNECT_DEVICE | PCI_CONNECT_AUTO;

    for (guint i = 0; i < def->devices->controllers->len; i++) {
        Controller *controller = g_ptr_array_index(def->devices->controllers, i);
        gboolean ide = controller->type == CONTROLLER_TYPE_IDE && controller->index == 0;
        gboolean usb = controller->type == CONTROLLER_TYPE_USB && controller->index == 0 &&
                       (controller->model == CONTROLLER_MODEL_PIIX3_UHCI || controller->model == CONTROLLER_MODEL_UNSET);

        if (!ide && !usb)
            continue;
        if (!fix(controller, 1, ide ? 1 : 2, ide ? "Primary IDE controller" : "PIIX3 USB controller at index 0", error) ||
            !pci_map_reserve(map, controller->address, needs, TRUE, error))
            return FALSE;
    }
    /* The ISA bridge and its power management. */
    return reserve(map, 1, 0, needs, error) && reserve(map, 1, 3, needs, error) &&
           place_primary_video(def, map, final, 2, needs, error);
}

/* Where such a controller stands on real boards, unless that is taken; it does not insist. */
static gboolean prefer(PciMap *map, Controller *controller, guint slot, Toggle multifunction, gboolean *ret_placed,
                       GError **error)
{
    *ret_placed = !pci_map_slot_used(map, 0, slot);
    if (!*ret_placed)
        return TRUE;
    if (!reserve(map, slot, 0, PCI_CONNECT_EXPRESS, error))
        return FALSE;
    address_free(controller->address);
    controller->address = pci_map_address_new(0, 0, slot, 0);
    controller->address->multifunction = multifunction;
    return TRUE;
}

static gboolean chipset_q35_controller(PciMap *map, Controller *controller, GError **error)
{
    gboolean free_place = !controller->address || controller->address->type == ADDRESS_TYPE_UNSET;
    gboolean placed = FALSE;

    if (controller->type == CONTROLLER_TYPE_SATA && controller->index == 0)
        return fix(controller, 0x1f, 2, "Primary SATA controller", error);
    if (controller->type == CONTROLLER_TYPE_USB && controller->model == CONTROLLER_MODEL_ICH9_UHCI1 && free_place)
        return prefer(map, controller, 0x1d, TOGGLE_ON, &placed, error) &&
               (placed || prefer(map, controller, 0x1a, TOGGLE_ON, &placed, error));
    if (controller->type == CONTROLLER_TYPE_PCI && controller->model == CONTROLLER_MODEL_DMI_TO_PCI_BRIDGE && free_place)
        return prefer(map, controller, 0x1e, TOGGLE_UNSET, &placed, error);
    return TRUE;
}

static gboolean chipset_q35(Domain *def, PciMap *map, gboolean final, GError **error)
{
    for (guint i = 0; i < def->devices->controllers->len; i++)
        if (!chipset_q35_controller(map, g_ptr_array_index(def->devices->controllers, i), error))
            return FALSE;
    /* The ISA bridge and the SMBus. */
    if (!reserve(map, 0x1f, 0, PCI_CONNECT_EXPRESS, error) || !reserve(map, 0x1f, 3, PCI_CONNECT_EXPRESS, error) ||
        !place_primary_video(def, map, final, 1, PCI_CONNECT_EXPRESS, error))
        return FALSE;
    for (guint i = 0; i < def->devices->sounds->len && !pci_map_slot_used(map, 0, 0x1b); i++) {
        Sound *sound = g_ptr_array_index(def->devices->sounds, i);

        if (sound->model != SOUND_MODEL_ICH9 || !pci_map_wanted(sound->address))
            continue;
        if (!reserve(map, 0x1b, 0, PCI_CONNECT_EXPRESS, error))
            return FALSE;
        address_free(sound->address);
        sound->address = pci_map_address_new(0, 0, 0x1b, 0);
    }
    return TRUE;
}

gboolean address_chipset(Domain *def, PciMap *map, gboolean final, GError **error)
{
    if (machine_is_i440fx(def) && pci_map_n_buses(map) > 0)
        return chipset_i440fx(def, map, final, error);
    if (machine_is_q35(def) && pci_map_n_buses(map) > 0)
        return chipset_q35(def, map, final, error);
    return TRUE;
}

static const struct {
    ControllerModel model;
    PciModelName name;
} model_names[] = {
    {CONTROLLER_MODEL_PCI_BRIDGE, PCI_MODEL_NAME_PCI_BRIDGE},
    {CONTROLLER_MODEL_DMI_TO_PCI_BRIDGE, PCI_MODEL_NAME_I82801B11_BRIDGE},
    {CONTROLLER_MODEL_PCIE_TO_PCI_BRIDGE, PCI_MODEL_NAME_PCIE_PCI_BRIDGE},
    {CONTROLLER_MODEL_PCIE_ROOT_PORT, PCI_MODEL_NAME_PCIE_ROOT_PORT},
    {CONTROLLER_MODEL_PCIE_SWITCH_UPSTREAM_PORT, PCI_MODEL_NAME_X3130_UPSTREAM},
    {CONTROLLER_MODEL_PCIE_SWITCH_DOWNSTREAM_PORT, PCI_MODEL_NAME_XIO3130_DOWNSTREAM},
    {CONTROLLER_MODEL_PCI_EXPANDER_BUS, PCI_MODEL_NAME_PXB},
    {CONTROLLER_MODEL_PCIE_EXPANDER_BUS, PCI_MODEL_NAME_PXB_PCIE},
};

static void name_model(Controller *controller)
{
    for (gsize i = 0; i < G_N_ELEMENTS(model_names); i++) {
        if (model_names[i].model != controller->model)
            continue;
        if (!controller->pci_model)
            controller->pci_model = controller_pci_model_new();
        if (controller->pci_model->name == PCI_MODEL_NAME_UNSET)
            controller->pci_model->name = model_names[i].name;
    }
}

/* The lowest bus number in use, less room for the expander and its bridge. UNSET32 if there is no room. */
static guint32 free_bus_number(const Domain *def)
{
    guint32 lowest = 256;

    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);

        if (controller->type == CONTROLLER_TYPE_PCI && controller->target && controller->target->bus_nr != UNSET32)
            lowest = MIN(lowest, controller->target->bus_nr);
    }
    return lowest <= 2 ? UNSET32 : lowest - 2;
}

static gboolean root_taken(const Domain *def, guint32 index)
{
    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);

        if (controller->type == CONTROLLER_TYPE_PCI && controller->model == CONTROLLER_MODEL_PCI_ROOT &&
            controller->target && controller->target->index == index)
            return TRUE;
    }
    return FALSE;
}

/* QEMU has 32 host bridges, of which the first is the machine's own. UNSET32 if all are taken. */
static guint32 free_root(const Domain *def)
{
    for (guint32 index = 1; index < PHBS_MAX; index++)
        if (!root_taken(def, index))
            return index;
    return UNSET32;
}

/* Each root of a machine that may have several is a host bridge. */
static gboolean number_root(Domain *def, Controller *controller, GError **error)
{
    if (controller->model != CONTROLLER_MODEL_PCI_ROOT || !machine_has(def, MACHINE_SPAPR_VIO))
        return TRUE;
    if (!controller->pci_model)
        controller->pci_model = controller_pci_model_new();
    if (controller->pci_model->name == PCI_MODEL_NAME_UNSET)
        controller->pci_model->name = PCI_MODEL_NAME_SPAPR_PCI_HOST_BRIDGE;
    if (!controller->target)
        controller->target = controller_target_new();
    if (controller->target->index == UNSET32)
        controller->target->index = controller->index == 0 ? 0 : free_root(def);
    return controller->target->index != UNSET32 || error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                                                             "No usable target index found for %u", controller->index);
}

static void default_number(guint32 *number, guint32 value)
{
    if (*number == UNSET32)
        *number = value;
}

static gboolean number_bridge(Domain *def, Controller *controller, GError **error)
{
    const Address *address = controller->address;
    ControllerTarget *target;

    if (!controller->target)
        controller->target = controller_target_new();
    target = controller->target;
    switch (controller->model) {
    case CONTROLLER_MODEL_PCI_BRIDGE:
        default_number(&target->chassis_nr, controller->index);
        if (address && controller->index <= address->bus)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "PCI controller at index %u (0x%02x) has bus='0x%02x', but index must be larger than bus",
                             controller->index, controller->index, address->bus);
        break;
    case CONTROLLER_MODEL_PCIE_ROOT_PORT:
        default_number(&target->chassis, controller->index);
        default_number(&target->port, (address->slot << 3) + address->function);
        break;
    case CONTROLLER_MODEL_PCIE_SWITCH_DOWNSTREAM_PORT:
        default_number(&target->chassis, controller->index);
        default_number(&target->port, address->slot);
        break;
    case CONTROLLER_MODEL_PCI_EXPANDER_BUS:
    case CONTROLLER_MODEL_PCIE_EXPANDER_BUS:
        default_number(&target->bus_nr, free_bus_number(def));
        if (target->bus_nr == UNSET32)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "No free busNr lower than current lowest busNr is available to auto-assign to bus %u. Must be "
                             "manually assigned", address->bus);
        break;
    default:
        break;
    }
    return TRUE;
}

gboolean address_bridges(Domain *def, GError **error)
{
    for (guint i = 0; i < def->devices->controllers->len; i++) {
        Controller *controller = g_ptr_array_index(def->devices->controllers, i);

        if (controller->type != CONTROLLER_TYPE_PCI)
            continue;
        name_model(controller);
        if (!number_root(def, controller, error))
            return FALSE;
        if (controller->model != CONTROLLER_MODEL_PCI_ROOT && controller->model != CONTROLLER_MODEL_PCIE_ROOT &&
            (!controller->address || !number_bridge(def, controller, error)))
            return FALSE;
    }
    return TRUE;
}
