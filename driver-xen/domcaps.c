/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/domcaps.h"

#include "lib/error.h"
#include "lib/model/model.h"
#include "lib/xml.h"

#define EMULATOR "/usr/bin/qemu-system-x86_64"
#define VALUES_MAX 8

/* Xen's public headers have the limit of a guest with hardware (hvm_info_table.h); of others there is none, this is libvirt's. */
static const struct {
    const char *machine;
    guint max_vcpus;
    gboolean hardware;
} machines[] = {{"xenpv", 512, FALSE}, {"xenpvh", 512, FALSE}, {"xenfv", 128, TRUE}};

static const struct {
    const char *name, *list, *values[VALUES_MAX];
} devices[] = {
    {"disk", "diskDevice", {"disk", "cdrom"}},
    {"disk", "bus", {"ide", "scsi", "xen"}},
    {"disk", "model", {NULL}},
    {"graphics", "type", {"vnc"}},
    {"video", "modelType", {"vga", "cirrus", "xen"}},
};

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

static void write_enum(XmlWriter *writer, const char *name, const char *const *values)
{
    xml_writer_open(writer, "enum");
    xml_writer_attribute(writer, "name", name);
    for (guint i = 0; values[i]; i++)
        xml_writer_element(writer, "value", values[i]);
    xml_writer_close(writer);
}

static void write_os(XmlWriter *writer, gboolean hardware)
{
    static const char *const types[] = {"rom", "pflash", NULL}, *const read_only[] = {"yes", NULL};

    open_supported(writer, "os", TRUE);
    open_supported(writer, "loader", hardware);
    if (hardware) {
        write_enum(writer, "type", types);
        write_enum(writer, "readonly", read_only);
    }
    xml_writer_close(writer);
    xml_writer_close(writer);
}

static void write_cpu(XmlWriter *writer)
{
    static const char *const modes[] = {"host-passthrough", "maximum", "host-model", "custom"};

    xml_writer_open(writer, "cpu");
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        xml_writer_open(writer, "mode");
        xml_writer_attribute(writer, "name", modes[i]);
        xml_writer_attribute(writer, "supported", "no");
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

static void write_devices(XmlWriter *writer)
{
    xml_writer_open(writer, "devices");
    for (guint i = 0; i < G_N_ELEMENTS(devices); i++) {
        if (i == 0 || !g_str_equal(devices[i].name, devices[i - 1].name))
            open_supported(writer, devices[i].name, TRUE);
        write_enum(writer, devices[i].list, devices[i].values);
        if (i + 1 == G_N_ELEMENTS(devices) || !g_str_equal(devices[i].name, devices[i + 1].name))
            xml_writer_close(writer);
    }
    write_supported(writer, "hostdev", FALSE);
    xml_writer_close(writer);
}

static char *format(guint which, const char *emulator, const char *arch)
{
    static const char *const absent[] = {"gic", "vmcoreinfo", "genid", "sev", "sgx"};
    g_autoptr(XmlWriter) writer = xml_writer_new();

    xml_writer_open(writer, "domainCapabilities");
    xml_writer_element(writer, "path", emulator);
    xml_writer_element(writer, "domain", "xen");
    xml_writer_element(writer, "machine", machines[which].machine);
    xml_writer_element(writer, "arch", arch);
    xml_writer_open(writer, "vcpu");
    xml_writer_attributef(writer, "max", "%u", machines[which].max_vcpus);
    xml_writer_close(writer);
    write_supported(writer, "iothreads", FALSE);
    write_os(writer, machines[which].hardware);
    write_cpu(writer);
    write_devices(writer);
    xml_writer_open(writer, "features");
    for (guint i = 0; i < G_N_ELEMENTS(absent); i++)
        write_supported(writer, absent[i], FALSE);
    xml_writer_close(writer);
    xml_writer_close(writer);
    return xml_writer_finish(writer);
}

char *domcaps_format(const char *emulator, const char *arch, const char *machine, const char *virt_type, GError **error)
{
    if (virt_type && !g_str_equal(virt_type, "xen")) {
        error_set(error, VIR_FROM_LIBXL, VIR_ERR_INVALID_ARG, "unknown virttype: %s", virt_type);
        return NULL;
    }
    if (arch && !g_str_equal(arch, "x86_64") && !g_str_equal(arch, "i686")) {
        error_set(error, VIR_FROM_LIBXL, VIR_ERR_INVALID_ARG, "unknown architecture: %s", arch);
        return NULL;
    }
    for (guint i = 0; i < G_N_ELEMENTS(machines); i++)
        if (!machine || g_str_equal(machine, machines[i].machine))
            return format(i, emulator ? emulator : EMULATOR, arch ? arch : "x86_64");
    error_set(error, VIR_FROM_LIBXL, VIR_ERR_INVALID_ARG, "Xen only supports 'xenpv', 'xenpvh' and 'xenfv' machines");
    return NULL;
}
