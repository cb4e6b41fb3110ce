/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Serial and parallel ports, consoles and channels: four kinds over one struct. */
#include "driver-kvm/caps.h"
#include "driver-kvm/chardev.h"
#include "driver-kvm/device.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "driver-kvm/serial.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"
#include <stdlib.h>
#include <string.h>

#define MADE_UP "/var/lib/libvirt/qemu/channel/target/"
#define SPICE_AGENT "com.redhat.spice.0"

static int port_of(const Chardev *chardev)
{
    return chardev->target && chardev->target->port ? atoi(chardev->target->port) : -1;
}

static void set_port(Chardev *chardev, int port)
{
    g_free(chardev->target->port);
    chardev->target->port = g_strdup_printf("%d", port);
}

/* One more than the highest of LIST. */
static void default_port(const GPtrArray *list, Chardev *chardev)
{
    int highest = -1;

    if (port_of(chardev) >= 0)
        return;
    for (guint i = 0; i < list->len; i++)
        highest = MAX(highest, port_of(g_ptr_array_index(list, i)));
    set_port(chardev, highest + 1);
}

static gboolean complete_serial(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Chardev *serial = device;

    serial_complete(def, serial);
    default_port(def->devices->serials, serial);
    CHARDEV_COMPLETE(serial);
    return TRUE;
}

static gboolean complete_parallel(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Chardev *parallel = device;

    default_port(def->devices->parallels, parallel);
    CHARDEV_COMPLETE(parallel);
    return TRUE;
}

static gboolean complete_console(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Chardev *console = device;

    if (console->target->type == CHARDEV_TARGET_TYPE_UNSET)
        console->target->type = CHARDEV_TARGET_TYPE_SERIAL;
    for (guint i = 0; i < def->devices->consoles->len; i++)
        if (g_ptr_array_index(def->devices->consoles, i) == console)
            set_port(console, (int)i); /* whatever the document says */
    CHARDEV_COMPLETE(console);
    return TRUE;
}

/* A path that libvirt made up, of a guest that may have had another name: it is made up anew. */
static gboolean is_made_up(const Chardev *channel)
{
    const char *path = channel->source ? channel->source->path : NULL;
    const char *name = channel->target->name ? channel->target->name : "(null)";
    g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;
    g_autofree char *parent = folder ? g_path_get_basename(folder) : NULL;
    g_autofree char *file = path ? g_path_get_basename(path) : NULL;

    if (channel->type != CHARDEV_TYPE_UNIX || channel->target->type != CHARDEV_TARGET_TYPE_VIRTIO || !path)
        return FALSE;
    if (g_str_has_prefix(path, MADE_UP) && strcspn(path + strlen(MADE_UP), "/.") > 0 &&
        path[strlen(MADE_UP) + strcspn(path + strlen(MADE_UP), "/.")] == '.')
        return TRUE;
    return g_str_has_prefix(parent, "domain-") && parent[strlen("domain-")] && strcmp(file, name) == 0;
}

static gboolean complete_channel(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Chardev *channel = device;

    if (is_made_up(channel)) {
        g_clear_pointer(&channel->source->path, g_free);
        channel->source->mode = CHARDEV_MODE_BIND;
        if (!channel->source->reconnect)
            g_clear_pointer(&channel->source, chardev_source_free);
    }
    CHARDEV_COMPLETE(channel);
    return TRUE;
}

static gboolean validate_serial(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Chardev *serial = device;
    ChardevView view = CHARDEV_VIEW(serial);

    if (serial->target->type == CHARDEV_TARGET_TYPE_ISA_DEBUG && !machine_is_x86(def))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "isa-debug serial type only valid on x86 architecture");
    return chardev_validate(def, &view, error) && serial_validate(def, serial, error);
}

static gboolean validate_parallel(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    ChardevView view = CHARDEV_VIEW((const Chardev *)device);

    if (machine_is_s390(def) || machine_has(def, MACHINE_SPAPR_VIO))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "parallel ports are not supported");
    return chardev_validate(def, &view, error);
}

/* What SPICE carries for a port of a virtio-serial bus is its agent's. */
static ChardevView view_of(const Chardev *chardev)
{
    ChardevView view = CHARDEV_VIEW(chardev);
    ChardevTargetType type = chardev->target->type;

    view.spice = type == CHARDEV_TARGET_TYPE_VIRTIO ? "vdagent" : NULL;
    view.named = type == CHARDEV_TARGET_TYPE_VIRTIO || type == CHARDEV_TARGET_TYPE_XEN;
    return view;
}

