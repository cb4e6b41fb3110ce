/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/boot-order.h"
#include "driver-kvm/caps.h"
#include "driver-kvm/device.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/domain-address.h"
#include "lib/model/pci-map.h"

#define XHCI_PORTS_MAX 15
#define TARGET_INDEX_MAX 30

/* The models that -device makes, by type. What a document names beyond these is refused. */
static const struct {
    ControllerType type;
    ControllerModel model;
    const char *driver;
    guint connect;
} models[] = {
    {CONTROLLER_TYPE_USB, CONTROLLER_MODEL_PIIX3_UHCI, "piix3-usb-uhci", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_USB, CONTROLLER_MODEL_PIIX4_UHCI, "piix4-usb-uhci", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_USB, CONTROLLER_MODEL_EHCI, "usb-ehci", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_USB, CONTROLLER_MODEL_ICH9_EHCI1, "ich9-usb-ehci1", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_USB, CONTROLLER_MODEL_ICH9_UHCI1, "ich9-usb-uhci1", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_USB, CONTROLLER_MODEL_ICH9_UHCI2, "ich9-usb-uhci2", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_USB, CONTROLLER_MODEL_ICH9_UHCI3, "ich9-usb-uhci3", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_USB, CONTROLLER_MODEL_VT82C686B_UHCI, "vt82c686b-usb-uhci", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_USB, CONTROLLER_MODEL_PCI_OHCI, "pci-ohci", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_USB, CONTROLLER_MODEL_NEC_XHCI, "nec-usb-xhci", PCI_CONNECT_EXPRESS},
    {CONTROLLER_TYPE_USB, CONTROLLER_MODEL_QEMU_XHCI, "qemu-xhci", PCI_CONNECT_EXPRESS},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_VIRTIO_SCSI, "virtio-scsi-pci", PCI_CONNECT_EXPRESS},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_VIRTIO_TRANSITIONAL, "virtio-scsi-pci-transitional", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL, "virtio-scsi-pci-non-transitional",
     PCI_CONNECT_EXPRESS},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_LSILOGIC, "lsi", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_LSISAS1078, "megasas", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_LSISAS1068, "mptsas1068", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_VMPVSCSI, "pvscsi", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_AM53C974, "am53c974", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_IBMVSCSI, "spapr-vscsi", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_DC390, "dc390", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_SATA, CONTROLLER_MODEL_UNSET, "ahci", PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_IDE, CONTROLLER_MODEL_UNSET, NULL, PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_CCID, CONTROLLER_MODEL_UNSET, "usb-ccid", 0},
    {CONTROLLER_TYPE_VIRTIO_SERIAL, CONTROLLER_MODEL_UNSET, "virtio-serial-pci", PCI_CONNECT_EXPRESS},
    {CONTROLLER_TYPE_VIRTIO_SERIAL, CONTROLLER_MODEL_VIRTIO, "virtio-serial-pci", PCI_CONNECT_EXPRESS},
    {CONTROLLER_TYPE_VIRTIO_SERIAL, CONTROLLER_MODEL_VIRTIO_TRANSITIONAL, "virtio-serial-pci-transitional",
     PCI_CONNECT_DEVICE},
    {CONTROLLER_TYPE_VIRTIO_SERIAL, CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL, "virtio-serial-pci-non-transitional",
     PCI_CONNECT_EXPRESS},
};

static const char *driver_of(const Controller *controller)
{
    for (gsize i = 0; i < G_N_ELEMENTS(models); i++)
        if (models[i].type == controller->type && models[i].model == controller->model)
            return models[i].driver;
    return NULL;
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Controller *controller = device;

    if (controller->type == CONTROLLER_TYPE_PCI)
        return pci_connect_of_controller(controller->model);
    for (gsize i = 0; i < G_N_ELEMENTS(models); i++)
        if (models[i].type == controller->type && models[i].model == controller->model)
            return models[i].connect;
    return controller->type == CONTROLLER_TYPE_USB && controller->model == CONTROLLER_MODEL_UNSET ? PCI_CONNECT_DEVICE : 0;
}

static gboolean is_usb(gconstpointer device)
{
    return ((const Controller *)device)->type == CONTROLLER_TYPE_CCID;
}

