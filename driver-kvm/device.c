/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/device.h"

#include <string.h>

#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/domain-address.h"
#include "lib/model/domain-defaults.h"

const DeviceKind *const device_kinds[] = {
    &device_iommu,      &device_controller, &device_hub,     &device_memory,   &device_disk,     &device_filesystem,
    &device_interface,  &device_smartcard,  &device_serial,  &device_parallel, &device_channel,  &device_console,
    &device_tpm,        &device_input,      &device_audio,   &device_graphics, &device_video,    &device_sound,
    &device_watchdog,   &device_redirdev,   &device_hostdev, &device_memballoon, &device_rng,    &device_nvram,
    &device_shmem,      &device_vsock,      &device_panic,   &device_lease,    &device_crypto, &device_pstore,
    NULL,
};

static gpointer member_of(const DeviceKind *kind, const Domain *def)
{
    return *(gpointer *)((char *)def->devices + kind->offset);
}

guint device_count(const DeviceKind *kind, const Domain *def)
{
    gpointer member = member_of(kind, def);

    return kind->single ? member != NULL : ((GPtrArray *)member)->len;
}

gpointer device_at(const DeviceKind *kind, const Domain *def, guint index)
{
    gpointer member = member_of(kind, def);

    return kind->single ? member : g_ptr_array_index((GPtrArray *)member, index);
}

static Alias **alias_of(const DeviceKind *kind, gconstpointer device)
{
    return kind->alias < 0 ? NULL : (Alias **)((char *)device + kind->alias);
}

const char *device_alias(const DeviceKind *kind, gconstpointer device)
{
    Alias **alias = alias_of(kind, device);

    return alias && *alias ? (*alias)->name : NULL;
}

Address **device_address(const DeviceKind *kind, gpointer device)
{
    return kind->address < 0 ? NULL : (Address **)((char *)device + kind->address);
}

gboolean device_each(const Domain *def, DeviceFunc fn, gpointer data, GError **error)
{
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++)
        for (guint i = 0; i < device_count(*kind, def); i++)
            if (!fn(*kind, device_at(*kind, def, i), data, error))
                return FALSE;
    return TRUE;
}

gboolean device_complete_all(Domain *def, const Caps *caps, GError **error)
{
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++)
        for (guint i = 0; (*kind)->complete && i < device_count(*kind, def); i++)
            if (!(*kind)->complete(def, device_at(*kind, def, i), caps, error))
                return FALSE;
    return TRUE;
}

/* Names that the user gave; consoles have their serial port's. */
static gboolean check_aliases(const Domain *def, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (const DeviceKind *const *kind = device_kinds; *kind; kind++)
        for (guint i = 0; *kind != &device_console && i < device_count(*kind, def); i++) {
            const char *name = device_alias(*kind, device_at(*kind, def, i));

            if (name && !g_hash_table_add(names, (gpointer)name))
                return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "non unique alias detected: %s", name);
        }
    return TRUE;
}

gboolean device_validate_all(const Domain *def, const Caps *caps, GError **error)
{
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++)
        for (guint i = 0; (*kind)->validate && i < device_count(*kind, def); i++)
            if (!(*kind)->validate(def, device_at(*kind, def, i), caps, error))
                return FALSE;
    return check_aliases(def, error);
}

static void set_alias(const DeviceKind *kind, const Domain *live, gpointer device, guint index)
{
    Alias **alias = alias_of(kind, device);

    if (!alias || (*alias && (*alias)->name) || (!kind->make_alias && !kind->prefix))
        return;
    if (!*alias)
        *alias = alias_new();
    (*alias)->name = kind->make_alias ? kind->make_alias(live, device, index)
                                      : g_strdup_printf("%s%u", kind->prefix, index);
}

/* The number behind PREFIX in ALIAS, plus one; 0: it has another prefix. */
static guint number_after(const char *alias, const char *prefix)
{
    guint64 number;

    return alias && g_str_has_prefix(alias, prefix) &&
                   g_ascii_string_to_unsigned(alias + strlen(prefix), 10, 0, G_MAXUINT16, &number, NULL)
               ? (guint)number + 1
               : 0;
}

/* As libvirt: one more than the highest number there is. */
static char *next_alias(const DeviceKind *kind, const Domain *live, const char *prefix)
{
    guint next = 0;

    for (guint i = 0; i < device_count(kind, live); i++)
        next = MAX(next, number_after(device_alias(kind, device_at(kind, live, i)), prefix));
    return g_strdup_printf("%s%u", prefix, next);
}

