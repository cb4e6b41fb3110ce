/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/cpu/x86-compare.h"

#include <string.h>

#include "lib/error.h"

/* The answer for what cannot be done: an error where one is asked for. */
static int incompatible(gboolean fail, GError **error, const char *why, const X86Bits *features)
{
    g_autofree char *names = features ? x86_bits_names(features, ", ") : NULL;

    if (!fail)
        return VIR_CPU_COMPARE_INCOMPATIBLE;
    error_set(error, VIR_FROM_CPU, VIR_ERR_CPU_INCOMPATIBLE, "%s%s%s", why, names ? ": " : "", names ? names : "");
    return VIR_CPU_COMPARE_ERROR;
}

static int compare_features(const X86Bits *has, const CpuDocument *document, gboolean fail, GError **error)
{
    const Cpu *cpu = document->cpu;
    X86Bits by[CPU_POLICY_LAST] = {{{0}}};

    for (int policy = CPU_POLICY_FORCE; policy < CPU_POLICY_LAST; policy++)
        if (!x86_bits_of(cpu, document->host, policy, &by[policy], error))
            return VIR_CPU_COMPARE_ERROR;
    X86Bits unwanted = x86_bits_and(by[CPU_POLICY_FORBID], *has);
    if (x86_bits_count(&unwanted))
        return incompatible(fail, error, "Host CPU provides forbidden features", &unwanted);

    X86Bits settled = x86_bits_or(x86_bits_or(by[CPU_POLICY_FORCE], by[CPU_POLICY_OPTIONAL]), by[CPU_POLICY_DISABLE]);
    X86Bits required = x86_bits_without(by[CPU_POLICY_REQUIRE], settled);
    X86Bits missing = x86_bits_without(required, *has);
    if (x86_bits_count(&missing))
        return incompatible(fail, error, "Host CPU does not provide required features", &missing);

    X86Bits beyond = x86_bits_without(*has, x86_bits_or(required, settled));
    if (!x86_bits_count(&beyond))
        return VIR_CPU_COMPARE_IDENTICAL;
    if (!document->host && cpu->match == CPU_MATCH_STRICT)
        return incompatible(fail, error, "Host CPU does not strictly match guest CPU: Extra features", &beyond);
    return VIR_CPU_COMPARE_SUPERSET;
}

int x86_compare(const Cpu *host, gboolean host_is_host, const CpuDocument *document, gboolean fail, GError **error)
{
    const Cpu *cpu = document->cpu;
    X86Bits has;

    if (!host || !host->model || !host->model->name)
        return incompatible(fail, error, "unknown host CPU", NULL);
    if (document->arch && !x86_is_arch(document->arch)) {
        g_autofree char *why = g_strdup_printf("CPU arch %s does not match host arch", document->arch);
        return incompatible(fail, error, why, NULL);
    }
    if (cpu->vendor && g_strcmp0(cpu->vendor, host->vendor) != 0) {
        g_autofree char *why = g_strdup_printf("host CPU vendor does not match required CPU vendor %s", cpu->vendor);
        return incompatible(fail, error, why, NULL);
    }
    if (!x86_bits_of(host, host_is_host, X86_ANY_POLICY, &has, error))
        return VIR_CPU_COMPARE_ERROR;
    return compare_features(&has, document, fail, error);
}

/* --- what several have in common --- */

typedef struct {
    const X86Vendor *vendor;
    gboolean show_vendor; /* each document names it */
    GPtrArray *models;    /* names, each once, NULL at the end */
} Common;

static gboolean unknown_vendor(const char *name, GError **error)
{
    return error_set(error, VIR_FROM_CPU, VIR_ERR_OPERATION_FAILED, "Unknown CPU vendor %s", name);
}

static gboolean join_vendor(Common *common, const Cpu *cpu, gboolean first, GError **error)
{
    const X86Model *model = x86_model(cpu->model->name);
    const char *name = cpu->vendor ? cpu->vendor : !first && model->vendor ? model->vendor->name : NULL;

    if (!first && cpu->vendor && model->vendor && strcmp(cpu->vendor, model->vendor->name) != 0)
        return error_set(error, VIR_FROM_CPU, VIR_ERR_OPERATION_FAILED, "CPU vendor %s of model %s differs from vendor %s",
                         model->vendor->name, model->name, cpu->vendor);
    if (!cpu->vendor)
        common->show_vendor = FALSE;
    if (!name)
        return TRUE;
    if (common->vendor)
        return strcmp(common->vendor->name, name) == 0 ||
               error_set(error, VIR_FROM_CPU, VIR_ERR_OPERATION_FAILED, "CPU vendors do not match");
    common->vendor = x86_vendor(name);
    return common->vendor || unknown_vendor(name, error);
}

