/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/cpu/x86-update.h"

#include <string.h>

#include "lib/error.h"

static gboolean is_described(const Cpu *cpu)
{
    return cpu->mode != CPU_MODE_HOST_PASSTHROUGH && cpu->mode != CPU_MODE_MAXIMUM;
}

static const X86Model *model_of(const Cpu *cpu, GError **error)
{
    const char *name = cpu->model ? cpu->model->name : NULL;
    const X86Model *model = x86_model(name);

    if (!model)
        error_set(error, VIR_FROM_CPU, VIR_ERR_INTERNAL_ERROR, "Unknown CPU model %s", name ? name : "(null)");
    return model;
}

gboolean x86_update_is_relative(const Cpu *guest)
{
    if (!is_described(guest))
        return FALSE;
    for (guint i = 0; i < guest->features->len; i++)
        if (((const CpuFeature *)guest->features->pdata[i])->policy == CPU_POLICY_OPTIONAL)
            return TRUE;
    return guest->mode == CPU_MODE_HOST_MODEL || guest->match == CPU_MATCH_MINIMUM;
}

static gboolean settle_optional(Cpu *guest, const X86Bits *has, GError **error)
{
    for (guint i = 0; i < guest->features->len; i++) {
        CpuFeature *one = guest->features->pdata[i];
        int feature = x86_feature(one->name);

        if (one->policy != CPU_POLICY_OPTIONAL)
            continue;
        if (feature < 0)
            return error_set(error, VIR_FROM_CPU, VIR_ERR_INTERNAL_ERROR, "unknown CPU feature %s", one->name);
        one->policy = x86_bits_has(has, (guint)feature) ? CPU_POLICY_REQUIRE : CPU_POLICY_DISABLE;
    }
    return TRUE;
}

/* The host's model with its features takes the place of the guest's, whose own features then count. */
static void take_host(Cpu *guest, const Cpu *host)
{
    g_autoptr(Cpu) asked = cpu_copy(guest);

    if (!guest->model)
        guest->model = cpu_model_new();
    if (guest->model->fallback == CPU_FALLBACK_UNSET)
        guest->model->fallback = CPU_FALLBACK_ALLOW;
    g_free(guest->model->name);
    guest->model->name = g_strdup(host->model->name);
    if (guest->mode == CPU_MODE_HOST_MODEL) {
        g_free(guest->vendor);
        guest->vendor = g_strdup(host->vendor);
    }
    x86_list_clear(guest);
    for (guint i = 0; i < host->features->len; i++) {
        const CpuFeature *feature = host->features->pdata[i];
        x86_list_add(guest, feature->name, feature->policy);
    }
    for (guint i = 0; i < asked->features->len; i++) {
        const CpuFeature *feature = asked->features->pdata[i];
        x86_list_set(guest, feature->name, feature->policy);
    }
    guest->mode = CPU_MODE_CUSTOM;
    guest->match = CPU_MATCH_EXACT;
}

static gboolean settle(Cpu *guest, const Cpu *host, GError **error)
{
    X86Bits has;

    if (!host)
        return error_set(error, VIR_FROM_CPU, VIR_ERR_CONFIG_UNSUPPORTED, "unknown host CPU model");
    if (!x86_bits_of(host, FALSE, X86_ANY_POLICY, &has, error) || !settle_optional(guest, &has, error))
        return FALSE;
    if (guest->mode == CPU_MODE_HOST_MODEL || guest->match == CPU_MATCH_MINIMUM)
        take_host(guest, host);
    return TRUE;
}

gboolean x86_update(Cpu *guest, const Cpu *host, GError **error)
{
    if (!is_described(guest))
        return TRUE;
    if (x86_update_is_relative(guest) && !settle(guest, host, error))
        return FALSE;
    const X86Model *model = model_of(guest, error);
    if (!model)
        return FALSE;
    x86_list_removed(guest, model);
    return TRUE;
}

