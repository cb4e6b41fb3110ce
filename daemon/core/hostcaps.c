/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/hostcaps.h"

#include <string.h>
#include <sys/utsname.h>

#include "daemon/core/host-cpu.h"
#include "daemon/core/host-memory.h"
#include "daemon/core/host-topology.h"
#include "lib/cpu/x86-host.h"
#include "lib/sysfs.h"
#include "lib/xml.h"

static void write_number(XmlWriter *writer, const char *element, const char *attribute, guint64 value)
{
    xml_writer_open(writer, element);
    xml_writer_attributef(writer, attribute, "%" G_GUINT64_FORMAT, value);
    xml_writer_close(writer);
}

static void write_identity(XmlWriter *writer, const char *root)
{
    HostCpuIdentity identity;
    if (!host_cpu_identity(root, &identity))
        return;
    if (*identity.vendor)
        xml_writer_element(writer, "vendor", identity.vendor);
    if (identity.microcode)
        write_number(writer, "microcode", "version", identity.microcode);
    xml_writer_open(writer, "signature");
    xml_writer_attributef(writer, "family", "%u", identity.family);
    xml_writer_attributef(writer, "model", "%u", identity.model);
    xml_writer_attributef(writer, "stepping", "%u", identity.stepping);
    xml_writer_close(writer);
}

static void write_counter(XmlWriter *writer)
{
    guint64 frequency;
    gboolean scaling;
    if (!host_cpu_tsc(&frequency, &scaling))
        return;
    xml_writer_open(writer, "counter");
    xml_writer_attribute(writer, "name", "tsc");
    xml_writer_attributef(writer, "frequency", "%" G_GUINT64_FORMAT, frequency);
    xml_writer_attribute(writer, "scaling", scaling ? "yes" : "no");
    xml_writer_close(writer);
}

static void write_physical_bits(XmlWriter *writer, const char *root)
{
    HostCpuIdentity identity;
    if (!host_cpu_identity(root, &identity) || identity.physical_bits == 0)
        return;
    xml_writer_open(writer, "maxphysaddr");
    xml_writer_attribute(writer, "mode", "emulate");
    xml_writer_attributef(writer, "bits", "%u", identity.physical_bits);
    xml_writer_close(writer);
}

static void write_features(XmlWriter *writer, const Cpu *cpu)
{
    for (guint i = 0; cpu && i < cpu->features->len; i++) {
        xml_writer_open(writer, "feature");
        xml_writer_attribute(writer, "name", ((const CpuFeature *)cpu->features->pdata[i])->name);
        xml_writer_close(writer);
    }
}

static void write_cpu(XmlWriter *writer, const char *root)
{
    struct utsname names;
    HostTopology topology;
    g_autoptr(Cpu) cpu = x86_host_cpu(TRUE, NULL);
    xml_writer_open(writer, "cpu");
    if (uname(&names) == 0)
        xml_writer_element(writer, "arch", names.machine);
    if (cpu)
        xml_writer_element(writer, "model", cpu->model->name);
    write_identity(writer, root);
    write_counter(writer);

    host_topology(root, &topology);
    xml_writer_open(writer, "topology");
    xml_writer_attributef(writer, "sockets", "%u", topology.sockets);
    xml_writer_attribute(writer, "dies", "1"); /* libvirt counts the cores of all dies */
    xml_writer_attributef(writer, "cores", "%u", topology.cores);
    xml_writer_attributef(writer, "threads", "%u", topology.threads);
    xml_writer_close(writer);

    write_physical_bits(writer, root);
    write_features(writer, cpu);
    g_autoptr(GArray) pages = host_pages(root, HOST_ALL_CELLS);
    for (guint i = 0; i < pages->len; i++) {
        xml_writer_open(writer, "pages");
        xml_writer_attribute(writer, "unit", "KiB");
        xml_writer_attributef(writer, "size", "%u", g_array_index(pages, HostPages, i).size);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

static void write_power(XmlWriter *writer, guint sleeps)
{
    static const char *const elements[] = {"suspend_mem", "suspend_disk", "suspend_hybrid"}; /* by virNodeSuspendTarget */

    xml_writer_open(writer, "power_management");
    for (guint i = 0; i < G_N_ELEMENTS(elements); i++)
        if (sleeps & 1u << i)
            xml_writer_element(writer, elements[i], NULL);
    xml_writer_close(writer);
}

static void write_iommu(XmlWriter *writer, const char *root)
{
    g_autoptr(GArray) groups = sysfs_numbered(root, "/sys/kernel/iommu_groups", "");
    xml_writer_open(writer, "iommu");
    xml_writer_attribute(writer, "support", groups->len > 0 ? "yes" : "no");
    xml_writer_close(writer);
}

static void write_migration(XmlWriter *writer)
{
    xml_writer_open(writer, "migration_features");
    xml_writer_element(writer, "live", NULL);
    xml_writer_open(writer, "uri_transports");
    xml_writer_element(writer, "uri_transport", "tcp");
    xml_writer_element(writer, "uri_transport", "rdma");
    xml_writer_close(writer);
    xml_writer_close(writer);
}

static void write_kib(XmlWriter *writer, const char *element, guint size, guint64 value)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);
    xml_writer_open(writer, element);
    xml_writer_attribute(writer, "unit", "KiB");
    if (size)
        xml_writer_attributef(writer, "size", "%u", size);
    xml_writer_text(writer, text);
    xml_writer_close(writer);
}

