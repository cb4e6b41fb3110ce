/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices of the host: defined, checked and placed; handing them over is not there yet, so a start refuses them by name. */
#include "driver-kvm/caps.h"
#include "driver-kvm/device.h"
#include "lib/error.h"
#include "lib/model/domain-address.h"
#include "lib/model/domain-hostdev.h"
#include "lib/model/pci-map.h"

#define UNSUPPORTED VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    domain_address_hostdev(def, device);
    return TRUE;
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Hostdev *hostdev = device;

    switch (hostdev->type) {
    case HOSTDEV_TYPE_PCI:
        return PCI_CONNECT_EXPRESS;
    case HOSTDEV_TYPE_MDEV:
        return hostdev->model == HOSTDEV_MODEL_VFIO_PCI ? PCI_CONNECT_EXPRESS : 0;
    case HOSTDEV_TYPE_SCSI_HOST:
        return hostdev->model == HOSTDEV_MODEL_VIRTIO_TRANSITIONAL ? PCI_CONNECT_DEVICE : PCI_CONNECT_EXPRESS;
    default:
        return 0;
    }
}

static gboolean is_usb(gconstpointer device)
{
    return ((const Hostdev *)device)->type == HOSTDEV_TYPE_USB;
}

static gboolean validate_boot(const Hostdev *hostdev, GError **error)
{
    if (!hostdev->boot)
        return TRUE;
    if (hostdev->type == HOSTDEV_TYPE_SCSI_HOST)
        return error_set(error, UNSUPPORTED, "booting from assigned devices is not supported by vhost SCSI devices");
    return hostdev->type != HOSTDEV_TYPE_MDEV || hostdev->model == HOSTDEV_MODEL_VFIO_CCW ||
           error_set(error, UNSUPPORTED, "booting from assigned devices is not supported by mediated devices of model %s",
                     hostdev_model_to_string(hostdev->model));
}

static gboolean validate_mdev(const Domain *def, const Hostdev *hostdev, const Caps *caps, GError **error)
{
    if (hostdev->model == HOSTDEV_MODEL_VFIO_CCW && !caps_has_device(caps, "vfio-ccw"))
        return error_set(error, UNSUPPORTED, "VFIO CCW device assignment is not supported by this version of QEMU");
    if (hostdev->model == HOSTDEV_MODEL_VFIO_AP && !caps_has_device(caps, "vfio-ap"))
        return error_set(error, UNSUPPORTED, "VFIO AP device assignment is not supported by this version of QEMU");
    return hostdev->display != TOGGLE_ON || def->devices->graphics->len ||
           error_set(error, UNSUPPORTED, "graphics device is needed for attribute value 'display=on' in <hostdev>");
}

/* QEMU's controllers have one bus; LSI's have one target of several units. */
static gboolean validate_place(const Domain *def, const Hostdev *hostdev, GError **error)
{
    const Address *place = hostdev->address;
    const Controller *controller;

    if (hostdev->type != HOSTDEV_TYPE_SCSI || !place || place->type != ADDRESS_TYPE_DRIVE)
        return TRUE;
    if (place->bus != 0)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "SCSI controller only supports 1 bus");
    controller = domain_controller(def, CONTROLLER_TYPE_SCSI, place->controller);
    return place->target == 0 || !controller || controller->model != CONTROLLER_MODEL_LSILOGIC ||
           error_set(error, UNSUPPORTED, "target must be 0 for controller model 'lsilogic'");
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Hostdev *hostdev = device;

    if (hostdev->mode == HOSTDEV_MODE_CAPABILITIES)
        return error_set(error, UNSUPPORTED, "hostdev mode 'capabilities' is not supported in qemu");
    if (hostdev->type == HOSTDEV_TYPE_PCI && hostdev->source->write_filtering != TOGGLE_UNSET)
        return error_set(error, UNSUPPORTED, "Write filtering of PCI device configuration space is not supported by qemu");
    if (hostdev->type == HOSTDEV_TYPE_MDEV && !validate_mdev(def, hostdev, caps, error))
        return FALSE;
    return validate_boot(hostdev, error) && validate_place(def, hostdev, error);
}

const DeviceKind device_hostdev = {
    .name = "hostdev", .offset = offsetof(Devices, hostdevs), .alias = offsetof(Hostdev, alias),
    .address = offsetof(Hostdev, address), .prefix = "hostdev", .complete = complete, .validate = validate,
    .connect = connect_pci, .is_usb = is_usb,
};
