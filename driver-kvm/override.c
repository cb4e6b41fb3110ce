/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/override.h"

#include <string.h>

#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

static gboolean wrong(const QemuOverrideProperty *property, GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR, "invalid value '%s' of 'value' attribute of 'qemu:property'", property->value);
}

static gboolean set_property(JsonObject *props, const QemuOverrideProperty *property, GError **error)
{
    const char *value = property->value;
    gboolean removed = property->type == QEMU_PROPERTY_TYPE_REMOVE;
    guint64 number;
    gint64 whole;

    if (!value && !removed)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR, "missing 'value' attribute for 'qemu:property'");
    if (value && removed)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                         "setting 'value' attribute of 'qemu:property' doesn't make sense with 'remove' type");
    json_object_remove_member(props, property->name);
    switch (property->type) {
    case QEMU_PROPERTY_TYPE_STRING:
        props_string(props, property->name, value);
        return TRUE;
    case QEMU_PROPERTY_TYPE_SIGNED:
        if (!g_ascii_string_to_signed(value, 10, G_MININT64, G_MAXINT64, &whole, NULL))
            return wrong(property, error);
        props_int(props, property->name, whole);
        return TRUE;
    case QEMU_PROPERTY_TYPE_UNSIGNED:
        if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, &number, NULL))
            return wrong(property, error);
        props_int(props, property->name, (gint64)number);
        return TRUE;
    case QEMU_PROPERTY_TYPE_BOOL:
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            return wrong(property, error);
        props_bool(props, property->name, value[0] == 't');
        return TRUE;
    default:
        return TRUE; /* it is gone */
    }
}

static const GPtrArray *properties_of(const QemuOverrideDevice *device)
{
    return device->frontend ? device->frontend->properties : NULL;
}

gboolean override_validate(const Domain *def, GError **error)
{
    const GPtrArray *devices = def->override ? def->override->devices : NULL;
    g_autoptr(JsonObject) nowhere = json_object_new();

    for (guint i = 0; devices && i < devices->len; i++) {
        const GPtrArray *properties = properties_of(devices->pdata[i]);
        for (guint n = 0; properties && n < properties->len; n++)
            if (!set_property(nowhere, properties->pdata[n], error))
                return FALSE;
    }
    return TRUE;
}

static void apply_device(const QemuOverrideDevice *device, const GPtrArray *parts)
{
    const GPtrArray *properties = properties_of(device);

    for (guint i = 0; i < parts->len; i++) {
        const Part *part = parts->pdata[i];
        const char *id = part->kind == PART_DEVICE ? json_object_get_string_member_with_default(part->props, "id", NULL) : NULL;
        for (guint n = 0; properties && g_strcmp0(id, device->alias) == 0 && n < properties->len; n++)
            set_property(part->props, properties->pdata[n], NULL);
    }
}

void override_apply(const Domain *live, GPtrArray *parts)
{
    const GPtrArray *devices = live->override ? live->override->devices : NULL;

    for (guint i = 0; devices && i < devices->len; i++)
        apply_device(devices->pdata[i], parts);
}

void override_deprecation(const Domain *live, GPtrArray *parts)
{
    static const char *const arguments[][2] = {
        {"omit", "{\"deprecated-output\":\"hide\"}"},
        {"reject", "{\"deprecated-output\":\"hide\",\"deprecated-input\":\"reject\"}"},
        {"crash", "{\"deprecated-output\":\"hide\",\"deprecated-input\":\"crash\"}"},
    };
    const char *behavior = live->deprecation ? live->deprecation->behavior : NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(arguments); i++)
        if (g_strcmp0(behavior, arguments[i][0]) == 0)
            parts_add_option(parts, "-compat", g_strdup(arguments[i][1]));
}