static void write_distances(XmlWriter *writer, const char *root, guint cell)
{
    g_autoptr(GArray) distances = host_cell_distances(root, cell);
    if (distances->len == 0)
        return;
    xml_writer_open(writer, "distances");
    for (guint i = 0; i < distances->len; i++) {
        guint value = g_array_index(distances, guint, i);
        if (value == 0)
            continue;
        xml_writer_open(writer, "sibling");
        xml_writer_attributef(writer, "id", "%u", i);
        xml_writer_attributef(writer, "value", "%u", value);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

static void write_cell_cpus(XmlWriter *writer, const char *root, guint cell)
{
    g_autoptr(GArray) cpus = host_cell_cpus(root, cell);
    xml_writer_open(writer, "cpus");
    xml_writer_attributef(writer, "num", "%u", cpus->len);
    for (guint i = 0; i < cpus->len; i++) {
        const HostCpu *cpu = &g_array_index(cpus, HostCpu, i);
        g_autofree char *siblings = cpuset_format(cpu->siblings);
        xml_writer_open(writer, "cpu");
        xml_writer_attributef(writer, "id", "%u", cpu->id);
        xml_writer_attributef(writer, "socket_id", "%u", cpu->socket);
        xml_writer_attributef(writer, "die_id", "%u", cpu->die);
        xml_writer_attributef(writer, "core_id", "%u", cpu->core);
        xml_writer_attribute(writer, "siblings", siblings);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

static void write_cell(XmlWriter *writer, const char *root, guint cell)
{
    guint64 total, available;
    xml_writer_open(writer, "cell");
    xml_writer_attributef(writer, "id", "%u", cell);
    if (host_memory(root, cell, &total, &available))
        write_kib(writer, "memory", 0, total);
    g_autoptr(GArray) pages = host_pages(root, cell);
    for (guint i = 0; i < pages->len; i++) {
        const HostPages *one = &g_array_index(pages, HostPages, i);
        write_kib(writer, "pages", one->size, one->total);
    }
    write_distances(writer, root, cell);
    write_cell_cpus(writer, root, cell);
    xml_writer_close(writer);
}

static void write_topology(XmlWriter *writer, const char *root)
{
    g_autoptr(GArray) cells = host_cells(root);
    xml_writer_open(writer, "topology");
    xml_writer_open(writer, "cells");
    xml_writer_attributef(writer, "num", "%u", cells->len);
    for (guint i = 0; i < cells->len; i++)
        write_cell(writer, root, g_array_index(cells, guint, i));
    xml_writer_close(writer);
    xml_writer_close(writer);
}

/* KIB in the largest unit in which it is whole. */
static void write_size(XmlWriter *writer, guint64 kib)
{
    static const char *const units[] = {"KiB", "MiB", "GiB"};
    gsize unit = 0;
    for (; unit + 1 < G_N_ELEMENTS(units) && kib > 0 && kib % 1024 == 0; unit++)
        kib /= 1024;
    xml_writer_attributef(writer, "size", "%" G_GUINT64_FORMAT, kib);
    xml_writer_attribute(writer, "unit", units[unit]);
}

static void write_caches(XmlWriter *writer, const char *root)
{
    g_autoptr(GArray) caches = host_caches(root);
    if (caches->len == 0)
        return;
    xml_writer_open(writer, "cache");
    for (guint i = 0; i < caches->len; i++) {
        const HostCache *cache = &g_array_index(caches, HostCache, i);
        g_autofree char *cpus = cpuset_format(cache->cpus);
        xml_writer_open(writer, "bank");
        xml_writer_attributef(writer, "id", "%u", cache->id);
        xml_writer_attributef(writer, "level", "%u", cache->level);
        xml_writer_attribute(writer, "type", cache->type);
        write_size(writer, cache->size);
        xml_writer_attribute(writer, "cpus", cpus);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

char *hostcaps_owner_label(const DriverInstance *instance)
{
    const DriverNodeOps *node = instance->driver->node;
    uid_t uid;
    gid_t gid;
    if (!node || !node->owner)
        return NULL;
    node->owner(instance->self, &uid, &gid);
    return g_strdup_printf("+%u:+%u", (guint)uid, (guint)gid);
}

static void open_security(XmlWriter *writer, const char *model)
{
    xml_writer_open(writer, "secmodel");
    xml_writer_element(writer, "model", model);
    xml_writer_element(writer, "doi", "0");
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* LABEL by domain type, in alphabetical order as in libvirt. */
static void write_owner(XmlWriter *writer, const DriverInstance *instance, const char *label)
{
    g_autoptr(GPtrArray) types = g_ptr_array_new();
    for (const char *const *type = instance->driver->domain_types; *type; type++)
        g_ptr_array_add(types, (gpointer)*type);
    g_ptr_array_sort(types, compare_texts);

    open_security(writer, HOSTCAPS_OWNER_MODEL);
    for (guint i = 0; i < types->len; i++) {
        xml_writer_open(writer, "baselabel");
        xml_writer_attribute(writer, "type", types->pdata[i]);
        xml_writer_text(writer, label);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

/* "none" stands for mandatory access control, which we do not have yet. */
static void write_security(XmlWriter *writer, const DriverInstance *instance)
{
    g_autofree char *label = hostcaps_owner_label(instance);
    open_security(writer, "none");
    xml_writer_close(writer);
    if (label)
        write_owner(writer, instance, label);
}

static void write_host(XmlWriter *writer, const HostCaps *caps, const DriverInstance *instance)
{
    xml_writer_open(writer, "host");
    xml_writer_element(writer, "uuid", caps->uuid);
    write_cpu(writer, caps->root);
    write_power(writer, caps->sleeps);
    write_iommu(writer, caps->root);
    if (caps->migrates)
        write_migration(writer);
    write_topology(writer, caps->root);
    write_caches(writer, caps->root);
    write_security(writer, instance);
    xml_writer_close(writer);
}

/* libvirt sets the document's parts apart by empty lines. */
static char *spread(const char *text)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        if (*lines[i])
            g_string_append_printf(out, "%s\n", lines[i]);
        if (i == 0 || g_str_has_prefix(lines[i], "  </"))
            g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

char *hostcaps_format(const HostCaps *caps, const DriverInstance *instance, GError **error)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();
    xml_writer_open(writer, "capabilities");
    write_host(writer, caps, instance);
    const DriverNodeOps *node = instance->driver->node;
    if (node && node->guests && !node->guests(instance->self, writer, error))
        return NULL;
    xml_writer_close(writer);
    g_autofree char *text = xml_writer_finish(writer);
    return spread(text);
}
