/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kinds that can be defined, with their places among the others, but that this driver does not start yet. */
#include "driver-kvm/caps.h"
#include "driver-kvm/device.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "lib/error.h"

static gboolean validate_nvram(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Nvram *nvram = device;

    if (!machine_has(def, MACHINE_SPAPR_VIO))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "nvram device is only supported for PPC64");
    if (!caps_has_device(caps, "spapr-nvram"))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "nvram device is not supported by this QEMU binary");
    return (nvram->address && nvram->address->type == ADDRESS_TYPE_SPAPR_VIO && nvram->address->reg != UNSET64) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "nvram address type must be spaprvio");
}

static gboolean build_nvram(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context,
                            GPtrArray *parts, GError **error)
{
    parts_add_option(
        parts, "-global",
        g_strdup_printf("spapr-nvram.reg=0x%" G_GINT64_MODIFIER "x", ((const Nvram *)device)->address->reg));
    return TRUE;
}

#define ROW(member, type) .offset = offsetof(Devices, member), .alias = offsetof(type, alias), .address = offsetof(type, address)

const DeviceKind device_nvram = {.name = "nvram", ROW(nvram, Nvram), .single = TRUE, .validate = validate_nvram,
                                 .build = build_nvram};
const DeviceKind device_lease = {.name = "lease", .offset = offsetof(Devices, leases), .alias = -1, .address = -1};
