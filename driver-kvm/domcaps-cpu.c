/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/domcaps-parts.h"

#include "driver-kvm/cpu-model.h"

/* MIGRATABLE: name of the list of what that may be; ON: it may be on. */
static void write_mode(XmlWriter *writer, const char *name, gboolean supported, const char *migratable, gboolean on)
{
    xml_writer_open(writer, "mode");
    xml_writer_attribute(writer, "name", name);
    xml_writer_attribute(writer, "supported", supported ? "yes" : "no");
    if (supported) {
        xml_writer_open(writer, "enum");
        xml_writer_attribute(writer, "name", migratable);
        if (on)
            xml_writer_element(writer, "value", "on");
        xml_writer_element(writer, "value", "off");
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

static void write_host_model(XmlWriter *writer, const Cpu *cpu)
{
    xml_writer_open(writer, "mode");
    xml_writer_attribute(writer, "name", "host-model");
    xml_writer_attribute(writer, "supported", cpu ? "yes" : "no");
    if (cpu) {
        xml_writer_open(writer, "model");
        xml_writer_attribute(writer, "fallback", cpu_fallback_to_string(cpu->model->fallback));
        xml_writer_text(writer, cpu->model->name);
        xml_writer_close(writer);
        if (cpu->vendor)
            xml_writer_element(writer, "vendor", cpu->vendor);
        for (guint i = 0; i < cpu->features->len; i++) {
            const CpuFeature *feature = cpu->features->pdata[i];
            xml_writer_open(writer, "feature");
            xml_writer_attribute(writer, "policy", cpu_policy_to_string(feature->policy));
            xml_writer_attribute(writer, "name", feature->name);
            xml_writer_close(writer);
        }
    }
    xml_writer_close(writer);
}

static void write_model(XmlWriter *writer, const CapsCpu *cpu, const X86Model *model)
{
    xml_writer_open(writer, "model");
    xml_writer_attribute(writer, "usable", !cpu->blockers ? "unknown" : !cpu->blockers[0] ? "yes" : "no");
    if (cpu->deprecated)
        xml_writer_attribute(writer, "deprecated", "yes");
    xml_writer_attribute(writer, "vendor", model && model->vendor ? model->vendor->name : "unknown");
    xml_writer_text(writer, cpu->name);
    xml_writer_close(writer);
}

/* Those that have a name in libvirt, too; of other architectures' we know none. */
static void write_models(XmlWriter *writer, const Caps *caps, CapsAccel accel)
{
    const GPtrArray *cpus = caps_cpus(caps, accel);
    g_autoptr(GPtrArray) known = g_ptr_array_new();

    for (guint i = 0; x86_is_arch(caps_arch(caps)) && i < cpus->len; i++)
        if (x86_model(((const CapsCpu *)cpus->pdata[i])->name))
            g_ptr_array_add(known, cpus->pdata[i]);
    xml_writer_open(writer, "mode");
    xml_writer_attribute(writer, "name", "custom");
    xml_writer_attribute(writer, "supported", known->len > 0 ? "yes" : "no");
    for (guint i = 0; i < known->len; i++) {
        const CapsCpu *cpu = known->pdata[i];
        write_model(writer, cpu, x86_model(cpu->name));
    }
    xml_writer_close(writer);
}

void domcaps_write_cpu(XmlWriter *writer, const Caps *caps, CapsAccel accel)
{
    g_autoptr(Cpu) host = cpu_model_host(caps, accel, CPU_MODEL_REPORTED);
    gboolean migratable = caps_device_has_property(caps, "max-x86_64-cpu", "migratable");

    xml_writer_open(writer, "cpu");
    write_mode(writer, "host-passthrough", cpu_model_has_mode(caps, accel, CPU_MODE_HOST_PASSTHROUGH),
               "hostPassthroughMigratable", migratable);
    write_mode(writer, "maximum", cpu_model_has_mode(caps, accel, CPU_MODE_MAXIMUM), "maximumMigratable", TRUE);
    write_host_model(writer, host);
    write_models(writer, caps, accel);
    xml_writer_close(writer);
}