void device_assign_alias(const DeviceKind *kind, Domain *live, gpointer device)
{
    Alias **alias = alias_of(kind, device);
    guint index = 0;
    gpointer other;

    if (!alias || (*alias && (*alias)->name) || (!kind->make_alias && !kind->prefix))
        return;
    while (device_at(kind, live, index) != device)
        index++;
    g_autofree char *name =
        kind->make_alias ? kind->make_alias(live, device, index) : next_alias(kind, live, kind->prefix);
    if (device_find(live, name, &other)) {
        g_autofree char *prefix = g_strdup(name);

        for (gsize end = strlen(prefix); end > 0 && g_ascii_isdigit(prefix[end - 1]); end--)
            prefix[end - 1] = '\0';
        g_free(name);
        name = next_alias(kind, live, prefix);
    }
    if (!*alias)
        *alias = alias_new();
    (*alias)->name = g_steal_pointer(&name);
}

const DeviceKind *device_kind(const char *name)
{
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++)
        if (strcmp((*kind)->name, name) == 0)
            return *kind;
    return NULL;
}

gboolean device_assign_aliases(Domain *live, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (const DeviceKind *const *kind = device_kinds; *kind; kind++)
        for (guint i = 0; i < device_count(*kind, live); i++)
            set_alias(*kind, live, device_at(*kind, live, i), i);
    domain_twin_consoles(live);
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++)
        for (guint i = 0; i < device_count(*kind, live); i++) {
            const char *name = device_alias(*kind, device_at(*kind, live, i));
            gboolean shared = *kind == &device_console || *kind == &device_controller;

            if (name && !g_hash_table_add(names, (gpointer)name) && !shared)
                return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "non unique alias detected: %s", name);
        }
    return TRUE;
}

gboolean device_prepare_all(Domain *live, const Caps *caps, ArgvContext *context, GError **error)
{
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++) {
        guint n = device_count(*kind, live);

        for (guint i = 0; (*kind)->prepare && i < n; i++) {
            gpointer device = device_at(*kind, live, (*kind)->backwards ? n - 1 - i : i);

            if (!(*kind)->prepare(live, device, caps, context, error))
                return FALSE;
        }
    }
    domain_twin_consoles(live);
    return TRUE;
}

void device_release_all(const Domain *live)
{
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++)
        for (guint i = 0; (*kind)->release && i < device_count(*kind, live); i++)
            (*kind)->release(live, device_at(*kind, live, i));
}

/* What QEMU is told of a PCI device of s390, before the device: FIRST is the first part of the device's own. */
static void add_zpci(const DeviceKind *kind, gconstpointer device, GPtrArray *parts, guint first)
{
    Address **address = device_address(kind, (gpointer)device);
    const Zpci *zpci = address && *address && (*address)->type == ADDRESS_TYPE_PCI ? (*address)->zpci : NULL;

    for (guint i = first; zpci && i < parts->len; i++) {
        const Part *part = g_ptr_array_index(parts, i);
        JsonObject *props;

        if (part->kind != PART_DEVICE)
            continue;
        props = props_new("driver", "zpci");
        props_int(props, "uid", zpci->uid);
        props_int(props, "fid", (gint64)zpci->fid);
        props_string(props, "target", device_alias(kind, device));
        props_format(props, "id", "zpci%u", zpci->uid);
        parts_add(parts, PART_DEVICE, props);
        g_ptr_array_insert(parts, (gint)i, g_ptr_array_steal_index(parts, parts->len - 1));
        return;
    }
}

gboolean device_build(const Domain *live, const DeviceKind *kind, gconstpointer device, const Caps *caps,
                      ArgvContext *context, GPtrArray *parts, GError **error)
{
    if (!kind->build)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "starting a domain with a <%s> device is not supported by this driver", kind->name);
    guint first = parts->len;
    if (!kind->build(live, device, caps, context, parts, error))
        return FALSE;
    add_zpci(kind, device, parts, first);
    return TRUE;
}

static guint rank_of(const DeviceKind *kind, gconstpointer device)
{
    return kind->rank ? kind->rank(device) : 0;
}

gboolean device_build_all(const Domain *live, const Caps *caps, ArgvContext *context, GPtrArray *parts, GError **error)
{
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++) {
        guint n = device_count(*kind, live);
        guint last = 0;

        for (guint i = 0; i < n; i++)
            last = MAX(last, rank_of(*kind, device_at(*kind, live, i)));
        for (guint rank = 0; rank <= last; rank++)
            for (guint i = 0; i < n; i++) {
                gconstpointer device = device_at(*kind, live, i);

                if (rank_of(*kind, device) == rank && !device_build(live, *kind, device, caps, context, parts, error))
                    return FALSE;
            }
    }
    return TRUE;
}

