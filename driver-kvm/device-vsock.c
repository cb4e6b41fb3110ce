/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A socket between host and guest. The kernel serves it; QEMU is given its device, with the guest's address set. */
#include "driver-kvm/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"

#define CID_MIN 3 /* those below are the hypervisor's, the host's and nobody's */
#define CID_TRIES 65536

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Vsock *vsock = device;

    return vsock->model == VSOCK_MODEL_VIRTIO_TRANSITIONAL ? PCI_CONNECT_DEVICE : PCI_CONNECT_EXPRESS;
}

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Vsock *vsock = device;

    if (vsock->model == VSOCK_MODEL_UNSET)
        vsock->model = VSOCK_MODEL_VIRTIO;
    if (!vsock->cid)
        vsock->cid = vsock_cid_new();
    if (vsock->cid->automatic == TOGGLE_UNSET)
        vsock->cid->automatic = vsock->cid->address == UNSET32 ? TOGGLE_ON : TOGGLE_OFF;
    return TRUE;
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Vsock *vsock = device;

    return vsock->cid->address == UNSET32 || vsock->cid->address >= CID_MIN ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "guest CIDs must be >= %d", CID_MIN);
}

static gboolean set_cid(int fd, guint64 cid)
{
    return ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &cid) == 0;
}

static gboolean take_cid(int fd, VsockCid *cid, GError **error)
{
    if (cid->automatic != TOGGLE_ON)
        return set_cid(fd, cid->address) || error_set_errno(error, VIR_FROM_NONE, errno, "failed to set guest cid");
    for (guint32 next = CID_MIN; next < CID_MIN + CID_TRIES; next++) {
        if (set_cid(fd, next)) {
            cid->address = next;
            return TRUE;
        }
        if (errno != EADDRINUSE)
            break;
    }
    return error_set_errno(error, VIR_FROM_NONE, errno, "failed to acquire guest cid");
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    Vsock *vsock = device;

    if (!context->touch_host)
        return TRUE;
    int fd = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "unable to open vhost-vsock device");
    if (!take_cid(fd, vsock->cid, error)) {
        close(fd);
        return FALSE;
    }
    argv_context_pass(context, fd, vsock->alias->name);
    return TRUE;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Vsock *vsock = device;
    int number = argv_context_passed(context, vsock->alias->name);
    g_autoptr(JsonObject) props = props_new("driver", vsock->model == VSOCK_MODEL_VIRTIO_TRANSITIONAL
                                                          ? "vhost-vsock-pci-transitional"
                                                      : vsock->model == VSOCK_MODEL_VIRTIO_NON_TRANSITIONAL
                                                          ? "vhost-vsock-pci-non-transitional"
                                                          : "vhost-vsock-pci");

    props_virtio(props, vsock->driver);
    props_string(props, "id", vsock->alias->name);
    props_int(props, "guest-cid", vsock->cid->address == UNSET32 ? 0 : vsock->cid->address);
    if (number >= 0)
        props_format(props, "vhostfd", "%d", number);
    if (!device_address_props(live, vsock->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_vsock = {
    .name = "vsock", .offset = offsetof(Devices, vsock), .single = TRUE, .alias = offsetof(Vsock, alias),
    .address = offsetof(Vsock, address), .prefix = "vsock", .complete = complete, .validate = validate,
    .connect = connect_pci, .prepare = prepare, .build = build,
};
