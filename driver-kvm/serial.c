/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/serial.h"
#include "driver-kvm/machine.h"
#include "lib/error.h"

#define ISA_SERIAL_MAX 4

static const struct {
    ChardevTargetType type;
    ChardevModel model;
    const char *driver;
} serial_models[] = {
    {CHARDEV_TARGET_TYPE_ISA_SERIAL, CHARDEV_MODEL_ISA_SERIAL, "isa-serial"},
    {CHARDEV_TARGET_TYPE_USB_SERIAL, CHARDEV_MODEL_USB_SERIAL, "usb-serial"},
    {CHARDEV_TARGET_TYPE_PCI_SERIAL, CHARDEV_MODEL_PCI_SERIAL, "pci-serial"},
    {CHARDEV_TARGET_TYPE_ISA_DEBUG, CHARDEV_MODEL_ISA_DEBUGCON, "isa-debugcon"},
    {CHARDEV_TARGET_TYPE_SPAPR_VIO_SERIAL, CHARDEV_MODEL_SPAPR_VTY, "spapr-vty"},
    {CHARDEV_TARGET_TYPE_SCLP_SERIAL, CHARDEV_MODEL_SCLPCONSOLE, "sclpconsole"},
    {CHARDEV_TARGET_TYPE_SCLP_SERIAL, CHARDEV_MODEL_SCLPLMCONSOLE, "sclplmconsole"},
    /* of the board: they are told where to go, not made */
    {CHARDEV_TARGET_TYPE_SYSTEM_SERIAL, CHARDEV_MODEL_PL011, NULL},
    {CHARDEV_TARGET_TYPE_SYSTEM_SERIAL, CHARDEV_MODEL_16550A, NULL},
};

static ChardevModel model_of(const Chardev *serial)
{
    return serial->target->model ? serial->target->model->name : CHARDEV_MODEL_UNSET;
}

void serial_complete(const Domain *def, Chardev *serial)
{
    ChardevModel model;

    if (!serial->target)
        serial->target = chardev_target_new();
    model = model_of(serial);
    /* once this was what a port was called that nobody had called anything */
    if (serial->target->type == CHARDEV_TARGET_TYPE_ISA_SERIAL || serial->target->type == CHARDEV_TARGET_TYPE_UNSET)
        serial->target->type = machine_kind(def)->serial;
    for (gsize i = 0; i < G_N_ELEMENTS(serial_models) && model == CHARDEV_MODEL_UNSET; i++)
        if (serial_models[i].type == serial->target->type)
            model = serial->target->type == CHARDEV_TARGET_TYPE_SYSTEM_SERIAL ? machine_kind(def)->uart
                                                                              : serial_models[i].model;
    if (model != CHARDEV_MODEL_UNSET && !serial->target->model)
        serial->target->model = chardev_target_model_new();
    if (model != CHARDEV_MODEL_UNSET)
        serial->target->model->name = model;
}

/* The bus that a port's kind is on; such a one, or none, is its address. */
static const struct {
    ChardevTargetType type;
    AddressType address;
} serial_buses[] = {
    {CHARDEV_TARGET_TYPE_ISA_SERIAL, ADDRESS_TYPE_ISA},
    {CHARDEV_TARGET_TYPE_ISA_DEBUG, ADDRESS_TYPE_ISA},
    {CHARDEV_TARGET_TYPE_USB_SERIAL, ADDRESS_TYPE_USB},
    {CHARDEV_TARGET_TYPE_PCI_SERIAL, ADDRESS_TYPE_PCI},
    {CHARDEV_TARGET_TYPE_SPAPR_VIO_SERIAL, ADDRESS_TYPE_SPAPR_VIO},
};

static gboolean validate_place(const Chardev *serial, GError **error)
{
    AddressType address = serial->address ? serial->address->type : ADDRESS_TYPE_UNSET;
    const char *name = chardev_target_type_to_string(serial->target->type);
    gsize i = 0;

    if (address == ADDRESS_TYPE_UNSET || serial->target->type == CHARDEV_TARGET_TYPE_UNSET)
        return TRUE;
    while (i < G_N_ELEMENTS(serial_buses) && serial_buses[i].type != serial->target->type)
        i++;
    if (i == G_N_ELEMENTS(serial_buses))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "Target type '%s' cannot have an associated address", name);
    return address == serial_buses[i].address ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Target type '%s' requires address type '%s'",
                     name, address_type_to_string(serial_buses[i].address));
}

/* Kinds that belong to some machines; the others are cards that fit wherever there is a slot. */
static gboolean is_at_home(const Domain *def, const Chardev *serial)
{
    ChardevModel model = model_of(serial);

    switch (serial->target->type) {
    case CHARDEV_TARGET_TYPE_SPAPR_VIO_SERIAL:
    case CHARDEV_TARGET_TYPE_SCLP_SERIAL:
        return machine_kind(def)->serial == serial->target->type;
    case CHARDEV_TARGET_TYPE_SYSTEM_SERIAL:
        return model == CHARDEV_MODEL_UNSET || machine_kind(def)->uart == model;
    default:
        return TRUE;
    }
}

gboolean serial_validate(const Domain *def, const Chardev *serial, GError **error)
{
    ChardevModel model = model_of(serial);

    if (!validate_place(serial, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(serial_models); i++)
        if (serial_models[i].model == model && serial_models[i].type != serial->target->type)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "Target model '%s' requires target type '%s'", chardev_model_to_string(model),
                             chardev_target_type_to_string(serial_models[i].type));
    return is_at_home(def, serial) || error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                                                "Serial device with target type '%s' and target model '%s' not "
                                                "compatible with guest architecture or machine type",
                                                chardev_target_type_to_string(serial->target->type),
                                                model ? chardev_model_to_string(model) : "(default)");
}

const char *serial_driver(const Chardev *serial)
{
    ChardevModel model = model_of(serial);

    for (gsize i = 0; i < G_N_ELEMENTS(serial_models); i++)
        if (serial_models[i].type == serial->target->type &&
            (model == CHARDEV_MODEL_UNSET || serial_models[i].model == model))
            return serial_models[i].driver;
    return NULL;
}

static gboolean is_isa(const Chardev *serial)
{
    return serial->target && serial->target->type == CHARDEV_TARGET_TYPE_ISA_SERIAL;
}

gboolean serial_number_isa(Domain *def, GError **error)
{
    gboolean taken[ISA_SERIAL_MAX] = {FALSE};
    guint n = 0, next = 0;

    for (guint i = 0; i < def->devices->serials->len; i++) {
        const Chardev *serial = g_ptr_array_index(def->devices->serials, i);
        const char *port = serial->target ? serial->target->port : NULL;
        guint64 number = port ? g_ascii_strtoull(port, NULL, 10) : 0;

        if (!is_isa(serial))
            continue;
        if (n++ >= ISA_SERIAL_MAX || number >= ISA_SERIAL_MAX)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                             "Maximum supported number of ISA serial ports is '%d'", ISA_SERIAL_MAX);
        if (port && taken[number])
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "target port '%s' already allocated", port);
        if (port)
            taken[number] = TRUE;
    }
    for (guint i = 0; i < def->devices->serials->len; i++) {
        Chardev *serial = g_ptr_array_index(def->devices->serials, i);

        if (!is_isa(serial) || serial->target->port)
            continue;
        while (taken[next])
            next++;
        taken[next] = TRUE;
        serial->target->port = g_strdup_printf("%u", next);
    }
    return TRUE;
}
