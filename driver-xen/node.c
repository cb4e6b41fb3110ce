/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/node.h"

#include <string.h>

#include "driver-xen/domcaps.h"
#include "driver-xen/xen.h"
#include "lib/error.h"

#define EMULATOR "/usr/lib/xen/bin/qemu-system-i386"
#define LOADER "/usr/lib/xen/boot/hvmloader"

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

/* What the hypervisor says it runs, "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_64 ...": which kinds of guests that means. */
static const struct {
    const char *word, *os, *machine, *arch;
} kinds[] = {
    {"xen-3.0-x86_64", "xen", "xenpv", "x86_64"},    {"hvm-3.0-x86_32", "hvm", "xenfv", "i686"},
    {"hvm-3.0-x86_32", "xenpvh", "xenpvh", "i686"},  {"hvm-3.0-x86_64", "hvm", "xenfv", "x86_64"},
    {"hvm-3.0-x86_64", "xenpvh", "xenpvh", "x86_64"},
};

static void write_toggle(XmlWriter *writer, const char *name, const char *toggle)
{
    xml_writer_open(writer, name);
    xml_writer_attribute(writer, "default", "on");
    xml_writer_attribute(writer, "toggle", toggle);
    xml_writer_close(writer);
}

static void write_empty(XmlWriter *writer, const char *name)
{
    xml_writer_open(writer, name);
    xml_writer_close(writer);
}

static void write_features(XmlWriter *writer, gboolean computer, gboolean narrow)
{
    xml_writer_open(writer, "features");
    if (computer && narrow) {
        write_empty(writer, "pae");
        write_empty(writer, "nonpae");
    }
    if (computer) {
        write_toggle(writer, "acpi", "yes");
        write_toggle(writer, "apic", "no");
    }
    write_toggle(writer, "hap", "yes");
    xml_writer_close(writer);
}

static void write_kind(XmlWriter *writer, gsize i)
{
    gboolean narrow = g_str_equal(kinds[i].arch, "i686"), computer = g_str_equal(kinds[i].os, "hvm");

    xml_writer_open(writer, "guest");
    xml_writer_element(writer, "os_type", kinds[i].os);
    xml_writer_open(writer, "arch");
    xml_writer_attribute(writer, "name", kinds[i].arch);
    xml_writer_element(writer, "wordsize", narrow ? "32" : "64");
    xml_writer_element(writer, "emulator", EMULATOR);
    if (computer)
        xml_writer_element(writer, "loader", LOADER);
    xml_writer_element(writer, "machine", kinds[i].machine);
    xml_writer_open(writer, "domain");
    xml_writer_attribute(writer, "type", "xen");
    xml_writer_close(writer);
    xml_writer_close(writer);
    if (!g_str_equal(kinds[i].os, "xen"))
        write_features(writer, computer, narrow);
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

static gboolean node_info(gpointer self, DriverNode *ret_node, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = context_new(xen->host, error);
    libxl_physinfo info;

    if (!context)
        return FALSE;
    const libxl_version_info *version = libxl_get_version_info(context->libxl);
    libxl_physinfo_init(&info);
    if (!version || libxl_get_physinfo(context->libxl, &info) != 0) {
        libxl_physinfo_dispose(&info);
        return context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "libxl_get_physinfo_info failed");
    }
    guint64 page = (guint64)version->pagesize / 1024;
    guint per_socket = MAX(1, info.cores_per_socket * info.threads_per_core);
    *ret_node = (DriverNode){
        .memory = info.total_pages * page,
        .free = (info.free_pages + info.scrub_pages) * page,
        .cpus = info.nr_cpus,
        .mhz = info.cpu_khz / 1000,
        .nodes = MAX(1, info.nr_nodes),
        .sockets = MAX(1, info.nr_cpus / (per_socket * MAX(1, info.nr_nodes))),
        .cores = info.cores_per_socket,
        .threads = info.threads_per_core,
    };
    libxl_physinfo_dispose(&info);
    return TRUE;
}

static char *node_domain_capabilities(gpointer self, const char *emulator, const char *arch, const char *machine, const char *virt_type,
                                      GError **error)
{
    return domcaps_format(emulator, arch, machine, virt_type, error);
}

const DriverNodeOps node_ops = {
    .info = node_info,
    .version = node_version,
    .max_vcpus = node_max_vcpus,
    .guests = node_guests,
    .domain_capabilities = node_domain_capabilities,
};