static void complete_scsi(const Domain *def, Controller *controller, const Caps *caps)
{
    ControllerModel usual = machine_kind(def)->scsi;

    if (controller->model != CONTROLLER_MODEL_UNSET && controller->model != CONTROLLER_MODEL_AUTO)
        return;
    controller->model = usual != CONTROLLER_MODEL_UNSET       ? usual
                        : caps_has_device(caps, "lsi53c895a") ? CONTROLLER_MODEL_LSILOGIC
                                                              : CONTROLLER_MODEL_VIRTIO_SCSI;
}

/* The USB controller of a machine is the first of these that its emulator has. */
static const struct {
    const char *archs[3];
    ControllerModel models[3];
} usb_usual[] = {
    {{"ppc64", "ppc64le"}, {CONTROLLER_MODEL_QEMU_XHCI, CONTROLLER_MODEL_NEC_XHCI, CONTROLLER_MODEL_PCI_OHCI}},
    {{"aarch64"}, {CONTROLLER_MODEL_QEMU_XHCI, CONTROLLER_MODEL_NEC_XHCI, CONTROLLER_MODEL_PIIX3_UHCI}},
    {{NULL}, {CONTROLLER_MODEL_PIIX3_UHCI}},
};

static gboolean has_model(const Caps *caps, ControllerModel model)
{
    for (gsize i = 0; i < G_N_ELEMENTS(models); i++)
        if (models[i].type == CONTROLLER_TYPE_USB && models[i].model == model)
            return caps_has_device(caps, models[i].driver);
    return FALSE;
}

static ControllerModel usual_usb(const Domain *def, const Controller *controller, const Caps *caps)
{
    gsize row = 0;

    if (machine_is_s390(def) && (!controller->address || controller->address->type == ADDRESS_TYPE_UNSET))
        return CONTROLLER_MODEL_NONE;
    while (usb_usual[row].archs[0] && !g_strv_contains(usb_usual[row].archs, def->os->type->arch))
        row++;
    for (gsize i = 0; i < G_N_ELEMENTS(usb_usual[row].models); i++)
        if (has_model(caps, usb_usual[row].models[i]))
            return usb_usual[row].models[i];
    return CONTROLLER_MODEL_UNSET;
}

static gboolean complete_usb(const Domain *def, Controller *controller, const Caps *caps, GError **error)
{
    if (controller->model == CONTROLLER_MODEL_UNSET)
        controller->model = usual_usb(def, controller, caps);
    if (controller->model == CONTROLLER_MODEL_NONE)
        g_clear_pointer(&controller->address, address_free);
    if (controller->model == CONTROLLER_MODEL_QUSB1 || controller->model == CONTROLLER_MODEL_QUSB2)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "USB controller model type 'qusb1' or 'qusb2' is not supported in kvm");
    if ((controller->model == CONTROLLER_MODEL_NEC_XHCI || controller->model == CONTROLLER_MODEL_QEMU_XHCI) &&
        controller->ports != UNSET32 && controller->ports > XHCI_PORTS_MAX)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "'%s' controller only supports up to '%d' ports",
                         controller_model_to_string(controller->model), XHCI_PORTS_MAX);
    return TRUE;
}

static guint n_cells(const Domain *def)
{
    return def->cpu && def->cpu->numa ? def->cpu->numa->cells->len : 0;
}

static gboolean complete_pci(const Domain *def, const Controller *controller, GError **error)
{
    gboolean root = controller->model == CONTROLLER_MODEL_PCI_ROOT || controller->model == CONTROLLER_MODEL_PCIE_ROOT;
    guint32 node = controller->target ? controller->target->node : UNSET32;

    if (root && controller->index != 0 && !machine_has(def, MACHINE_SPAPR_VIO))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                         "pci-root and pcie-root controllers should have index 0");
    if (controller->model == CONTROLLER_MODEL_PCI_EXPANDER_BUS && !machine_is_i440fx(def))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "pci-expander-bus controllers are only supported on 440fx-based machinetypes");
    if (controller->model == CONTROLLER_MODEL_PCIE_EXPANDER_BUS && !machine_is_q35(def) &&
        !machine_has(def, MACHINE_GIC))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "pcie-expander-bus controllers are not supported with this machine type");
    if (node != UNSET32 && node >= n_cells(def))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                         "%s with index %u is configured for a NUMA node (%u) not present in the domain's <cpu><numa> "
                         "array (%u)", controller_model_to_string(controller->model), controller->index, node, n_cells(def));
    return TRUE;
}

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Controller *controller = device;

    switch (controller->type) {
    case CONTROLLER_TYPE_SCSI:
        complete_scsi(def, controller, caps);
        return TRUE;
    case CONTROLLER_TYPE_USB:
        return complete_usb(def, controller, caps, error);
    case CONTROLLER_TYPE_PCI:
        return complete_pci(def, controller, error);
    default:
        return TRUE;
    }
}

