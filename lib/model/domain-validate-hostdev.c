/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-hostdev.h"

#include <string.h>

#include "lib/error.h"
#include "lib/model/domain-address.h"
#include "lib/model/domain-validate.h"

#define UNSUPPORTED VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED
#define WRONG VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR

/* What of a host a device is, for a comparison; a NIC's source has the same words elsewhere. */
typedef struct {
    HostdevType type;
    const HostdevSource *source;
    HostdevAddress address;
} Given;

static Given given_of_interface(const Interface *interface)
{
    const InterfaceSourceAddress *address = interface->source->host_address;
    gboolean usb = address->type == ADDRESS_TYPE_USB;
    Given given = {.type = usb ? HOSTDEV_TYPE_USB : HOSTDEV_TYPE_PCI};

    given.address.domain = address->domain;
    given.address.bus = address->bus;
    given.address.slot = address->slot;
    given.address.function = address->function;
    given.address.device = address->device;
    return given;
}

static Given given_of(const Hostdev *hostdev)
{
    Given given = {.type = hostdev->type, .source = hostdev->source};

    if (hostdev->source->address)
        given.address = *hostdev->source->address;
    return given;
}

static gboolean has_usb_place(const Given *given)
{
    return given->address.bus != UNSET32 && given->address.bus && given->address.device != UNSET32 && given->address.device;
}

static guint32 usb_id(const Given *given, gboolean vendor)
{
    const UsbId *id = !given->source ? NULL : vendor ? given->source->vendor : given->source->product;

    return id ? id->id : 0;
}

static gboolean same_usb(const Given *one, const Given *other)
{
    if (has_usb_place(one))
        return one->address.bus == other->address.bus && one->address.device == other->address.device;
    return usb_id(one, TRUE) == usb_id(other, TRUE) && usb_id(one, FALSE) == usb_id(other, FALSE);
}

static gboolean same_scsi(const Given *one, const Given *other)
{
    gboolean iscsi = one->source->protocol == HOSTDEV_PROTOCOL_ISCSI;

    if (iscsi != (other->source->protocol == HOSTDEV_PROTOCOL_ISCSI))
        return FALSE;
    if (iscsi)
        return g_strcmp0(one->source->name, other->source->name) == 0 &&
               g_strcmp0(((DiskHost *)one->source->hosts->pdata[0])->name,
                         ((DiskHost *)other->source->hosts->pdata[0])->name) == 0;
    return g_strcmp0(one->source->adapter->name, other->source->adapter->name) == 0 &&
           one->address.bus == other->address.bus && one->address.target == other->address.target &&
           one->address.unit == other->address.unit;
}

static gboolean is_same(const Given *one, const Given *other)
{
    if (one->type != other->type)
        return FALSE;
    switch (one->type) {
    case HOSTDEV_TYPE_USB:
        return same_usb(one, other);
    case HOSTDEV_TYPE_PCI:
        return one->address.domain == other->address.domain && one->address.bus == other->address.bus &&
               one->address.slot == other->address.slot && one->address.function == other->address.function;
    case HOSTDEV_TYPE_SCSI:
        return same_scsi(one, other);
    case HOSTDEV_TYPE_SCSI_HOST:
        return g_strcmp0(one->source->wwpn, other->source->wwpn) == 0;
    case HOSTDEV_TYPE_MDEV:
        return memcmp(one->address.uuid.bytes, other->address.uuid.bytes, sizeof one->address.uuid.bytes) == 0;
    default:
        return FALSE;
    }
}

static GArray *all_given(const Domain *def)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(Given));

    for (guint i = 0; i < def->devices->interfaces->len; i++) {
        const Interface *interface = g_ptr_array_index(def->devices->interfaces, i);
        if (interface->type != INTERFACE_TYPE_HOSTDEV || !interface->source || !interface->source->host_address)
            continue;
        Given given = given_of_interface(interface);
        g_array_append_val(all, given);
    }
    for (guint i = 0; i < def->devices->hostdevs->len; i++) {
        const Hostdev *hostdev = g_ptr_array_index(def->devices->hostdevs, i);
        if (hostdev->mode == HOSTDEV_MODE_CAPABILITIES)
            continue;
        Given given = given_of(hostdev);
        g_array_append_val(all, given);
    }
    return all;
}

