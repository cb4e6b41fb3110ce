/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What both QEMU and this driver can do: a value stands here when the command line knows it (device-*.c, argv-*.c) and
 * QEMU has the type behind it. So it says less than libvirt's for the same QEMU where this driver does less.
 */
#include "driver-kvm/domcaps-parts.h"

#include "driver-kvm/domcaps.h"
#include "driver-kvm/emulator.h"
#include "driver-kvm/hypervisor.h"
#include "lib/cpu/hyperv.h"
#include "lib/error.h"
#include "lib/model/model.h"
#include "lib/xml.h"

/* A value, and the QOM type that it needs; or a question to QEMU or about the machine; or nothing. */
typedef struct {
    const char *value;
    const char *type;
    gboolean (*has)(const Caps *caps, const CapsMachine *machine);
} Choice;

typedef struct {
    const char *name;
    Choice choices[9];
} Enum;

typedef struct {
    const char *name;
    Enum enums[4];
} Device;

static gboolean has_spice(const Caps *caps, const CapsMachine *machine)
{
    return caps_has_command(caps, "query-spice");
}

static gboolean has_sdl(const Caps *caps, const CapsMachine *machine)
{
    return caps_has_answer(caps, "query-display-options", "type/=sdl");
}

static gboolean has_egl_headless(const Caps *caps, const CapsMachine *machine)
{
    return caps_has_answer(caps, "query-display-options", "type/=egl-headless");
}

static gboolean has_dbus(const Caps *caps, const CapsMachine *machine)
{
    return caps_has_answer(caps, "query-display-options", "type/=dbus");
}

/* IDE is part of the old machine's chipset; there is no such controller to add to others. */
static gboolean has_ide(const Caps *caps, const CapsMachine *machine)
{
    return g_str_has_prefix(machine->name, "pc-i440fx-") || g_str_has_prefix(machine->name, "pc-0.") ||
           g_str_has_prefix(machine->name, "pc-1.");
}

/* On boards without ISA it is a device of its own. */
static gboolean has_tis(const Caps *caps, const CapsMachine *machine)
{
    return caps_has_type(caps, "tpm-tis") || caps_has_type(caps, "tpm-tis-device");
}

static const Device devices[] = {
    {"disk", {{"diskDevice", {{"disk"}, {"cdrom"}, {"floppy", "isa-fdc"}, {"lun", "scsi-block"}}},
              {"bus", {{"ide", NULL, has_ide}, {"fdc", "isa-fdc"}, {"scsi", "scsi-hd"}, {"virtio", "virtio-blk-pci"},
                       {"usb", "usb-storage"}, {"sata", "ich9-ahci"}}},
              {"model", {{"virtio", "virtio-blk-pci"}, {"virtio-transitional", "virtio-blk-pci-transitional"},
                         {"virtio-non-transitional", "virtio-blk-pci-non-transitional"}}}}},
    {"graphics", {{"type", {{"sdl", NULL, has_sdl}, {"vnc"}, {"spice", NULL, has_spice}, {"egl-headless", NULL, has_egl_headless},
                            {"dbus", NULL, has_dbus}}}}},
    {"video", {{"modelType", {{"vga", "VGA"}, {"cirrus", "cirrus-vga"}, {"vmvga", "vmware-svga"}, {"qxl", "qxl-vga"},
                              {"virtio", "virtio-gpu-pci"}, {"none"}, {"bochs", "bochs-display"}, {"ramfb", "ramfb"}}}}},
    {"hostdev", {{NULL}}},
    {"rng", {{"model", {{"virtio", "virtio-rng-pci"}, {"virtio-transitional", "virtio-rng-pci-transitional"},
                        {"virtio-non-transitional", "virtio-rng-pci-non-transitional"}}},
             {"backendModel", {{"random", "rng-random"}, {"egd", "rng-egd"}, {"builtin", "rng-builtin"}}}}},
    {"filesystem", {{"driverType", {{"path", "virtio-9p-pci"}, {"virtiofs", "vhost-user-fs-pci"}}}}},
    {"tpm", {{"model", {{"tpm-tis", NULL, has_tis}, {"tpm-crb", "tpm-crb"}, {"tpm-spapr", "tpm-spapr"},
                         {"spapr-tpm-proxy", "spapr-tpm-proxy"}}},
             {"backendModel", {{"passthrough", "tpm-passthrough"}, {"emulator", "tpm-emulator"}, {"external", "tpm-emulator"}}},
             {"backendVersion", {{"1.2", "tpm-emulator"}, {"2.0", "tpm-emulator"}}}}},
    {"redirdev", {{"bus", {{"usb", "usb-redir"}}}}},
    {"channel", {{"type", {{"pty", "virtio-serial-pci"}, {"unix", "virtio-serial-pci"}, {"spicevmc", NULL, has_spice}}}}},
};

/* What a list is asked about. */
typedef struct {
    const Caps *caps;
    const CapsMachine *machine;
} Asked;

