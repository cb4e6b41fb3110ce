/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-device.h"

#include <string.h>

#include "lib/error.h"
#include "lib/model/table.h"

void domain_device_clear(DomainDevice *device)
{
    if (device->device)
        model_free(device->type, device->device);
    device->device = NULL;
}

static gboolean is_device(const ModelField *field)
{
    return field->kind == MODEL_LIST || field->kind == MODEL_STRUCT;
}

static DomainDevice kind_of(const ModelField *field)
{
    return (DomainDevice){field->xml, field->type, field->offset, field->kind == MODEL_STRUCT, NULL};
}

gboolean domain_device_parse(const XmlNode *node, guint flags, DomainDevice *ret_device, GError **error)
{
    const char *name = xml_name(node);

    for (guint i = 0; i < devices_type.n_fields; i++) {
        const ModelField *field = &devices_type.fields[i];

        if (!is_device(field) || strcmp(field->xml, name) != 0)
            continue;
        DomainDevice found = kind_of(field);
        found.device = model_parse(field->type, node, flags, NULL, error);
        if (!found.device)
            return FALSE;
        *ret_device = found;
        return TRUE;
    }
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "unknown device type '%s'", name);
}

static gpointer *place_of(const Domain *def, const DomainDevice *device)
{
    return (gpointer *)((char *)def->devices + device->offset);
}

guint domain_device_count(const Domain *def, const DomainDevice *device)
{
    gpointer member = *place_of(def, device);

    return device->single ? member != NULL : ((GPtrArray *)member)->len;
}

gpointer domain_device_at(const Domain *def, const DomainDevice *device, guint index)
{
    gpointer member = *place_of(def, device);

    return device->single ? member : ((GPtrArray *)member)->pdata[index];
}

static gboolean is_twin(const Chardev *console)
{
    return console->target && console->target->type == CHARDEV_TARGET_TYPE_SERIAL;
}

/* The first serial port of a machine without consoles is its console too; domain_twin_consoles() fills it in. */
static void add_twin(Devices *devices)
{
    Chardev *console;

    if (devices->serials->len != 1 || devices->consoles->len > 0)
        return;
    console = chardev_copy(devices->serials->pdata[0]);
    chardev_target_free(console->target);
    console->target = chardev_target_new();
    console->target->type = CHARDEV_TARGET_TYPE_SERIAL;
    g_ptr_array_add(devices->consoles, console);
}

static void drop_twin(Devices *devices, gconstpointer serial)
{
    Chardev *console = devices->consoles->len ? devices->consoles->pdata[0] : NULL;

    if (devices->serials->len == 0 || devices->serials->pdata[0] != serial || !console || !is_twin(console))
        return;
    g_ptr_array_remove_index(devices->consoles, 0);
    chardev_free(console);
}

gpointer domain_device_add(Domain *def, const DomainDevice *device)
{
    gpointer *place = place_of(def, device), copy;

    if (device->single && *place)
        return NULL;
    copy = model_copy(device->type, device->device);
    if (device->single)
        *place = copy;
    else
        g_ptr_array_add(*place, copy);
    if (strcmp(device->name, "serial") == 0)
        add_twin(def->devices);
    return copy;
}

void domain_device_drop(Domain *def, const DomainDevice *device, gpointer held)
{
    gpointer *place = place_of(def, device);

    if (strcmp(device->name, "serial") == 0)
        drop_twin(def->devices, held);
    if (device->single)
        *place = NULL;
    else
        g_ptr_array_remove(*place, held);
    model_free(device->type, held);
}

void domain_device_replace(Domain *def, const DomainDevice *device, gpointer held)
{
    gpointer *place = place_of(def, device), copy = model_copy(device->type, device->device);
    guint index;

    if (device->single)
        *place = copy;
    else if (g_ptr_array_find(*place, held, &index))
        ((GPtrArray *)*place)->pdata[index] = copy;
    model_free(device->type, held);
}

static const ModelField *field_of(const ModelType *type, const char *name)
{
    for (guint i = 0; i < type->n_fields; i++)
        if (type->fields[i].kind == MODEL_STRUCT && g_strcmp0(type->fields[i].xml, name) == 0)
            return &type->fields[i];
    return NULL;
}

const char *domain_device_alias(const DomainDevice *kind, gconstpointer held)
{
    const ModelField *field = field_of(kind->type, "alias");
    const Alias *alias = field ? MODEL_MEMBER_CONST(held, field, gpointer) : NULL;

    return alias ? alias->name : NULL;
}

gpointer domain_device_by_alias(const Domain *def, const char *alias, DomainDevice *ret_kind)
{
    for (guint i = 0; i < devices_type.n_fields; i++) {
        DomainDevice kind = kind_of(&devices_type.fields[i]);

        if (!is_device(&devices_type.fields[i]))
            continue;
        for (guint n = 0; n < domain_device_count(def, &kind); n++)
            if (g_strcmp0(domain_device_alias(&kind, domain_device_at(def, &kind, n)), alias) == 0) {
                *ret_kind = kind;
                return domain_device_at(def, &kind, n);
            }
    }
    return NULL;
}

static const char *field_difference(const ModelField *field, gconstpointer held, gconstpointer wanted)
{
    if (field->kind == MODEL_STRUCT) {
        gconstpointer inner = MODEL_MEMBER_CONST(held, field, gpointer);

        return inner ? domain_device_difference(field->type, inner, MODEL_MEMBER_CONST(wanted, field, gpointer))
                     : field->xml;
    }
    if (field->kind != MODEL_LIST)
        return model_member_equal(field, held, wanted) ? NULL : field->xml ? field->xml : "text";
    const GPtrArray *one = model_list(field, held), *other = model_list(field, wanted);
    for (guint i = 0; i < other->len; i++) {
        const char *what =
            i < one->len ? domain_device_difference(field->type, one->pdata[i], other->pdata[i]) : field->xml;

        if (what)
            return what;
    }
    return NULL;
}

const char *domain_device_difference(const ModelType *type, gconstpointer held, gconstpointer wanted)
{
    for (guint i = 0; i < type->n_fields; i++) {
        const ModelField *field = &type->fields[i];
        gboolean said = !(field->marks & MODEL_TWIN) && !model_is_unset(field, wanted);
        const char *what = said ? field_difference(field, held, wanted) : NULL;

        if (what)
            return what;
    }
    return NULL;
}