static gboolean validate_once(const Domain *def, GError **error)
{
    g_autoptr(GArray) all = all_given(def);

    for (guint i = 1; i < all->len; i++)
        for (guint k = 0; k < i; k++)
            if (is_same(&g_array_index(all, Given, k), &g_array_index(all, Given, i)))
                return error_set(error, WRONG, "Hostdev already exists in the domain configuration");
    return TRUE;
}

static gboolean validate_address(const Hostdev *hostdev, GError **error)
{
    AddressType type = hostdev->address ? hostdev->address->type : ADDRESS_TYPE_UNSET;

    if (type == ADDRESS_TYPE_UNSET)
        return TRUE;
    switch (hostdev->type) {
    case HOSTDEV_TYPE_PCI:
        return type == ADDRESS_TYPE_PCI || type == ADDRESS_TYPE_UNASSIGNED ||
               error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                         "PCI host devices must use 'pci' or 'unassigned' address type");
    case HOSTDEV_TYPE_USB:
        return type == ADDRESS_TYPE_USB || error_set(error, UNSUPPORTED, "USB host device must use 'usb' address type");
    case HOSTDEV_TYPE_SCSI:
        return type == ADDRESS_TYPE_DRIVE || error_set(error, UNSUPPORTED, "SCSI host device must use 'drive' address type");
    case HOSTDEV_TYPE_SCSI_HOST:
        return type == ADDRESS_TYPE_PCI || type == ADDRESS_TYPE_CCW ||
               error_set(error, UNSUPPORTED, "SCSI_host host device must use 'pci' or 'ccw' address type");
    case HOSTDEV_TYPE_MDEV:
        return type == (hostdev->model == HOSTDEV_MODEL_VFIO_CCW ? ADDRESS_TYPE_CCW : ADDRESS_TYPE_PCI) ||
               hostdev->model == HOSTDEV_MODEL_VFIO_AP ||
               error_set(error, WRONG, "Unsupported address type '%s' with mediated device model '%s'",
                         address_type_to_string(type), hostdev_model_to_string(hostdev->model));
    default:
        return TRUE;
    }
}

static gboolean validate_place(const Domain *def, guint own, GError **error)
{
    const Hostdev *hostdev = g_ptr_array_index(def->devices->hostdevs, own);
    const Address *place = hostdev->address;

    if (hostdev->type != HOSTDEV_TYPE_SCSI || !place || place->type != ADDRESS_TYPE_DRIVE)
        return TRUE;
    for (guint i = 0; i < def->devices->disks->len; i++) {
        const Disk *disk = g_ptr_array_index(def->devices->disks, i);
        if (disk->target->bus == DISK_BUS_SCSI &&
            domain_is_drive_at(disk->address, place->controller, place->bus, place->target, place->unit))
            return error_set(error, UNSUPPORTED,
                             "using disk target name '%s' conflicts with SCSI host device address controller='%u' bus='%u' "
                             "target='%u' unit='%u", disk->target->dev, place->controller, place->bus, place->target,
                             place->unit);
    }
    for (guint i = 0; i < own; i++) {
        const Hostdev *other = g_ptr_array_index(def->devices->hostdevs, i);
        if (other->type == HOSTDEV_TYPE_SCSI &&
            domain_is_drive_at(other->address, place->controller, place->bus, place->target, place->unit))
            return error_set(error, UNSUPPORTED,
                             "SCSI host address controller='%u' bus='%u' target='%u' unit='%u' in use by another SCSI host "
                             "device", place->controller, place->bus, place->target, place->unit);
    }
    return TRUE;
}

gboolean domain_validate_hostdevs(const Domain *def, GError **error)
{
    if (!validate_once(def, error))
        return FALSE;
    for (guint i = 0; i < def->devices->hostdevs->len; i++) {
        const Hostdev *hostdev = g_ptr_array_index(def->devices->hostdevs, i);

        if (!domain_validate_rom(hostdev->rom, error) || !validate_address(hostdev, error) || !validate_place(def, i, error))
            return FALSE;
        if (hostdev->teaming && hostdev->type != HOSTDEV_TYPE_PCI)
            return error_set(error, UNSUPPORTED, "teaming is only supported for pci hostdev devices");
        if (hostdev->sgio == DISK_SGIO_UNFILTERED)
            return error_set(error, UNSUPPORTED, "unfiltered sgio is no longer supported");
    }
    return TRUE;
}