gboolean x86_translate(Cpu *cpu, const GArray *offers, GError **error)
{
    X86Data data = {{{0}}, NULL, 0};
    X86Decode how = {.offers = offers};

    if (cpu->mode != CPU_MODE_CUSTOM || (cpu->model && x86_offer(offers, cpu->model->name)))
        return TRUE;
    if (cpu->model && cpu->model->fallback == CPU_FALLBACK_FORBID)
        return error_set(error, VIR_FROM_CPU, VIR_ERR_CONFIG_UNSUPPORTED, "CPU model %s is not supported by hypervisor",
                         cpu->model->name);
    const X86Model *model = model_of(cpu, error);
    if (!model)
        return FALSE;
    if (!x86_bits_of(cpu, FALSE, X86_ANY_POLICY, &data.bits, error))
        return FALSE;
    data.vendor = model->vendor;
    if (model->n_signatures) {
        const X86Signature *first = &model->signatures[0];
        data.signature = x86_signature(first->family, first->model, (guint)__builtin_ctz(first->steppings));
    }
    g_autoptr(Cpu) found = cpu_new();
    if (!x86_decode(&data, &how, found, error))
        return FALSE;
    for (guint i = 0; i < cpu->features->len; i++) {
        const CpuFeature *feature = cpu->features->pdata[i];
        x86_list_set(found, feature->name, feature->policy);
    }
    g_free(cpu->model->name);
    cpu->model->name = g_steal_pointer(&found->model->name);
    GPtrArray *list = cpu->features;
    cpu->features = found->features;
    found->features = list;
    return TRUE;
}

static gboolean differs(const X86Bits *added, const X86Bits *gone, GError **error)
{
    g_autofree char *extra = x86_bits_names(added, ","), *missing = x86_bits_names(gone, ",");

    return error_set(error, VIR_FROM_CPU, VIR_ERR_OPERATION_FAILED, "guest CPU doesn't match specification: %s%s%s%s%s",
                     *extra ? "extra features: " : "", extra, *extra && *missing ? ", " : "",
                     *missing ? "missing features: " : "", missing);
}

static void list_all(Cpu *cpu, const X86Bits *bits, const X86Bits *more)
{
    X86Bits all = x86_bits_or(*bits, *more);

    for (int i = x86_bits_next(&all, -1); i >= 0; i = x86_bits_next(&all, i))
        x86_list_set(cpu, x86_features[i].name, x86_bits_has(more, (guint)i) ? CPU_POLICY_DISABLE : CPU_POLICY_REQUIRE);
}

gboolean x86_update_live(Cpu *cpu, const X86Bits *enabled, const X86Bits *disabled, gboolean *ret_looked, GError **error)
{
    X86Bits expected, off;

    if (cpu->mode != CPU_MODE_CUSTOM && cpu->check != CPU_CHECK_FULL) {
        *ret_looked = FALSE;
        return TRUE;
    }
    if (!x86_bits_of(cpu, FALSE, X86_ANY_POLICY, &expected, error) ||
        !x86_bits_of(cpu, FALSE, CPU_POLICY_DISABLE, &off, error))
        return FALSE;
    X86Bits added = x86_bits_without(*enabled, expected);
    if (!is_described(cpu)) /* it is to have what there is, but for what is said not to be */
        added = x86_bits_and(added, off);
    X86Bits gone = x86_bits_or(*disabled, x86_bits_without(expected, *enabled));

    const X86Model *model = cpu->model ? x86_model(cpu->model->name) : NULL;
    if (cpu->check != CPU_CHECK_FULL)
        list_all(cpu, &added, &gone);
    else if (x86_bits_count(&added) || x86_bits_count(&gone))
        return differs(&added, &gone, error);
    if (model)
        x86_list_removed(cpu, model);
    *ret_looked = TRUE;
    return TRUE;
}

gboolean x86_check_forbidden(const Cpu *cpu, const Cpu *host, GError **error)
{
    for (guint i = 0; i < cpu->features->len; i++) {
        const CpuFeature *feature = cpu->features->pdata[i];
        const CpuFeature *there = feature->policy == CPU_POLICY_FORBID ? x86_list_find(host, feature->name) : NULL;
        if (there && there->policy != CPU_POLICY_DISABLE)
            return error_set(error, VIR_FROM_CPU, VIR_ERR_CPU_INCOMPATIBLE, "Host CPU provides forbidden feature '%s'",
                             feature->name);
    }
    return TRUE;
}
