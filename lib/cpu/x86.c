/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/cpu/x86.h"

#include <string.h>

#include "lib/error.h"

gboolean x86_is_arch(const char *arch)
{
    return g_strcmp0(arch, "x86_64") == 0 || g_strcmp0(arch, "i686") == 0;
}

int x86_feature(const char *name)
{
    for (guint i = 0; name && i < X86_N_FEATURES; i++)
        if (strcmp(x86_features[i].name, name) == 0)
            return (int)i;
    return -1;
}

const X86Model *x86_model(const char *name)
{
    for (guint i = 0; name && i < X86_N_MODELS; i++)
        if (strcmp(x86_models[i].name, name) == 0)
            return &x86_models[i];
    return NULL;
}

const X86Vendor *x86_vendor(const char *name)
{
    for (guint i = 0; name && i < X86_N_VENDORS; i++)
        if (strcmp(x86_vendors[i].name, name) == 0)
            return &x86_vendors[i];
    return NULL;
}

const X86Vendor *x86_vendor_of_string(const char *string)
{
    for (guint i = 0; string && i < X86_N_VENDORS; i++)
        if (strcmp(x86_vendors[i].string, string) == 0)
            return &x86_vendors[i];
    return NULL;
}

/* Not among the features that a processor has, but such as a hypervisor gives. */
static const struct {
    const char *name, *qemu;
} paravirtual[] = {{"kvm_pv_eoi", "kvm-pv-eoi"}, {"kvm_pv_unhalt", "kvm-pv-unhalt"}};

const char *x86_from_qemu(const char *name)
{
    for (guint i = 0; i < X86_N_FEATURES; i++)
        if (strcmp(x86_features[i].qemu, name) == 0)
            return x86_features[i].name;
    for (guint i = 0; i < G_N_ELEMENTS(paravirtual); i++)
        if (strcmp(paravirtual[i].qemu, name) == 0)
            return paravirtual[i].name;
    return name;
}

const char *x86_to_qemu(const char *name)
{
    int feature = x86_feature(name);

    for (guint i = 0; i < G_N_ELEMENTS(paravirtual); i++)
        if (strcmp(paravirtual[i].name, name) == 0)
            return paravirtual[i].qemu;
    return feature < 0 ? name : x86_features[feature].qemu;
}

/* --- sets --- */

#define N_WORDS G_N_ELEMENTS(((X86Bits *)NULL)->word)

void x86_bits_add(X86Bits *bits, guint feature)
{
    bits->word[feature / 64] |= G_GUINT64_CONSTANT(1) << feature % 64;
}

void x86_bits_drop(X86Bits *bits, guint feature)
{
    bits->word[feature / 64] &= ~(G_GUINT64_CONSTANT(1) << feature % 64);
}

gboolean x86_bits_has(const X86Bits *bits, guint feature)
{
    return (bits->word[feature / 64] >> feature % 64 & 1) != 0;
}

X86Bits x86_bits_or(X86Bits a, X86Bits b)
{
    for (guint i = 0; i < N_WORDS; i++)
        a.word[i] |= b.word[i];
    return a;
}

X86Bits x86_bits_and(X86Bits a, X86Bits b)
{
    for (guint i = 0; i < N_WORDS; i++)
        a.word[i] &= b.word[i];
    return a;
}

X86Bits x86_bits_without(X86Bits a, X86Bits b)
{
    for (guint i = 0; i < N_WORDS; i++)
        a.word[i] &= ~b.word[i];
    return a;
}

guint x86_bits_count(const X86Bits *bits)
{
    guint count = 0;

    for (guint i = 0; i < N_WORDS; i++)
        count += (guint)__builtin_popcountll(bits->word[i]);
    return count;
}

int x86_bits_next(const X86Bits *bits, int after)
{
    for (int i = after + 1; i < X86_N_FEATURES; i++)
        if (x86_bits_has(bits, (guint)i))
            return i;
    return -1;
}

char *x86_bits_names(const X86Bits *bits, const char *separator)
{
    GString *text = g_string_new(NULL);

    for (int i = x86_bits_next(bits, -1); i >= 0; i = x86_bits_next(bits, i))
        g_string_append_printf(text, "%s%s", text->len ? separator : "", x86_features[i].name);
    return g_string_free(text, FALSE);
}

