/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/node.h"

#include <string.h>

#include "driver-xen/xen.h"
#include "lib/error.h"

#define EMULATOR "/usr/bin/qemu-system-i386"

static gboolean node_version(gpointer self, guint64 *ret_version, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = context_new(xen->host, error);
    const libxl_version_info *info = context ? libxl_get_version_info(context->libxl) : NULL;

    if (!context)
        return FALSE;
    if (!info)
        return context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "cannot get version info from libxenlight");
    *ret_version = (guint64)info->xen_version_major * 1000000 + (guint64)info->xen_version_minor * 1000;
    return TRUE;
}

static gboolean node_max_vcpus(gpointer self, const char *type, int *ret_max, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = context_new(xen->host, error);
    int max = context ? libxl_get_max_cpus(context->libxl) : 0;

    if (!context)
        return FALSE;
    if (max <= 0)
        return context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "libxenlight does not tell the number of processors");
    *ret_max = max;
    return TRUE;
}

/* What the hypervisor says it runs: "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_64 ...", a kind of guest each. */
static const struct {
    const char *word, *os, *machine;
    gboolean firmware; /* it boots as a computer does */
} kinds[] = {
    {"xen-3.0-x86_64", "xen", "xenpv", FALSE},
    {"hvm-3.0-x86_32", "hvm", "xenfv", TRUE},
    {"hvm-3.0-x86_64", "hvm", "xenfv", TRUE},
    {"hvm-3.0-x86_64", "xenpvh", "xenpvh", FALSE},
};

static void write_features(XmlWriter *writer, gboolean hvm)
{
    static const char *const toggles[] = {"acpi", "apic", "hap"};

    xml_writer_open(writer, "features");
    if (hvm) {
        xml_writer_open(writer, "pae");
        xml_writer_close(writer);
        xml_writer_open(writer, "nonpae");
        xml_writer_close(writer);
    }
    for (gsize i = 0; hvm && i < G_N_ELEMENTS(toggles); i++) {
        xml_writer_open(writer, toggles[i]);
        xml_writer_attribute(writer, "default", "on");
        xml_writer_attribute(writer, "toggle", "yes");
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

static void write_kind(XmlWriter *writer, gsize i)
{
    gboolean wide = g_str_has_suffix(kinds[i].word, "x86_64");

    xml_writer_open(writer, "guest");
    xml_writer_element(writer, "os_type", kinds[i].os);
    xml_writer_open(writer, "arch");
    xml_writer_attribute(writer, "name", wide ? "x86_64" : "i686");
    xml_writer_element(writer, "wordsize", wide ? "64" : "32");
    xml_writer_element(writer, "emulator", EMULATOR);
    if (kinds[i].firmware)
        xml_writer_element(writer, "loader", "/usr/lib/xen-4.17/boot/hvmloader");
    xml_writer_element(writer, "machine", kinds[i].machine);
    xml_writer_open(writer, "domain");
    xml_writer_attribute(writer, "type", "xen");
    xml_writer_close(writer);
    xml_writer_close(writer);
    write_features(writer, kinds[i].firmware);
    xml_writer_close(writer);
}

static gboolean node_guests(gpointer self, XmlWriter *writer, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = context_new(xen->host, error);
    const libxl_version_info *info = context ? libxl_get_version_info(context->libxl) : NULL;

    if (!info)
        return context && context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "cannot get version info from libxenlight");
    g_auto(GStrv) words = g_strsplit(info->capabilities, " ", -1);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_strv_contains((const char *const *)words, kinds[i].word))
            write_kind(writer, i);
    return TRUE;
}

const DriverNodeOps node_ops = {.version = node_version, .max_vcpus = node_max_vcpus, .guests = node_guests};
