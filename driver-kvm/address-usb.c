/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/address-parts.h"
#include "lib/error.h"
#include "lib/model/usb-map.h"

/* The kinds that may have USB devices, in the order in which ports are given out. */
static const DeviceKind *const usb_order[] = {
    &device_interface, &device_hostdev, &device_disk, &device_controller, &device_input, &device_serial, &device_sound, &device_redirdev,
};

static guint usb_ports(const Controller *controller)
{
    switch (controller->model) {
    case CONTROLLER_MODEL_UNSET:
    case CONTROLLER_MODEL_PIIX3_UHCI:
    case CONTROLLER_MODEL_PIIX4_UHCI:
    case CONTROLLER_MODEL_VT82C686B_UHCI:
        return 2;
    case CONTROLLER_MODEL_EHCI:
    case CONTROLLER_MODEL_ICH9_EHCI1:
        return 6;
    case CONTROLLER_MODEL_PCI_OHCI:
        return 3;
    case CONTROLLER_MODEL_NEC_XHCI:
    case CONTROLLER_MODEL_QEMU_XHCI:
        return controller->ports == UNSET32 ? 4 : controller->ports;
    default: /* companions have no ports of their own */
        return 0;
    }
}

typedef gboolean (*UsbFunc)(UsbMap *map, Address **address, guint *count, GError **error);

static gboolean each_usb(Domain *def, UsbMap *map, UsbFunc fn, guint *count, GError **error)
{
    for (gsize k = 0; k < G_N_ELEMENTS(usb_order); k++)
        for (guint i = 0; i < device_count(usb_order[k], def); i++) {
            gpointer device = device_at(usb_order[k], def, i);

            if (usb_order[k]->is_usb(device) && !fn(map, device_address(usb_order[k], device), count, error))
                return FALSE;
        }
    return TRUE;
}

static gboolean usb_count(UsbMap *map, Address **address, guint *count, GError **error)
{
    (*count)++;
    return TRUE;
}

static gboolean usb_reserve(UsbMap *map, Address **address, guint *count, GError **error)
{
    return usb_map_reserve(map, *address, error);
}

static gboolean usb_assign(UsbMap *map, Address **address, guint *count, GError **error)
{
    gboolean other = *address && (*address)->type != ADDRESS_TYPE_UNSET && (*address)->type != ADDRESS_TYPE_USB;

    return other || usb_address_complete(*address) || usb_map_assign(map, address, error);
}

/* As many as libvirt adds, which is at times one more than would do. */
static gboolean add_hubs(Domain *def, GError **error)
{
    guint devices = def->devices->hubs->len, ports = def->devices->hubs->len * USB_HUB_PORTS;
    gboolean has_usb = FALSE;

    if (!each_usb(def, NULL, usb_count, &devices, error))
        return FALSE;
    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);

        if (controller->type != CONTROLLER_TYPE_USB)
            continue;
        ports += usb_ports(controller);
        has_usb = has_usb || controller->model != CONTROLLER_MODEL_NONE;
    }
    if (devices > 0 && !has_usb)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "USB is disabled for this domain, but USB devices are present in the domain XML");
    for (guint n = devices > ports ? (devices - ports + 1 + USB_HUB_PORTS - 2) / (USB_HUB_PORTS - 1) : 0; n > 0; n--) {
        Hub *hub = hub_new();

        hub->type = HUB_TYPE_USB;
        g_ptr_array_add(def->devices->hubs, hub);
    }
    return TRUE;
}

gboolean address_usb(Domain *def, GError **error)
{
    return add_hubs(def, error) && address_usb_plug(def, error);
}

gboolean address_usb_plug(Domain *def, GError **error)
{
    g_autoptr(UsbMap) map = usb_map_new();
    GPtrArray *hubs = def->devices->hubs;

    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);
        guint ports = controller->type == CONTROLLER_TYPE_USB ? usb_ports(controller) : 0;

        if (ports && !usb_map_add_bus(map, controller->index, ports, error))
            return FALSE;
    }
    for (guint i = 0; i < hubs->len; i++) {
        const Hub *hub = g_ptr_array_index(hubs, i);

        if (usb_address_complete(hub->address) && !usb_map_add_hub(map, hub->address, error))
            return FALSE;
    }
    if (!each_usb(def, map, usb_reserve, NULL, error))
        return FALSE;
    for (guint i = 0; i < hubs->len; i++) {
        Hub *hub = g_ptr_array_index(hubs, i);

        if (usb_address_complete(hub->address))
            continue;
        if (!usb_map_assign(map, &hub->address, error) || !usb_map_add_hub(map, hub->address, error))
            return FALSE;
    }
    return each_usb(def, map, usb_assign, NULL, error);
}