/* What the machine has by itself. */
static gboolean is_builtin(const Domain *def, const Controller *controller)
{
    switch (controller->type) {
    case CONTROLLER_TYPE_PCI:
        return (controller->model == CONTROLLER_MODEL_PCI_ROOT || controller->model == CONTROLLER_MODEL_PCIE_ROOT) &&
               controller->index == 0;
    case CONTROLLER_TYPE_SATA:
        return controller->index == 0 && machine_is_q35(def);
    case CONTROLLER_TYPE_IDE:
        return controller->index == 0 && (machine_has(def, MACHINE_IDE) || machine_is_isapc(def));
    case CONTROLLER_TYPE_FDC:
        return controller->index == 0;
    case CONTROLLER_TYPE_ISA:
        return TRUE;
    case CONTROLLER_TYPE_USB:
        return controller->model == CONTROLLER_MODEL_NONE;
    default:
        return FALSE;
    }
}

/* What QEMU must have behind a model, and libvirt's words where it has not. */
static const struct {
    ControllerType type;
    ControllerModel model;
    const char *device;
    const char *refusal;
} needs[] = {
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_LSILOGIC, "lsi53c895a",
     "This QEMU doesn't support the LSI 53C895A SCSI controller"},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_VIRTIO_SCSI, "virtio-scsi-pci",
     "This QEMU doesn't support virtio scsi controller"},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_LSISAS1068, "mptsas1068",
     "This QEMU doesn't support the LSI SAS1068 (MPT Fusion) controller"},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_LSISAS1078, "megasas",
     "This QEMU doesn't support the LSI SAS1078 (MegaRAID) controller"},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_VMPVSCSI, "pvscsi",
     "This QEMU doesn't support the pvscsi (VMware paravirtual SCSI) controller"},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_DC390, "dc390", "This QEMU doesn't support the DC390 (ESP) controller"},
    {CONTROLLER_TYPE_SCSI, CONTROLLER_MODEL_AM53C974, "am53c974",
     "This QEMU doesn't support the AM53C974 (ESP) controller"},
    {CONTROLLER_TYPE_SATA, CONTROLLER_MODEL_UNSET, "ich9-ahci", "SATA is not supported with this QEMU binary"},
};

static gboolean validate_hole(const Domain *def, const Controller *controller, GError **error)
{
    gboolean fits = controller->model == CONTROLLER_MODEL_PCIE_ROOT ? machine_is_q35(def) : machine_is_i440fx(def);

    return controller->pcihole64 == UNSET64 || fits ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "Setting the 64-bit PCI hole size is not supported for machine '%s'", def->os->type->machine);
}

static gboolean validate_pci(const Domain *def, const Controller *controller, GError **error)
{
    guint32 number = controller->target ? controller->target->index : UNSET32;
    gboolean root = controller->model == CONTROLLER_MODEL_PCI_ROOT || controller->model == CONTROLLER_MODEL_PCIE_ROOT;

    if (root && controller->address)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "pci-root and pcie-root controllers should not have an address");
    if (number != UNSET32 && number > TARGET_INDEX_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "PCI controller target index '%u' out of range - must be 0-%d", number, TARGET_INDEX_MAX);
    if (!root && (!controller->pci_model || controller->pci_model->name == PCI_MODEL_NAME_UNSET))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "Required option 'modelName' is not set for PCI controller with index '%u', model '%s' and "
                         "modelName 'none'",
                         controller->index, controller_model_to_string(controller->model));
    return !root || validate_hole(def, controller, error);
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Controller *controller = device;

    if (controller->type == CONTROLLER_TYPE_PCI)
        return validate_pci(def, controller, error);
    for (gsize i = 0; i < G_N_ELEMENTS(needs); i++)
        if (needs[i].type == controller->type && needs[i].model == controller->model && !is_builtin(def, controller) &&
            !caps_has_device(caps, needs[i].device))
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "%s", needs[i].refusal);
    if (controller->type == CONTROLLER_TYPE_IDE && !is_builtin(def, controller))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         controller->index == 0 ? "IDE controllers are unsupported for this QEMU binary or machine type"
                                                : "Only a single IDE controller is supported for this machine type");
    return TRUE;
}