static void join_model(Common *common, const char *name)
{
    for (guint i = 0; i < common->models->len; i++)
        if (strcmp(common->models->pdata[i], name) == 0)
            return;
    g_ptr_array_add(common->models, (gpointer)name);
}

static gboolean join(Common *common, X86Bits *bits, const CpuDocument *document, gboolean first, GError **error)
{
    X86Bits has;

    join_model(common, document->cpu->model->name);
    if (!x86_bits_of(document->cpu, document->host, X86_ANY_POLICY, &has, error) ||
        !join_vendor(common, document->cpu, first, error))
        return FALSE;
    *bits = first ? has : x86_bits_and(*bits, has);
    return TRUE;
}

static gboolean check_models(const GPtrArray *cpus, GError **error)
{
    for (guint i = 0; i < cpus->len; i++) {
        const Cpu *cpu = ((const CpuDocument *)cpus->pdata[i])->cpu;
        if (!cpu->model || !cpu->model->name)
            return error_set(error, VIR_FROM_CPU, VIR_ERR_INVALID_ARG, "no CPU model specified at index %u", i);
    }
    return TRUE;
}

Cpu *x86_baseline(const GPtrArray *cpus, const GArray *offers, const X86Bits *features, gboolean migratable, GError **error)
{
    g_autoptr(GPtrArray) models = g_ptr_array_new();
    Common common = {NULL, TRUE, models};
    X86Data data = {{{0}}, NULL, 0};

    if (!check_models(cpus, error))
        return NULL;
    for (guint i = 0; i < cpus->len; i++)
        if (!join(&common, &data.bits, cpus->pdata[i], i == 0, error))
            return NULL;
    if (features)
        data.bits = x86_bits_and(data.bits, *features);
    if (!x86_bits_count(&data.bits)) {
        error_set(error, VIR_FROM_CPU, VIR_ERR_OPERATION_FAILED, "CPUs are incompatible");
        return NULL;
    }
    g_ptr_array_add(models, NULL);
    data.vendor = common.vendor;

    X86Decode how = {.offers = offers, .preferred = (const char *const *)models->pdata, .migratable = migratable};
    g_autoptr(Cpu) cpu = cpu_new();
    cpu->mode = CPU_MODE_CUSTOM;
    cpu->match = CPU_MATCH_EXACT;
    if (!x86_decode(&data, &how, cpu, error))
        return NULL;
    gboolean same = models->len == 2 && strcmp(cpu->model->name, models->pdata[0]) == 0;
    cpu->model->fallback = same ? CPU_FALLBACK_FORBID : CPU_FALLBACK_ALLOW;
    if (!common.show_vendor)
        g_clear_pointer(&cpu->vendor, g_free);
    return g_steal_pointer(&cpu);
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const CpuFeature *const *)a)->name, (*(const CpuFeature *const *)b)->name);
}

gboolean x86_expand(Cpu *cpu, GError **error)
{
    const char *name = cpu->model ? cpu->model->name : NULL;
    const X86Model *model = x86_model(name);
    g_autoptr(Cpu) said = cpu_copy(cpu);

    if (!model)
        return error_set(error, VIR_FROM_CPU, VIR_ERR_INTERNAL_ERROR, "unknown CPU model %s", name ? name : "(null)");
    x86_list_clear(cpu);
    for (int i = x86_bits_next(&model->has, -1); i >= 0; i = x86_bits_next(&model->has, i))
        x86_list_add(cpu, x86_features[i].name, CPU_POLICY_REQUIRE);
    for (guint i = 0; i < said->features->len; i++) {
        const CpuFeature *feature = said->features->pdata[i];
        if (feature->policy == CPU_POLICY_REQUIRE || feature->policy == CPU_POLICY_DISABLE)
            x86_list_set(cpu, feature->name, feature->policy);
    }
    x86_list_removed(cpu, model);
    g_ptr_array_sort(cpu->features, by_name);
    return TRUE;
}
