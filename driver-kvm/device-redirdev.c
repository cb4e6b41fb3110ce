/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* USB devices that a client lends. */
#include "driver-kvm/chardev.h"
#include "driver-kvm/device.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

#include <stdlib.h>
#include <string.h>

#define ANY (-1)

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Redirdev *redirdev = device;

    CHARDEV_COMPLETE(redirdev);
    return TRUE;
}

static gboolean is_usb(gconstpointer device)
{
    return ((const Redirdev *)device)->bus == REDIRDEV_BUS_USB;
}

static ChardevView view_of(const Redirdev *redirdev)
{
    ChardevView view = CHARDEV_VIEW(redirdev);

    view.spice = "usbredir";
    return view;
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    ChardevView view = view_of(device);

    return chardev_validate(def, &view, error);
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    const Redirdev *redirdev = device;
    ChardevView view = view_of(redirdev);

    return (!context->touch_host || chardev_check_host(&view, error)) &&
           chardev_prepare(&view, redirdev->alias->name, context, error);
}

static void release(const Domain *live, gconstpointer device)
{
    ChardevView view = view_of(device);

    chardev_release(&view);
}

static void add_number(GString *text, gint32 value, int digits)
{
    if (value == ANY)
        g_string_append(text, "-1:");
    else
        g_string_append_printf(text, "0x%0*X:", digits, (guint)value);
}

/* "9.40" as the two octets that a device tells: 0x0940. */
static gint32 coded_version(const char *version)
{
    const char *dot = version ? strchr(version, '.') : NULL;
    guint major, minor;

    if (!dot)
        return ANY;
    major = (guint)atoi(version);
    minor = (guint)atoi(dot + 1);
    return (gint32)((major / 10) << 12 | (major % 10) << 8 | (minor / 10 % 10) << 4 | minor % 10);
}

static char *filter_text(const Redirfilter *filter)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < filter->usbdevs->len; i++) {
        const RedirfilterDevice *rule = g_ptr_array_index(filter->usbdevs, i);

        if (i)
            g_string_append_c(text, '|');
        add_number(text, rule->class, 2);
        add_number(text, rule->vendor, 4);
        add_number(text, rule->product, 4);
        add_number(text, coded_version(rule->version), 4);
        g_string_append_c(text, rule->allow == TOGGLE_ON ? '1' : '0');
    }
    return g_string_free(text, FALSE);
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Redirdev *redirdev = device;
    const Redirfilter *filter = live->devices->redirfilter;
    ChardevView view = view_of(redirdev);
    g_autoptr(JsonObject) props = NULL;

    if (!chardev_build(&view, redirdev->alias->name, context, parts, error))
        return FALSE;
    props = props_new("driver", "usb-redir");
    props_format(props, "chardev", "char%s", redirdev->alias->name);
    props_string(props, "id", redirdev->alias->name);
    if (filter && filter->usbdevs->len) {
        g_autofree char *text = filter_text(filter);

        props_string(props, "filter", text);
    }
    if (redirdev->boot)
        props_positive(props, "bootindex", redirdev->boot->order);
    if (!device_address_props(live, redirdev->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_redirdev = {
    .name = "redirdev", .offset = offsetof(Devices, redirdevs), .alias = offsetof(Redirdev, alias),
    .address = offsetof(Redirdev, address), .prefix = "redir", .complete = complete, .validate = validate, .is_usb = is_usb,
    .prepare = prepare, .release = release, .build = build,
};