static char *make_alias(const Domain *def, gconstpointer device, guint index)
{
    const Controller *controller = device;

    switch (controller->type) {
    case CONTROLLER_TYPE_PCI:
        return g_strdup_printf(controller->model == CONTROLLER_MODEL_PCIE_ROOT ? "pcie.%u" : "pci.%u", controller->index);
    case CONTROLLER_TYPE_IDE:
        return is_builtin(def, controller) ? g_strdup("ide") : g_strdup_printf("ide%u", controller->index);
    case CONTROLLER_TYPE_SATA:
        return is_builtin(def, controller) ? g_strdup("ide") : g_strdup_printf("sata%u", controller->index);
    case CONTROLLER_TYPE_USB:
        return controller->index == 0 ? g_strdup("usb") : g_strdup_printf("usb%u", controller->index);
    default:
        return g_strdup_printf("%s%u", controller_type_to_string(controller->type), controller->index);
    }
}

static guint rank(gconstpointer device)
{
    static const ControllerType order[] = {CONTROLLER_TYPE_PCI, CONTROLLER_TYPE_USB, CONTROLLER_TYPE_SCSI,
                                           CONTROLLER_TYPE_IDE, CONTROLLER_TYPE_SATA, CONTROLLER_TYPE_VIRTIO_SERIAL};
    const Controller *controller = device;
    guint i = 0;

    while (i < G_N_ELEMENTS(order) && order[i] != controller->type)
        i++;
    return i;
}

static void add_usb(const Domain *live, const Controller *controller, JsonObject *props)
{
    if (controller->ports != UNSET32) {
        props_int(props, "p2", controller->ports);
        props_int(props, "p3", controller->ports);
    }
    if (controller->master) {
        props_format(props, "masterbus", "%s.0", controller->alias->name);
        props_uint(props, "firstport", controller->master->startport);
    } else {
        props_string(props, "id", controller->alias->name);
    }
}

static void add_scsi(const Controller *controller, JsonObject *props)
{
    const ControllerDriver *driver = controller->driver;

    props_virtio(props, driver);
    if (driver && driver->iothread != UNSET32)
        props_format(props, "iothread", "iothread%u", driver->iothread);
    props_string(props, "id", controller->alias->name);
    if (!driver)
        return;
    props_positive(props, "num_queues", driver->queues);
    props_positive(props, "cmd_per_lun", driver->cmd_per_lun);
    props_positive(props, "max_sectors", driver->max_sectors);
    props_toggle(props, "ioeventfd", driver->ioeventfd);
}

static void add_virtio_serial(const Controller *controller, JsonObject *props)
{
    props_virtio(props, controller->driver);
    props_string(props, "id", controller->alias->name);
    props_uint(props, "max_ports", controller->ports);
    props_uint(props, "vectors", controller->vectors);
}

static JsonObject *pci_props(const Controller *controller)
{
    const ControllerTarget *target = controller->target;
    JsonObject *props = props_new("driver", pci_model_name_to_string(controller->pci_model->name));
    gboolean port = controller->model == CONTROLLER_MODEL_PCIE_ROOT_PORT ||
                    controller->model == CONTROLLER_MODEL_PCIE_SWITCH_DOWNSTREAM_PORT;

    if (controller->model == CONTROLLER_MODEL_PCI_ROOT)
        props_uint(props, "index", target->index);
    if (controller->model == CONTROLLER_MODEL_PCI_BRIDGE)
        props_uint(props, "chassis_nr", target->chassis_nr);
    if (controller->model == CONTROLLER_MODEL_PCI_EXPANDER_BUS || controller->model == CONTROLLER_MODEL_PCIE_EXPANDER_BUS)
        props_uint(props, "bus_nr", target->bus_nr);
    if (port) {
        props_uint(props, "port", target->port);
        props_uint(props, "chassis", target->chassis);
    }
    props_string(props, "id", controller->alias->name);
    if (controller->model == CONTROLLER_MODEL_PCI_EXPANDER_BUS ||
        controller->model == CONTROLLER_MODEL_PCIE_EXPANDER_BUS || controller->model == CONTROLLER_MODEL_PCI_ROOT)
        props_uint(props, "numa_node", target->node);
    if (port)
        props_toggle(props, "hotplug", target->hotplug);
    props_uint(props, "mem-reserve", target->mem_reserve == UNSET32 ? UNSET32 : target->mem_reserve * 1024);
    return props;
}