static gboolean is_there(const Choice *choice, const Asked *asked)
{
    if (choice->has)
        return choice->has(asked->caps, asked->machine);
    return !choice->type || caps_has_type(asked->caps, choice->type);
}

static void write_enum(XmlWriter *writer, const Enum *list, const Asked *asked)
{
    xml_writer_open(writer, "enum");
    xml_writer_attribute(writer, "name", list->name);
    for (const Choice *choice = list->choices; choice->value; choice++)
        if (is_there(choice, asked))
            xml_writer_element(writer, "value", choice->value);
    xml_writer_close(writer);
}

/* A kind of device is there if there is a value of its first list. */
static gboolean is_supported(const Device *device, const Asked *asked)
{
    for (const Choice *choice = device->enums[0].choices; choice->value; choice++)
        if (is_there(choice, asked))
            return TRUE;
    return FALSE;
}

static void open_supported(XmlWriter *writer, const char *name, gboolean supported)
{
    xml_writer_open(writer, name);
    xml_writer_attribute(writer, "supported", supported ? "yes" : "no");
}

static void write_supported(XmlWriter *writer, const char *name, gboolean supported)
{
    open_supported(writer, name, supported);
    xml_writer_close(writer);
}

static void write_devices(XmlWriter *writer, const Asked *asked)
{
    xml_writer_open(writer, "devices");
    for (guint i = 0; i < G_N_ELEMENTS(devices); i++) {
        gboolean supported = is_supported(&devices[i], asked);

        open_supported(writer, devices[i].name, supported);
        for (const Enum *list = devices[i].enums; supported && list->name; list++)
            write_enum(writer, list, asked);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

/* In libvirt's order, which is that of the document. */
static void write_hyperv(XmlWriter *writer, const Caps *caps)
{
    static const char *const names[] = {"relaxed", "vapic", "spinlocks", "vpindex", "runtime", "synic", "stimer", "reset",
                                        "vendor_id", "frequencies", "reenlightenment", "tlbflush", "ipi", "evmcs"};
    gboolean supported = caps_has_accel(caps, CAPS_KVM);

    open_supported(writer, "hyperv", supported);
    if (supported) {
        xml_writer_open(writer, "enum");
        xml_writer_attribute(writer, "name", "features");
        for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
            if (hyperv_has(names[i]))
                xml_writer_element(writer, "value", names[i]);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

static void write_features(XmlWriter *writer, const Caps *caps)
{
    const struct {
        const char *name;
        gboolean supported;
    } features[] = {{"gic", FALSE}, {"vmcoreinfo", caps_has_type(caps, "vmcoreinfo")},
                    {"genid", caps_has_type(caps, "vmgenid")}, {"backingStoreInput", TRUE}, {"backup", FALSE},
                    {"sev", FALSE}, {"sgx", FALSE}};

    xml_writer_open(writer, "features");
    for (guint i = 0; i < G_N_ELEMENTS(features); i++) {
        if (g_str_equal(features[i].name, "sev") && g_strcmp0(caps_arch(caps), "s390x") == 0)
            write_supported(writer, "s390-pv", FALSE);
        write_supported(writer, features[i].name, features[i].supported);
    }
    if (emulator_serves("x86_64", caps_arch(caps)))
        write_hyperv(writer, caps);
    xml_writer_close(writer);
}

static void write_all(XmlWriter *writer, const Caps *caps, const CapsMachine *machine, CapsAccel accel, const char *arch)
{
    static const Enum sources = {"sourceType", {{"file", "memory-backend-file"}, {"anonymous"},
                                                {"memfd", "memory-backend-memfd"}}};
    const Asked asked = {caps, machine};

    xml_writer_open(writer, "domainCapabilities");
    xml_writer_element(writer, "path", caps_binary(caps));
    xml_writer_element(writer, "domain", accel == CAPS_KVM ? "kvm" : "qemu");
    xml_writer_element(writer, "machine", machine->name);
    xml_writer_element(writer, "arch", arch);
    xml_writer_open(writer, "vcpu");
    xml_writer_attributef(writer, "max", "%u", machine->max_cpus);
    xml_writer_close(writer);
    write_supported(writer, "iothreads", caps_has_type(caps, "iothread"));
    domcaps_write_os(writer, caps, machine);
    domcaps_write_cpu(writer, caps, accel);
    open_supported(writer, "memoryBacking", TRUE);
    write_enum(writer, &sources, &asked);
    xml_writer_close(writer);
    write_devices(writer, &asked);
    write_features(writer, caps);
    xml_writer_close(writer);
}

char *domcaps_format(CapsCache *cache, const char *emulator, const char *arch, const char *machine, const char *type,
                     GError **error)
{
    g_auto(Hypervisor) found = {NULL};
    g_autoptr(XmlWriter) writer = xml_writer_new();

    if (!hypervisor_find(cache, emulator, arch, machine, type, &found, error))
        return NULL;
    write_all(writer, found.caps, found.machine, found.accel,
              arch && emulator_serves(caps_arch(found.caps), arch) ? arch : caps_arch(found.caps));
    return xml_writer_finish(writer);
}
