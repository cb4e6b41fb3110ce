/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/domcaps-parts.h"

#include <string.h>

static void write_mode(XmlWriter *writer, const char *name, gboolean supported, const char *migratable)
{
    xml_writer_open(writer, "mode");
    xml_writer_attribute(writer, "name", name);
    xml_writer_attribute(writer, "supported", supported ? "yes" : "no");
    if (supported && migratable) {
        xml_writer_open(writer, "enum");
        xml_writer_attribute(writer, "name", migratable);
        xml_writer_element(writer, "value", "on");
        xml_writer_element(writer, "value", "off");
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

static gint by_name_backwards(gconstpointer a, gconstpointer b)
{
    return -strcmp((*(const CapsCpu *const *)a)->name, (*(const CapsCpu *const *)b)->name);
}

/* "EPYC-v3" and the like are QEMU's versions of one model; "base", "host" and "max" are no models. */
static gboolean is_model(const char *name)
{
    const char *version = strrchr(name, '-');

    if (g_str_equal(name, "base") || g_str_equal(name, "host") || g_str_equal(name, "max"))
        return FALSE;
    return !version || version[1] != 'v' || !g_ascii_isdigit(version[2]);
}

static void write_models(XmlWriter *writer, const Caps *caps, CapsAccel accel)
{
    const GPtrArray *cpus = caps_cpus(caps, accel);
    g_autoptr(GPtrArray) sorted = g_ptr_array_sized_new(cpus->len);

    for (guint i = 0; i < cpus->len; i++)
        if (is_model(((const CapsCpu *)cpus->pdata[i])->name))
            g_ptr_array_add(sorted, cpus->pdata[i]);
    g_ptr_array_sort(sorted, by_name_backwards);
    for (guint i = 0; i < sorted->len; i++) {
        const CapsCpu *cpu = sorted->pdata[i];
        xml_writer_open(writer, "model");
        xml_writer_attribute(writer, "usable", !cpu->blockers ? "unknown" : !cpu->blockers[0] ? "yes" : "no");
        xml_writer_text(writer, cpu->name);
        xml_writer_close(writer);
    }
}

void domcaps_write_cpu(XmlWriter *writer, const Caps *caps, CapsAccel accel)
{
    xml_writer_open(writer, "cpu");
    write_mode(writer, "host-passthrough", accel == CAPS_KVM, "hostPassthroughMigratable");
    write_mode(writer, "maximum", caps_cpu(caps, accel, "max") != NULL, "maximumMigratable");
    write_mode(writer, "host-model", FALSE, NULL);
    xml_writer_open(writer, "mode");
    xml_writer_attribute(writer, "name", "custom");
    xml_writer_attribute(writer, "supported", caps_cpus(caps, accel)->len > 0 ? "yes" : "no");
    write_models(writer, caps, accel);
    xml_writer_close(writer);
    xml_writer_close(writer);
}
