/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/argv-parts.h"
#include "driver-kvm/device.h"
#include "driver-kvm/machine-options.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

static void option(GString *text, const char *key, const char *value)
{
    if (value)
        g_string_append_printf(text, ",%s=%s", key, value);
}

static void add_features(const Domain *live, GString *text)
{
    const Features *features = live->features;

    if (features && features->vmport)
        option(text, "vmport", toggle_words(features->vmport->state));
    if (features && features->smm)
        option(text, "smm", features->smm->state == TOGGLE_OFF ? "off" : "on");
    if (features && features->ps2)
        option(text, "i8042", toggle_words(features->ps2->state));
    if (features && features->ras)
        option(text, "ras", toggle_words(features->ras->state));
    if (features && features->ioapic && features->ioapic->driver != IOAPIC_DRIVER_UNSET)
        option(text, "kernel_irqchip", features->ioapic->driver == IOAPIC_DRIVER_KVM ? "on" : "split");
    machine_options_features(live, text);
}

static char *accelerator(const Domain *live)
{
    const Features *features = live->features;
    const KvmDirtyRing *ring = features && features->kvm ? features->kvm->dirty_ring : NULL;

    if (live->type == DOMAIN_TYPE_KVM)
        return ring && ring->state == TOGGLE_ON ? g_strdup_printf("kvm,dirty-ring-size=%u", ring->size) : g_strdup("kvm");
    if (features && features->tcg && features->tcg->tb_cache != UNSET64)
        return g_strdup_printf("tcg,tb-size=%" G_GUINT64_FORMAT, features->tcg->tb_cache / 1024);
    return g_strdup("tcg");
}

gboolean argv_machine(const Domain *live, const Caps *caps, GPtrArray *parts, GError **error)
{
    GString *text = g_string_new(live->os->type->machine);
    const char *memory = argv_main_memory(live, caps);

    option(text, "usb", "off");
    machine_options_keys(live, text);
    add_features(live, text);
    if (live->devices->iommu && live->devices->iommu->model == IOMMU_MODEL_SMMUV3)
        option(text, "iommu", "smmuv3");
    option(text, "dump-guest-core", live->memory_dump_core == TOGGLE_ON ? "on" : "off");
    if (live->memory_backing && live->memory_backing->nosharepages)
        option(text, "mem-merge", "off");
    if (device_memory_any(live, MEMORY_DEVICE_MODEL_NVDIMM))
        option(text, "nvdimm", "on");
    option(text, "memory-backend", memory);
    machine_options_load(live, text);
    for (guint i = 0; i < argv_flash(live, NULL); i++)
        g_string_append_printf(text, ",pflash%u=" ARGV_FLASH, i, i);
    if (argv_has_hmat(live))
        option(text, "hmat", "on");
    if (live->os->bios && live->os->bios->useserial == TOGGLE_ON)
        option(text, "graphics", "off"); /* the firmware writes to the serial port then */
    parts_add_option(parts, "-machine", g_string_free(text, FALSE));
    parts_add_option(parts, "-accel", accelerator(live));
    if (live->features && live->features->smm && live->features->smm->state != TOGGLE_OFF &&
        live->features->smm->tseg != UNSET64)
        parts_add_option(parts, "-global", g_strdup_printf("mch.extended-tseg-mbytes=%" G_GUINT64_FORMAT,
                                                           live->features->smm->tseg / 1024));
    return TRUE;
}

static void sleep_state(const Domain *live, const PmState *state, const char *name, GPtrArray *parts)
{
    if (state && state->enabled != TOGGLE_UNSET)
        parts_add_option(parts, "-global",
                         g_strdup_printf("%s.%s=%d", machine_is_q35(live) ? "ICH9-LPC" : "PIIX4_PM", name,
                                         state->enabled == TOGGLE_OFF));
}

void argv_power(const Domain *live, const Caps *caps, GPtrArray *parts)
{
    parts_add_option(parts, "-no-shutdown", NULL); /* the daemon decides what a shutdown of the guest means */
    if ((machine_is_x86(live) || g_strcmp0(caps_arch(caps), "aarch64") == 0) &&
        !(live->features && live->features->acpi))
        parts_add_option(parts, "-no-acpi", NULL);
    if (!live->pm)
        return;
    sleep_state(live, live->pm->suspend_to_mem, "disable_s3", parts);
    sleep_state(live, live->pm->suspend_to_disk, "disable_s4", parts);
}

void argv_extras(const Domain *live, GPtrArray *parts)
{
    if (live->features && live->features->vmcoreinfo && live->features->vmcoreinfo->state != TOGGLE_OFF)
        parts_add(parts, PART_DEVICE, props_new("driver", "vmcoreinfo"));
    if (live->genid && live->genid->value) {
        JsonObject *props = props_new("driver", "vmgenid");

        props_string(props, "guid", live->genid->value);
        props_string(props, "id", "vmgenid0");
        parts_add(parts, PART_DEVICE, props);
    }
}
