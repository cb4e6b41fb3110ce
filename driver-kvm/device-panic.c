/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/device.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Panic *panic = device;

    if (panic->model == PANIC_MODEL_UNSET)
        panic->model = machine_kind(def)->panic;
    return TRUE;
}

static gboolean anywhere(const Domain *def)
{
    return TRUE;
}

static gboolean is_pseries(const Domain *def)
{
    return machine_has(def, MACHINE_SPAPR_VIO);
}

/* Models that are no device: the firmware, or the processor, tells. */
static const struct {
    PanicModel model;
    gboolean (*offered)(const Domain *def);
    const char *refusal;
} models[] = {
    {PANIC_MODEL_S390, machine_is_s390, "only S390 guests support panic device of model 's390'"},
    {PANIC_MODEL_HYPERV, machine_is_x86, "only i686 and x86_64 guests support panic device of model 'hyperv'"},
    {PANIC_MODEL_PSERIES, is_pseries, "only pSeries guests support panic device of model 'pseries'"},
    {PANIC_MODEL_ISA, anywhere, NULL},
};

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Panic *panic = device;
    AddressType address = panic->address ? panic->address->type : ADDRESS_TYPE_UNSET;

    for (gsize i = 0; i < G_N_ELEMENTS(models); i++) {
        if (models[i].model != panic->model)
            continue;
        if (!models[i].offered(def))
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "%s", models[i].refusal);
        if (models[i].refusal && address != ADDRESS_TYPE_UNSET)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "setting the panic device address is not supported for model '%s'",
                             panic_model_to_string(panic->model));
    }
    if (panic->model != PANIC_MODEL_ISA)
        return TRUE;
    if (!caps_has_device(caps, "pvpanic"))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "the QEMU binary does not support the ISA panic device");
    return address == ADDRESS_TYPE_UNSET || address == ADDRESS_TYPE_ISA ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "panic is supported only with ISA address type");
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    return ((const Panic *)device)->model == PANIC_MODEL_PVPANIC ? PCI_CONNECT_DEVICE : 0;
}

static gboolean build_pci(const Domain *live, const Panic *panic, GPtrArray *parts, GError **error)
{
    g_autoptr(JsonObject) props = props_new("driver", "pvpanic-pci");

    if (!device_address_props(live, panic->address, props, error))
        return FALSE;
    props_string(props, "id", panic->alias->name);
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Panic *panic = device;
    JsonObject *props;

    /* the firmware's own, or a property of the processor: argv-cpu.c */
    if (panic->model == PANIC_MODEL_S390 || panic->model == PANIC_MODEL_PSERIES || panic->model == PANIC_MODEL_HYPERV)
        return TRUE;
    if (panic->model == PANIC_MODEL_PVPANIC)
        return build_pci(live, panic, parts, error);
    if (panic->model != PANIC_MODEL_ISA)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "<panic model='%s'> is not supported by this driver",
                         panic_model_to_string(panic->model));
    props = props_new("driver", "pvpanic");
    if (panic->address && panic->address->type == ADDRESS_TYPE_ISA)
        props_uint(props, "ioport", panic->address->iobase);
    parts_add(parts, PART_DEVICE, props);
    return TRUE;
}

/* As with libvirt, only what is a PCI device has a name that the user did not give it. */
static char *make_alias(const Domain *def, gconstpointer device, guint index)
{
    return ((const Panic *)device)->model == PANIC_MODEL_PVPANIC ? g_strdup_printf("panic%u", index) : NULL;
}

const DeviceKind device_panic = {
    .name = "panic", .offset = offsetof(Devices, panics), .alias = offsetof(Panic, alias),
    .address = offsetof(Panic, address), .make_alias = make_alias, .complete = complete, .validate = validate, .connect = connect_pci,
    .build = build,
};
