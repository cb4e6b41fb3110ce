/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kinds that can be defined, with their places among the others, but that this driver does not start yet. */
#include "driver-kvm/device.h"
#include "lib/error.h"

static gboolean validate_nvram(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "nvram device is only supported for PPC64");
}

#define ROW(member, type) .offset = offsetof(Devices, member), .alias = offsetof(type, alias), .address = offsetof(type, address)

const DeviceKind device_nvram = {.name = "nvram", ROW(nvram, Nvram), .single = TRUE, .prefix = "nvram",
                                 .validate = validate_nvram};
const DeviceKind device_lease = {.name = "lease", .offset = offsetof(Devices, leases), .alias = -1, .address = -1};
