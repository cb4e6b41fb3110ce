/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/device.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Panic *panic = device;

    if (panic->model == PANIC_MODEL_UNSET)
        panic->model = PANIC_MODEL_ISA;
    return TRUE;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Panic *panic = device;
    JsonObject *props;

    if (panic->model == PANIC_MODEL_HYPERV) /* a property of the processor: argv-cpu.c */
        return TRUE;
    if (panic->model != PANIC_MODEL_ISA)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "<panic model='%s'> is not supported by this driver",
                         panic_model_to_string(panic->model));
    props = props_new("driver", "pvpanic");
    if (panic->address && panic->address->type == ADDRESS_TYPE_ISA)
        props_uint(props, "ioport", panic->address->iobase);
    parts_add(parts, PART_DEVICE, props);
    return TRUE;
}

const DeviceKind device_panic = {
    .name = "panic", .offset = offsetof(Devices, panics), .alias = offsetof(Panic, alias),
    .address = offsetof(Panic, address), .prefix = "panic", .complete = complete, .build = build,
};
