/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-hostdev.h"

#include <string.h>

#include "lib/error.h"
#include "lib/model/domain-address.h"

#define SCSI_UNITS 7 /* that are given out; others may be asked for */
#define UNSUPPORTED VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED
#define WRONG VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR

static gboolean is_iscsi(const Hostdev *hostdev)
{
    return hostdev->type == HOSTDEV_TYPE_SCSI && hostdev->source->protocol == HOSTDEV_PROTOCOL_ISCSI;
}

/* --- what has been read --- */

static gboolean normalize_usb(const HostdevSource *source, GError **error)
{
    if (source->vendor && !source->product)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "missing product");
    return !source->product || source->vendor ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "missing vendor");
}

static gboolean normalize_iscsi(HostdevSource *source, GError **error)
{
    const SecretRef *secret = source->auth ? source->auth->secret : NULL;

    if (source->hosts->len == 0)
        return error_set(error, WRONG, "missing the host address for the iSCSI hostdev");
    if (source->hosts->len > 1)
        return error_set(error, WRONG, "only one source host address may be specified for the iSCSI hostdev");
    if (secret && secret->type != SECRET_TYPE_ISCSI)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "hostdev invalid secret type '%s'",
                         secret_type_to_string(secret->type));
    /* A target's first unit is meant where none is named. */
    if (source->name && !strchr(source->name, '/')) {
        char *name = g_strconcat(source->name, "/0", NULL);
        g_free(source->name);
        source->name = name;
    }
    return TRUE;
}

static gboolean normalize_scsi(const HostdevSource *source, GError **error)
{
    if (!source->address)
        return error_set(error, WRONG, "'address' must be specified for scsi hostdev source");
    return source->adapter || error_set(error, WRONG, "'adapter' name must be specified for scsi hostdev source");
}

static gboolean normalize_capability(const Hostdev *hostdev, GError **error)
{
    const HostdevSource *source = hostdev->source;

    switch (hostdev->type) {
    case HOSTDEV_TYPE_STORAGE:
        return source->block || error_set(error, WRONG, "Missing <block> element in hostdev storage device");
    case HOSTDEV_TYPE_MISC:
        return source->char_device || error_set(error, WRONG, "Missing <char> element in hostdev character device");
    case HOSTDEV_TYPE_NET:
        return source->interface || error_set(error, WRONG, "Missing <interface> element in hostdev net device");
    default:
        return error_set(error, UNSUPPORTED, "unknown host device source address type '%s'",
                         hostdev_type_to_string(hostdev->type));
    }
}

static gboolean normalize(Hostdev *hostdev, GError **error)
{
    HostdevSource *source = hostdev->source;

    if (hostdev->mode == HOSTDEV_MODE_CAPABILITIES)
        return normalize_capability(hostdev, error);
    switch (hostdev->type) {
    case HOSTDEV_TYPE_USB:
        return normalize_usb(source, error);
    case HOSTDEV_TYPE_PCI:
        if (!source->address) {
            source->address = hostdev_address_new();
            source->address->domain = source->address->bus = source->address->slot = source->address->function = 0;
        }
        return TRUE;
    case HOSTDEV_TYPE_SCSI:
        return is_iscsi(hostdev) ? normalize_iscsi(source, error) : normalize_scsi(source, error);
    case HOSTDEV_TYPE_MDEV:
        if (!source->address)
            return error_set(error, UNSUPPORTED, "Missing <address> element");
        if (hostdev->model == HOSTDEV_MODEL_VFIO_PCI && hostdev->display == TOGGLE_UNSET)
            hostdev->display = TOGGLE_OFF;
        return TRUE;
    case HOSTDEV_TYPE_SCSI_HOST:
        return TRUE;
    default:
        return error_set(error, UNSUPPORTED, "unknown host device source address type '%s'",
                         hostdev_type_to_string(hostdev->type));
    }
}

