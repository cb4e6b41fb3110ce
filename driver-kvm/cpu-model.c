/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/cpu-model.h"

#include <string.h>

#include "driver-kvm/emulator.h"
#include "lib/cpu/x86-compare.h"
#include "lib/cpu/x86-host.h"

gboolean cpu_model_is_native(const Caps *caps)
{
    const char *host = emulator_host_arch(), *guest = caps_arch(caps);

    return strcmp(host, guest) == 0 || (strcmp(host, "x86_64") == 0 && strcmp(guest, "i686") == 0);
}

gboolean cpu_model_tells_registers(const Caps *caps)
{
    return caps_device_has_property(caps, "max-x86_64-cpu", "unavailable-features");
}

static void offer_clear(gpointer data)
{
    g_free((gpointer)((X86Offer *)data)->blockers);
}

static const char *const *blockers_of(const CapsCpu *cpu)
{
    g_autoptr(GPtrArray) names = NULL;

    if (!cpu->blockers || !cpu->blockers[0])
        return NULL;
    names = g_ptr_array_new();
    for (const char **blocker = cpu->blockers; *blocker; blocker++)
        g_ptr_array_add(names, (gpointer)x86_from_qemu(*blocker));
    g_ptr_array_add(names, NULL);
    return (const char *const *)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

GArray *cpu_model_offers(const Caps *caps, CapsAccel accel)
{
    const GPtrArray *cpus = caps_cpus(caps, accel);
    GArray *offers = g_array_new(FALSE, FALSE, sizeof(X86Offer));

    g_array_set_clear_func(offers, offer_clear);
    for (guint i = 0; i < cpus->len; i++) {
        const CapsCpu *cpu = cpus->pdata[i];
        X86Offer offer = {cpu->name, blockers_of(cpu)};
        g_array_append_val(offers, offer);
    }
    return offers;
}

gboolean cpu_model_features(const Caps *caps, CapsAccel accel, gboolean migratable, X86Bits *ret_features)
{
    const GArray *best = caps_best(caps, accel);
    X86Bits features = {{0}};

    for (guint i = 0; best && i < best->len; i++) {
        const CapsProp *prop = &g_array_index(best, CapsProp, i);
        int feature = x86_feature(x86_from_qemu(prop->name));
        if (feature >= 0 && !(migratable && prop->stays))
            x86_bits_add(&features, (guint)feature);
    }
    if (best)
        *ret_features = features;
    return best != NULL;
}

gboolean cpu_model_knows(const Caps *caps, CapsAccel accel, const char *feature)
{
    const GArray *best = caps_best(caps, accel);

    for (guint i = 0; best && i < best->len; i++)
        if (strcmp(x86_from_qemu(g_array_index(best, CapsProp, i).name), feature) == 0)
            return TRUE;
    return best == NULL;
}

static X86Data data_of(const GArray *best, gboolean migratable)
{
    X86Data data = {{{0}}, NULL, 0};
    guint family = 0, model = 0, stepping = 0;

    for (guint i = 0; i < best->len; i++) {
        const CapsProp *prop = &g_array_index(best, CapsProp, i);
        int feature = x86_feature(x86_from_qemu(prop->name));
        if (prop->on && feature >= 0 && !(migratable && prop->stays))
            x86_bits_add(&data.bits, (guint)feature);
        else if (prop->text && strcmp(prop->name, "vendor") == 0)
            data.vendor = x86_vendor_of_string(prop->text);
        else if (prop->is_number && strcmp(prop->name, "family") == 0)
            family = (guint)prop->number;
        else if (prop->is_number && strcmp(prop->name, "model") == 0)
            model = (guint)prop->number;
        else if (prop->is_number && strcmp(prop->name, "stepping") == 0)
            stepping = (guint)prop->number;
    }
    data.signature = x86_signature(family, model, stepping);
    return data;
}

static Cpu *exact_cpu(CpuFallback fallback)
{
    Cpu *cpu = cpu_new();

    cpu->mode = CPU_MODE_CUSTOM;
    cpu->match = CPU_MATCH_EXACT;
    cpu->model = cpu_model_new();
    cpu->model->fallback = fallback;
    return cpu;
}

/* From what QEMU says, or else from the host itself. */
static Cpu *decode(const Caps *caps, CapsAccel accel, gboolean migratable)
{
    const GArray *best = caps_best(caps, accel);
    g_autoptr(GArray) offers = cpu_model_offers(caps, accel);
    gboolean unsorted = migratable && !caps_best_knows_migratable(caps, accel);
    X86Decode how = {.offers = offers, .migratable = unsorted};
    g_autoptr(Cpu) cpu = exact_cpu(best ? CPU_FALLBACK_FORBID : CPU_FALLBACK_ALLOW);
    X86Data data;

    if (best)
        data = data_of(best, migratable);
    else if (!x86_host(&data))
        return NULL;
    if (!x86_decode(&data, &how, cpu, NULL))
        return NULL;
    if (!best)
        x86_list_filter(cpu, x86_list_is_for_guests, NULL);
    return g_steal_pointer(&cpu);
}

static gboolean is_no_register(const CpuFeature *feature, gpointer unused)
{
    int number = x86_feature(feature->name);

    return number < 0 || !x86_features[number].msr;
}

/* The host's own features, and what QEMU has beside. */
static Cpu *full(const Cpu *reported)
{
    g_autoptr(Cpu) host = x86_host_cpu(FALSE, NULL), all = cpu_copy(reported);

    if (!host || !x86_expand(all, NULL))
        return NULL;
    for (guint i = 0; i < all->features->len; i++) {
        const CpuFeature *feature = all->features->pdata[i];
        if (feature->policy == CPU_POLICY_REQUIRE)
            x86_list_set(host, feature->name, CPU_POLICY_REQUIRE);
    }
    return g_steal_pointer(&host);
}

Cpu *cpu_model_host(const Caps *caps, CapsAccel accel, CpuModelKind kind)
{
    if (!x86_is_arch(caps_arch(caps)) || !cpu_model_is_native(caps) || !caps_has_accel(caps, accel))
        return NULL;
    g_autoptr(Cpu) reported = decode(caps, accel, kind == CPU_MODEL_MIGRATABLE);
    gboolean as_it_is = kind != CPU_MODEL_FULL || accel != CAPS_KVM || !caps_best(caps, accel);
    Cpu *cpu = !reported || as_it_is ? g_steal_pointer(&reported) : full(reported);
    if (cpu && !cpu_model_tells_registers(caps))
        x86_list_filter(cpu, is_no_register, NULL);
    return cpu;
}

gboolean cpu_model_has_mode(const Caps *caps, CapsAccel accel, CpuMode mode)
{
    g_autoptr(Cpu) host = NULL;

    switch (mode) {
    case CPU_MODE_HOST_PASSTHROUGH:
        return accel == CAPS_KVM && cpu_model_is_native(caps);
    case CPU_MODE_MAXIMUM:
        return caps_cpu(caps, CAPS_KVM, "max") || caps_cpu(caps, CAPS_TCG, "max");
    case CPU_MODE_HOST_MODEL:
        host = cpu_model_host(caps, accel, CPU_MODEL_REPORTED);
        return host != NULL;
    default:
        return caps_cpus(caps, accel)->len > 0;
    }
}