static gboolean validate_backend(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    ChardevView view = view_of(device);

    return chardev_validate(def, &view, error);
}

static const char *sclp_driver(const Chardev *console)
{
    return console->target->type == CHARDEV_TARGET_TYPE_SCLP ? "sclpconsole" : "sclplmconsole";
}

static gboolean validate_console(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Chardev *console = device;

    switch (console->target->type) {
    case CHARDEV_TARGET_TYPE_SCLP:
    case CHARDEV_TARGET_TYPE_SCLPLM:
        if (!caps_has_device(caps, sclp_driver(console)))
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "%s is not supported in this QEMU binary", sclp_driver(console));
        break;
    case CHARDEV_TARGET_TYPE_VIRTIO:
    case CHARDEV_TARGET_TYPE_SERIAL:
        break;
    default:
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported console target type %s",
                         chardev_target_type_to_string(console->target->type));
    }
    return validate_backend(def, device, caps, error);
}

static guint connect_serial(const Domain *def, gconstpointer device)
{
    const Chardev *serial = device;

    return serial->target && serial->target->type == CHARDEV_TARGET_TYPE_PCI_SERIAL ? PCI_CONNECT_DEVICE : 0;
}

static gboolean is_usb_serial(gconstpointer device)
{
    const Chardev *serial = device;

    return serial->target && serial->target->type == CHARDEV_TARGET_TYPE_USB_SERIAL;
}

/* A console that stands for a serial port is no device of its own. */
static gboolean is_twin(const Chardev *console)
{
    return console->target->type == CHARDEV_TARGET_TYPE_SERIAL;
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    Chardev *chardev = device;
    ChardevView view;

    if (is_twin(chardev))
        return TRUE;
    if (chardev->type == CHARDEV_TYPE_UNIX && (!chardev->source || !chardev->source->path)) {
        if (!chardev->source)
            chardev->source = chardev_source_new();
        chardev->source->mode = CHARDEV_MODE_BIND;
        chardev->source->path = g_strdup_printf("%s/%s.sock", context->private_dir, chardev->alias->name);
    }
    view = CHARDEV_VIEW(chardev);
    if (context->touch_host && !chardev_check_host(&view, error))
        return FALSE;
    return chardev_prepare(&view, chardev->alias->name, context, error);
}

static void release(const Domain *live, gconstpointer device)
{
    const Chardev *chardev = device;
    ChardevView view = CHARDEV_VIEW(chardev);

    if (!is_twin(chardev))
        chardev_release(&view);
}

/* Appends the back end and begins the device. */
static JsonObject *begin(const Chardev *chardev, const char *driver, ArgvContext *context, GPtrArray *parts, GError **error)
{
    ChardevView view = CHARDEV_VIEW(chardev);
    JsonObject *props;

    view.parallel = g_strcmp0(driver, "isa-parallel") == 0;
    if (!chardev_build(&view, chardev->alias->name, context, parts, error))
        return NULL;
    props = props_new("driver", driver);
    props_format(props, "chardev", "char%s", chardev->alias->name);
    props_string(props, "id", chardev->alias->name);
    return props;
}

