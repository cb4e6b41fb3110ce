/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the guest's kernel keeps records of its crashes: ACPI's table for that, in a file of the host. */
#include <errno.h>
#include <fcntl.h>

#include "driver-kvm/caps.h"
#include "driver-kvm/device.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"
#include "lib/patient.h"

#define DEADLINE (10 * G_USEC_PER_SEC)
#define SIZE_MIN 8 /* KiB: QEMU's records have that size */

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Pstore *pstore = device;

    if (!caps_has_device(caps, "acpi-erst"))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "pstore device is not supported by this QEMU binary");
    if (!def->features || !def->features->acpi)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "pstore device requires ACPI");
    return (pstore->size >= SIZE_MIN && (pstore->size & (pstore->size - 1)) == 0) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "size of a pstore device must be a power of two and at least %d KiB",
                     SIZE_MIN);
}

/* The file is there from the first start on; QEMU gives it its size. */
static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    const Pstore *pstore = device;
    int fd = context->touch_host ? patient_open(pstore->path, O_RDWR | O_CREAT | O_NOCTTY | O_NONBLOCK, 0600, g_get_monotonic_time() + DEADLINE) : -1;

    if (context->touch_host && fd < 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot open file '%s' of the pstore device", pstore->path);
    if (fd >= 0)
        patient_close(fd);
    return TRUE;
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    return PCI_CONNECT_DEVICE;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Pstore *pstore = device;
    JsonObject *memory = props_new("qom-type", "memory-backend-file");
    g_autoptr(JsonObject) props = props_new("driver", "acpi-erst");

    props_format(memory, "id", "mem%s", pstore->alias->name);
    props_string(memory, "mem-path", pstore->path);
    props_bool(memory, "share", TRUE);
    props_int(memory, "size", (gint64)pstore->size * 1024);
    parts_add(parts, PART_OBJECT, memory);
    props_string(props, "id", pstore->alias->name);
    props_format(props, "memdev", "mem%s", pstore->alias->name);
    if (!device_address_props(live, pstore->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_pstore = {
    .name = "pstore", .offset = offsetof(Devices, pstore), .single = TRUE, .alias = offsetof(Pstore, alias),
    .address = offsetof(Pstore, address), .prefix = "pstore", .validate = validate, .connect = connect_pci, .prepare = prepare,
    .build = build,
};
