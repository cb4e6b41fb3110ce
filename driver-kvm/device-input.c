/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/caps.h"
#include "driver-kvm/device.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Input *input = device;

    if (input->bus != INPUT_BUS_UNSET)
        return TRUE;
    if ((input->type == INPUT_TYPE_MOUSE || input->type == INPUT_TYPE_KEYBOARD) && machine_is_x86(def))
        input->bus = INPUT_BUS_PS2;
    else if (input->type == INPUT_TYPE_PASSTHROUGH || machine_is_s390(def))
        input->bus = INPUT_BUS_VIRTIO;
    else if (input->type == INPUT_TYPE_EVDEV)
        input->bus = INPUT_BUS_NONE;
    else
        input->bus = INPUT_BUS_USB;
    return TRUE;
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Input *input = device;

    if (input->bus == INPUT_BUS_PS2 && input->type == INPUT_TYPE_TABLET)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "ps2 bus does not support %s input device",
                         input_type_to_string(input->type));
    if (input->bus == INPUT_BUS_PS2 && !caps_has_type(caps, "i8042"))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "ps2 is not supported by this QEMU binary");
    if (input->bus == INPUT_BUS_XEN)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "unsupported input bus %s",
                         input_bus_to_string(input->bus));
    if (input->model != INPUT_MODEL_UNSET && input->bus != INPUT_BUS_VIRTIO)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "only bus 'virtio' is supported for input model '%s'", input_model_to_string(input->model));
    if ((input->model == INPUT_MODEL_VIRTIO_TRANSITIONAL || input->model == INPUT_MODEL_VIRTIO_NON_TRANSITIONAL) &&
        input->type != INPUT_TYPE_PASSTHROUGH)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "virtio (non-)transitional models are not supported for input type=%s",
                         input_type_to_string(input->type));
    return TRUE;
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Input *input = device;

    if (input->bus != INPUT_BUS_VIRTIO)
        return 0;
    return input->model == INPUT_MODEL_VIRTIO_TRANSITIONAL ? PCI_CONNECT_DEVICE : PCI_CONNECT_EXPRESS;
}

static gboolean is_usb(gconstpointer device)
{
    const Input *input = device;

    return input->bus == INPUT_BUS_USB;
}

static const struct {
    InputType type;
    InputBus bus;
    const char *driver;
} drivers[] = {
    {INPUT_TYPE_MOUSE, INPUT_BUS_USB, "usb-mouse"},
    {INPUT_TYPE_TABLET, INPUT_BUS_USB, "usb-tablet"},
    {INPUT_TYPE_KEYBOARD, INPUT_BUS_USB, "usb-kbd"},
    {INPUT_TYPE_MOUSE, INPUT_BUS_VIRTIO, "virtio-mouse-pci"},
    {INPUT_TYPE_TABLET, INPUT_BUS_VIRTIO, "virtio-tablet-pci"},
    {INPUT_TYPE_KEYBOARD, INPUT_BUS_VIRTIO, "virtio-keyboard-pci"},
    {INPUT_TYPE_MOUSE, INPUT_BUS_PS2, NULL}, /* the machine has them */
    {INPUT_TYPE_KEYBOARD, INPUT_BUS_PS2, NULL},
    {INPUT_TYPE_PASSTHROUGH, INPUT_BUS_VIRTIO, "virtio-input-host-pci"},
};

/* The host's keys and pointer, for the guest's own to be moved by. */
static void build_evdev(const Input *input, GPtrArray *parts)
{
    const InputSource *source = input->source;
    JsonObject *props = props_new("qom-type", "input-linux");

    props_string(props, "id", input->alias->name);
    props_string(props, "evdev", source->dev);
    props_toggle(props, "repeat", source->repeat);
    if (source->grab == INPUT_GRAB_ALL)
        props_bool(props, "grab_all", TRUE);
    if (source->grab_toggle != INPUT_GRAB_TOGGLE_UNSET)
        props_string(props, "grab-toggle", input_grab_toggle_to_string(source->grab_toggle));
    parts_add(parts, PART_OBJECT, props);
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Input *input = device;
    g_autoptr(JsonObject) props = NULL;
    gsize i = 0;

    if (input->type == INPUT_TYPE_EVDEV) {
        build_evdev(input, parts);
        return TRUE;
    }
    while (i < G_N_ELEMENTS(drivers) && (drivers[i].type != input->type || drivers[i].bus != input->bus))
        i++;
    if (i == G_N_ELEMENTS(drivers))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "<input type='%s' bus='%s'> is not supported by this driver", input_type_to_string(input->type),
                         input_bus_to_string(input->bus));
    if (input->driver && input->bus != INPUT_BUS_VIRTIO)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "<driver> of an <input> device on bus '%s' is not supported by this driver",
                         input_bus_to_string(input->bus));
    if (!drivers[i].driver)
        return TRUE;
    props = props_new("driver", drivers[i].driver);
    if (input->bus == INPUT_BUS_VIRTIO)
        props_virtio(props, input->driver);
    props_string(props, "id", input->alias->name);
    if (input->type == INPUT_TYPE_PASSTHROUGH)
        props_string(props, "evdev", input->source->evdev);
    if (!device_address_props(live, input->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_input = {
    .name = "input", .offset = offsetof(Devices, inputs), .alias = offsetof(Input, alias),
    .address = offsetof(Input, address), .prefix = "input", .complete = complete, .validate = validate,
    .connect = connect_pci, .is_usb = is_usb, .build = build,
};
