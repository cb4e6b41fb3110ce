/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/domcaps-parts.h"

#include <string.h>

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

static void write_model(XmlWriter *writer, const CapsCpu *cpu, const char *name, const char *vendor)
{
    xml_writer_open(writer, "model");
    xml_writer_attribute(writer, "usable", !cpu->blockers ? "unknown" : !cpu->blockers[0] ? "yes" : "no");
    if (cpu->deprecated)
        xml_writer_attribute(writer, "deprecated", "yes");
    xml_writer_attribute(writer, "vendor", vendor ? vendor : "unknown");
    xml_writer_text(writer, name);
    xml_writer_close(writer);
}

/* The name that documents have for CPU, to free; NULL: they have none. RET_VENDOR is NULL where it is unknown. */
static char *name_x86(const CapsCpu *cpu, const char **ret_vendor)
{
    const X86Model *model = x86_model(cpu->name);

    *ret_vendor = model && model->vendor ? model->vendor->name : NULL;
    return model ? g_strdup(cpu->name) : NULL;
}

static char *name_ppc64(const CapsCpu *cpu, const char **ret_vendor)
{
    const char *number = g_str_has_prefix(cpu->name, "power") ? cpu->name + strlen("power") : "";

    *ret_vendor = "IBM";
    return *number && strspn(number, "0123456789") == strlen(number) ? g_ascii_strup(cpu->name, -1) : NULL;
}

/* libvirt takes QEMU's own. */
static char *name_other(const CapsCpu *cpu, const char **ret_vendor)
{
    *ret_vendor = NULL;
    return g_strdup(cpu->name);
}

static const struct {
    const char *arch; /* of the emulator */
    char *(*name)(const CapsCpu *cpu, const char **ret_vendor);
} namings[] = {
    {"x86_64", name_x86}, {"i686", name_x86}, {"ppc64", name_ppc64}, {"aarch64", name_other}, {"armv7l", name_other}, {"s390x", name_other},
};

/* Those that have a name in libvirt, too; of architectures that are not listed it knows none. */
static void write_models(XmlWriter *writer, const Caps *caps, CapsAccel accel)
{
    const GPtrArray *cpus = caps_cpus(caps, accel);
    gboolean any = FALSE;
    gsize naming = 0;

    while (naming < G_N_ELEMENTS(namings) && g_strcmp0(namings[naming].arch, caps_arch(caps)) != 0)
        naming++;
    xml_writer_open(writer, "mode");
    xml_writer_attribute(writer, "name", "custom");
    for (guint i = 0; naming < G_N_ELEMENTS(namings) && i < cpus->len; i++) {
        const char *vendor;
        g_autofree char *name = namings[naming].name(cpus->pdata[i], &vendor);

        if (!name)
            continue;
        if (!any)
            xml_writer_attribute(writer, "supported", "yes");
        any = TRUE;
        write_model(writer, cpus->pdata[i], name, vendor);
    }
    if (!any)
        xml_writer_attribute(writer, "supported", "no");
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