static gboolean has_no_usb(const Domain *def)
{
    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);
        if (controller->type == CONTROLLER_TYPE_USB && controller->model == CONTROLLER_MODEL_NONE)
            return TRUE;
    }
    return FALSE;
}

gboolean domain_normalize_hostdevs(Domain *def, GError **error)
{
    gboolean no_usb = has_no_usb(def);

    for (guint i = 0; i < def->devices->hostdevs->len; i++) {
        Hostdev *hostdev = g_ptr_array_index(def->devices->hostdevs, i);

        if (!normalize(hostdev, error))
            return FALSE;
        if (hostdev->type == HOSTDEV_TYPE_USB && no_usb)
            return error_set(error, UNSUPPORTED, "Can't add host USB device: USB is disabled in this host");
    }
    return TRUE;
}

/* --- places of SCSI devices --- */

static gboolean is_taken(const Domain *def, guint controller, guint unit)
{
    for (guint i = 0; i < def->devices->disks->len; i++) {
        const Disk *disk = g_ptr_array_index(def->devices->disks, i);
        if (disk->target->bus == DISK_BUS_SCSI && domain_is_drive_at(disk->address, controller, 0, 0, unit))
            return TRUE;
    }
    for (guint i = 0; i < def->devices->hostdevs->len; i++) {
        const Hostdev *hostdev = g_ptr_array_index(def->devices->hostdevs, i);
        if (hostdev->type == HOSTDEV_TYPE_SCSI && domain_is_drive_at(hostdev->address, controller, 0, 0, unit))
            return TRUE;
    }
    return FALSE;
}

static guint free_unit(const Domain *def, guint controller)
{
    guint unit = 0;

    while (unit < SCSI_UNITS && is_taken(def, controller, unit))
        unit++;
    return unit;
}

void domain_address_hostdev(const Domain *def, Hostdev *hostdev)
{
    guint n_controllers = 0, index = 0, unit = SCSI_UNITS;

    if (hostdev->type != HOSTDEV_TYPE_SCSI || (hostdev->address && hostdev->address->type != ADDRESS_TYPE_UNSET))
        return;
    for (guint i = 0; i < def->devices->controllers->len && unit == SCSI_UNITS; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);
        if (controller->type != CONTROLLER_TYPE_SCSI)
            continue;
        n_controllers++;
        index = controller->index;
        unit = free_unit(def, index);
    }
    /* Those that earlier host devices ask for are not there yet. */
    for (index = unit == SCSI_UNITS ? n_controllers : index; unit == SCSI_UNITS; index += unit == SCSI_UNITS)
        unit = free_unit(def, index);
    address_free(hostdev->address);
    hostdev->address = address_new();
    hostdev->address->type = ADDRESS_TYPE_DRIVE;
    hostdev->address->controller = index;
    hostdev->address->bus = hostdev->address->target = 0;
    hostdev->address->unit = unit;
}

void domain_want_hostdev_controllers(Domain *def)
{
    ControllerModel model = CONTROLLER_MODEL_UNSET;
    gint64 last = -1;

    for (guint i = 0; i < def->devices->hostdevs->len; i++) {
        const Hostdev *hostdev = g_ptr_array_index(def->devices->hostdevs, i);
        guint index = hostdev->address && hostdev->address->type == ADDRESS_TYPE_DRIVE ? hostdev->address->controller : 0;
        const Controller *controller;

        if (hostdev->type != HOSTDEV_TYPE_SCSI || (gint64)index <= last)
            continue;
        last = index;
        controller = domain_controller(def, CONTROLLER_TYPE_SCSI, index);
        if (controller && controller->model != CONTROLLER_MODEL_UNSET)
            model = controller->model;
    }
    for (guint index = 0; last >= 0 && index <= MIN(last, CONTROLLERS_MAX); index++)
        domain_want_controller(def, CONTROLLER_TYPE_SCSI, index, model);
}