const DeviceKind *device_find(const Domain *live, const char *alias, gpointer *ret_device)
{
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++)
        for (guint i = 0; i < device_count(*kind, live); i++) {
            gpointer device = device_at(*kind, live, i);

            if (g_strcmp0(device_alias(*kind, device), alias) == 0) {
                *ret_device = device;
                return *kind;
            }
        }
    return NULL;
}

static const char *controller_alias(const Domain *live, ControllerType type, guint index, GError **error)
{
    const Controller *controller = domain_controller(live, type, index);

    if (!controller || !controller->alias || !controller->alias->name) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "Could not find device alias for %s controller %u",
                  controller_type_to_string(type), index);
        return NULL;
    }
    return controller->alias->name;
}

static gboolean pci_props(const Domain *live, const Address *address, JsonObject *props, GError **error)
{
    const char *bus = controller_alias(live, CONTROLLER_TYPE_PCI, address->bus, error);
    const Controller *controller = domain_controller(live, CONTROLLER_TYPE_PCI, address->bus);

    if (!bus)
        return FALSE;
    /* the bus of a host bridge that was added has a name of its own */
    if (controller->target && controller->target->index != UNSET32 && controller->target->index > 0)
        props_format(props, "bus", "%s.0", bus);
    else
        props_string(props, "bus", bus);
    props_toggle(props, "multifunction", address->multifunction);
    if (address->function)
        props_format(props, "addr", "0x%x.0x%x", address->slot, address->function);
    else
        props_format(props, "addr", "0x%x", address->slot);
    return TRUE;
}

static gboolean usb_props(const Domain *live, const Address *address, JsonObject *props, GError **error)
{
    const char *bus = controller_alias(live, CONTROLLER_TYPE_USB, address->bus, error);

    if (!bus)
        return FALSE;
    props_format(props, "bus", "%s.0", bus);
    if (address->port && g_strcmp0(address->port, "0") != 0)
        props_string(props, "port", address->port);
    return TRUE;
}

static gboolean serial_props(const Domain *live, const Address *address, JsonObject *props, GError **error)
{
    const char *bus = controller_alias(live, CONTROLLER_TYPE_VIRTIO_SERIAL, address->controller, error);

    if (!bus)
        return FALSE;
    props_format(props, "bus", "%s.%u", bus, address->bus);
    props_int(props, "nr", address->port ? (gint64)g_ascii_strtoll(address->port, NULL, 10) : 0);
    return TRUE;
}

/* One device of QEMU's for each bus that virtio is on; the builders name the one for PCI. */
static void on_bus(JsonObject *props, const char *bus)
{
    const char *driver = json_object_get_string_member_with_default(props, "driver", "");

    if (g_str_has_suffix(driver, "-pci")) {
        g_autofree char *name = g_strdup_printf("%.*s-%s", (int)strlen(driver) - 4, driver, bus);

        json_object_set_string_member(props, "driver", name);
    }
}

gboolean device_address_props(const Domain *live, const Address *address, JsonObject *props, GError **error)
{
    if (!address)
        return TRUE;
    switch (address->type) {
    case ADDRESS_TYPE_PCI:
        return pci_props(live, address, props, error);
    case ADDRESS_TYPE_USB:
        return usb_props(live, address, props, error);
    case ADDRESS_TYPE_VIRTIO_SERIAL:
        return serial_props(live, address, props, error);
    case ADDRESS_TYPE_ISA:
        props_uint(props, "iobase", address->iobase);
        props_uint(props, "irq", address->irq);
        return TRUE;
    case ADDRESS_TYPE_DIMM:
        props_uint(props, "slot", address->slot);
        if (address->base != UNSET64 && address->base > 0)
            props_int(props, "addr", (gint64)address->base);
        return TRUE;
    case ADDRESS_TYPE_CCW:
        on_bus(props, "ccw");
        props_format(props, "devno", "%x.%x.%04x", address->cssid, address->ssid, address->devno);
        return TRUE;
    case ADDRESS_TYPE_VIRTIO_MMIO:
        on_bus(props, "device");
        return TRUE;
    case ADDRESS_TYPE_SPAPR_VIO:
        if (address->reg != UNSET64)
            props_int(props, "reg", (gint64)address->reg);
        return TRUE;
    case ADDRESS_TYPE_UNSET:
        return TRUE;
    default:
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "<address type='%s'> is not supported by this driver", address_type_to_string(address->type));
    }
}