static gboolean build_serial(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context,
                             GPtrArray *parts, GError **error)
{
    const Chardev *serial = device;
    const char *driver = serial_driver(serial);
    g_autoptr(JsonObject) props = NULL;

    if (!driver) {
        ChardevView view = CHARDEV_VIEW(serial);

        if (!chardev_build(&view, serial->alias->name, context, parts, error))
            return FALSE;
        parts_add_option(parts, "-serial", g_strdup_printf("chardev:char%s", serial->alias->name));
        return TRUE;
    }
    if (!caps_has_device(caps, driver))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "'%s' is not supported in this QEMU binary",
                         driver);
    props = begin(serial, driver, context, parts, error);
    if (!props)
        return FALSE;
    if (serial->target->type == CHARDEV_TARGET_TYPE_ISA_SERIAL)
        props_int(props, "index", port_of(serial));
    if (!device_address_props(live, serial->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

static gboolean build_parallel(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context,
                               GPtrArray *parts, GError **error)
{
    JsonObject *props = begin(device, "isa-parallel", context, parts, error);

    if (props)
        parts_add(parts, PART_DEVICE, props);
    return props != NULL;
}

/* On a virtio-serial bus. NAME: the port's; NULL for a console. */
static gboolean build_virtio(const Domain *live, const Chardev *chardev, const char *driver, const char *name,
                             ArgvContext *context, GPtrArray *parts, GError **error)
{
    g_autoptr(JsonObject) props = props_new("driver", driver);
    ChardevView view = view_of(chardev);

    if (!chardev_build(&view, chardev->alias->name, context, parts, error) ||
        !device_address_props(live, chardev->address, props, error))
        return FALSE;
    props_format(props, "chardev", "char%s", chardev->alias->name);
    props_string(props, "id", chardev->alias->name);
    props_string(props, "name", name);
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

static gboolean build_console(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context,
                              GPtrArray *parts, GError **error)
{
    const Chardev *console = device;

    if (is_twin(console))
        return TRUE;
    if (console->target->type == CHARDEV_TARGET_TYPE_SCLP || console->target->type == CHARDEV_TARGET_TYPE_SCLPLM) {
        JsonObject *props = begin(console, sclp_driver(console), context, parts, error);

        if (props)
            parts_add(parts, PART_DEVICE, props);
        return props != NULL;
    }
    if (console->target->type != CHARDEV_TARGET_TYPE_VIRTIO)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported console target type %s",
                         chardev_target_type_to_string(console->target->type));
    return build_virtio(live, console, "virtconsole", NULL, context, parts, error);
}

/* An address in a user network, behind which is a character device. */
static gboolean build_forward(const Chardev *channel, ArgvContext *context, GPtrArray *parts, GError **error)
{
    ChardevView view = CHARDEV_VIEW(channel);
    JsonObject *props, *rule;
    JsonArray *rules;

    if (!chardev_build(&view, channel->alias->name, context, parts, error))
        return FALSE;
    rule = json_object_new();
    props_format(rule, "str", "tcp:%s:%s-chardev:char%s", channel->target->address, channel->target->port,
                 channel->alias->name);
    rules = json_array_new();
    json_array_add_object_element(rules, rule);
    props = props_new("type", "user");
    json_object_set_array_member(props, "guestfwd", rules);
    props_string(props, "id", channel->alias->name);
    parts_add(parts, PART_NETDEV, props);
    return TRUE;
}

static gboolean build_channel(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context,
                              GPtrArray *parts, GError **error)
{
    const Chardev *channel = device;
    const char *name = channel->target->name;

    if (channel->target->type == CHARDEV_TARGET_TYPE_GUESTFWD)
        return build_forward(channel, context, parts, error);
    if (channel->target->type == CHARDEV_TARGET_TYPE_VIRTIO && channel->type == CHARDEV_TYPE_SPICEVMC) {
        if (name && strcmp(name, SPICE_AGENT) != 0)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Unsupported spicevmc target name '%s'", name);
        name = SPICE_AGENT;
    }
    if (channel->target->type != CHARDEV_TARGET_TYPE_VIRTIO)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "a channel with <target type='%s'> is not supported by this driver",
                         chardev_target_type_to_string(channel->target->type));
    return build_virtio(live, channel, "virtserialport", name, context, parts, error);
}


#define PLACE(member) .offset = offsetof(Devices, member), .alias = offsetof(Chardev, alias), .address = offsetof(Chardev, address)

const DeviceKind device_serial = {
    .name = "serial", PLACE(serials), .prefix = "serial",
    .complete = complete_serial, .validate = validate_serial, .connect = connect_serial, .is_usb = is_usb_serial,
    .prepare = prepare, .release = release, .build = build_serial,
};

const DeviceKind device_parallel = {
    .name = "parallel",
    PLACE(parallels),
    .prefix = "parallel",
    .complete = complete_parallel,
    .validate = validate_parallel,
    .prepare = prepare,
    .release = release,
    .build = build_parallel,
};

const DeviceKind device_console = {
    .name = "console",
    PLACE(consoles),
    .prefix = "console",
    .complete = complete_console,
    .validate = validate_console,
    .prepare = prepare,
    .release = release,
    .build = build_console,
};

const DeviceKind device_channel = {
    .name = "channel", PLACE(channels), .prefix = "channel",
    .complete = complete_channel, .validate = validate_backend,
    .prepare = prepare, .release = release, .build = build_channel,
};