/* The floppy controller: pc has one, q35 is given one. Floppies are booted from by its options. */
static void build_floppy(const Domain *live, const Controller *controller, GPtrArray *parts)
{
    static const char *const options[] = {"bootindexA", "bootindexB"};
    JsonObject *props = props_new("driver", "isa-fdc");
    guint n = 0;

    for (guint i = 0; i < live->devices->disks->len; i++) {
        const Disk *disk = g_ptr_array_index(live->devices->disks, i);
        guint order = disk->target->bus == DISK_BUS_FDC ? boot_order_of_disk(live, disk) : 0;

        if (disk->target->bus == DISK_BUS_FDC)
            n++;
        if (order && machine_is_q35(live))
            props_int(props, options[disk->address->unit ? 1 : 0], order);
        else if (order)
            parts_add_option(parts, "-global", g_strdup_printf("isa-fdc.%s=%u", options[disk->address->unit ? 1 : 0], order));
    }
    if (n && machine_is_q35(live))
        parts_add(parts, PART_DEVICE, props);
    else
        json_object_unref(props);
}

/* Options of what the machine has by itself. */
static void build_builtin(const Domain *live, const Controller *controller, GPtrArray *parts)
{
    const char *host = controller->model == CONTROLLER_MODEL_PCIE_ROOT ? "q35-pcihost" : "i440FX-pcihost";

    if (controller->type == CONTROLLER_TYPE_FDC)
        build_floppy(live, controller, parts);
    if (controller->type != CONTROLLER_TYPE_PCI)
        return;
    if (controller->target && controller->target->hotplug != TOGGLE_UNSET && machine_is_i440fx(live))
        parts_add_option(parts, "-global", g_strdup_printf("PIIX4_PM.acpi-root-pci-hotplug=%s",
                                                           toggle_words(controller->target->hotplug)));
    if (controller->pcihole64 != UNSET64)
        parts_add_option(parts, "-global",
                         g_strdup_printf("%s.pci-hole64-size=%" G_GUINT64_FORMAT "K", host, controller->pcihole64));
}

static gboolean check_usb(const Controller *controller, const char *driver, const Caps *caps, GError **error)
{
    gboolean xhci = controller->model == CONTROLLER_MODEL_NEC_XHCI || controller->model == CONTROLLER_MODEL_QEMU_XHCI;

    if (driver && !caps_has_device(caps, driver))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "USB controller model '%s' not supported in this QEMU binary",
                         controller_model_to_string(controller->model));
    if (controller->ports != UNSET32 && !xhci)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "usb controller type '%s' doesn't support 'ports' with this QEMU binary",
                         controller_model_to_string(controller->model));
    return TRUE;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Controller *controller = device;
    g_autoptr(JsonObject) props = NULL;
    const char *driver = driver_of(controller);

    if (is_builtin(live, controller)) {
        build_builtin(live, controller, parts);
        return TRUE;
    }
    if (controller->driver && (!driver || !g_str_has_prefix(driver, "virtio-")))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "<driver> of a <controller type='%s'> is not supported by this driver",
                         controller_type_to_string(controller->type));
    if (controller->type != CONTROLLER_TYPE_PCI && !driver)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Unsupported controller model: %s %s",
                         controller_type_to_string(controller->type),
                         controller->model ? controller_model_to_string(controller->model) : "(default)");
    if (controller->type == CONTROLLER_TYPE_USB && !check_usb(controller, driver, caps, error))
        return FALSE;
    props = controller->type == CONTROLLER_TYPE_PCI ? pci_props(controller) : props_new("driver", driver);
    if (controller->type == CONTROLLER_TYPE_USB)
        add_usb(live, controller, props);
    else if (controller->type == CONTROLLER_TYPE_SCSI)
        add_scsi(controller, props);
    else if (controller->type == CONTROLLER_TYPE_VIRTIO_SERIAL)
        add_virtio_serial(controller, props);
    else if (controller->type == CONTROLLER_TYPE_SATA || controller->type == CONTROLLER_TYPE_CCID)
        props_string(props, "id", controller->alias->name);
    if (!device_address_props(live, controller->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_controller = {
    .name = "controller", .offset = offsetof(Devices, controllers), .alias = offsetof(Controller, alias),
    .address = offsetof(Controller, address), .make_alias = make_alias, .complete = complete, .validate = validate,
    .connect = connect_pci, .is_usb = is_usb, .rank = rank, .build = build,
};