/* --- signatures --- */

guint32 x86_signature(guint family, guint model, guint stepping)
{
    guint beyond = family > 0xf ? family - 0xf : 0;

    return beyond << 20 | (model >> 4) << 16 | (family - beyond) << 8 | (model & 0xf) << 4 | (stepping & 0xf);
}

X86Signature x86_signature_parts(guint32 signature)
{
    return (X86Signature){(signature >> 20 & 0xff) + (signature >> 8 & 0xf), (signature >> 12 & 0xf0) + (signature >> 4 & 0xf),
                          signature & 0xf};
}

/* --- what a Cpu has --- */

gboolean x86_bits_of(const Cpu *cpu, gboolean host, int policy, X86Bits *ret_bits, GError **error)
{
    const char *name = cpu->model ? cpu->model->name : NULL;
    gboolean with_model = policy == CPU_POLICY_REQUIRE || policy == X86_ANY_POLICY;
    const X86Model *model = with_model ? x86_model(name) : NULL;
    X86Bits bits = {{0}};

    *ret_bits = bits;
    if (host && !with_model)
        return TRUE;
    if (with_model && name && !model)
        return error_set(error, VIR_FROM_CPU, VIR_ERR_INTERNAL_ERROR, "Unknown CPU model %s", name);
    if (model)
        bits = model->has;
    for (guint i = 0; i < cpu->features->len; i++) {
        const CpuFeature *one = cpu->features->pdata[i];
        int feature = x86_feature(one->name), has = host || !one->policy ? CPU_POLICY_REQUIRE : (int)one->policy;

        if (policy == X86_ANY_POLICY ? has == CPU_POLICY_OPTIONAL : has != policy)
            continue;
        if (feature < 0)
            return error_set(error, VIR_FROM_CPU, VIR_ERR_INTERNAL_ERROR, "Unknown CPU feature %s", one->name);
        if (policy == X86_ANY_POLICY && (has == CPU_POLICY_DISABLE || has == CPU_POLICY_FORBID))
            x86_bits_drop(&bits, (guint)feature);
        else
            x86_bits_add(&bits, (guint)feature);
    }
    *ret_bits = bits;
    return TRUE;
}

CpuFeature *x86_list_find(const Cpu *cpu, const char *name)
{
    for (guint i = 0; i < cpu->features->len; i++) {
        CpuFeature *feature = cpu->features->pdata[i];
        if (g_strcmp0(feature->name, name) == 0)
            return feature;
    }
    return NULL;
}

void x86_list_add(Cpu *cpu, const char *name, CpuPolicy policy)
{
    if (x86_list_find(cpu, name))
        return;
    CpuFeature *feature = cpu_feature_new();
    feature->name = g_strdup(name);
    feature->policy = policy;
    g_ptr_array_add(cpu->features, feature);
}

void x86_list_set(Cpu *cpu, const char *name, CpuPolicy policy)
{
    CpuFeature *feature = x86_list_find(cpu, name);

    if (feature)
        feature->policy = policy;
    else
        x86_list_add(cpu, name, policy);
}

void x86_list_filter(Cpu *cpu, gboolean (*keep)(const CpuFeature *feature, gpointer data), gpointer data)
{
    for (guint i = 0; i < cpu->features->len;) {
        CpuFeature *feature = cpu->features->pdata[i];
        if (keep(feature, data))
            i++;
        else
            cpu_feature_free(g_ptr_array_steal_index(cpu->features, i));
    }
}

void x86_list_clear(Cpu *cpu)
{
    while (cpu->features->len)
        cpu_feature_free(g_ptr_array_steal_index(cpu->features, cpu->features->len - 1));
}

void x86_list_removed(Cpu *cpu, const X86Model *model)
{
    for (guint i = 0; i < model->n_removed; i++)
        x86_list_add(cpu, x86_features[model->removed[i]].name, CPU_POLICY_DISABLE);
}

gboolean x86_list_is_for_guests(const CpuFeature *feature, gpointer unused)
{
    static const char *const others[] = {"cmt", "mbm_total", "mbm_local", "osxsave", "ospke", NULL};

    return !g_strv_contains(others, feature->name);
}
