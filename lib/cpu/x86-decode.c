/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each model is a candidate: what it lacks would be required, what it has too much disabled. The newest are looked at first
 * and the first stays unless another is better: one for this very signature beats one for others, then the shorter list
 * wins, where each disabled feature costs more than the one before.
 */
#include "lib/cpu/x86-decode.h"

#include <string.h>

#include "lib/error.h"

#define FIRST_PENALTY 2

typedef struct {
    const X86Model *model;
    X86Bits required, disabled;
    guint n_removed; /* features that the model once had and that nothing else is said of: disabled, too */
} Candidate;

const X86Offer *x86_offer(const GArray *offers, const char *name)
{
    for (guint i = 0; i < offers->len; i++) {
        const X86Offer *offer = &g_array_index(offers, X86Offer, i);
        if (strcmp(offer->name, name) == 0)
            return offer;
    }
    return NULL;
}

static gboolean describes(const X86Model *model, guint32 signature)
{
    X86Signature is = x86_signature_parts(signature);

    for (guint i = 0; i < model->n_signatures; i++) {
        const X86Signature *one = &model->signatures[i];
        if (one->family == is.family && one->model == is.model && one->steppings >> is.steppings & 1)
            return TRUE;
    }
    return FALSE;
}

static Candidate weigh(const X86Data *data, const X86Model *model, const X86Offer *offer, gboolean host)
{
    Candidate candidate = {model, x86_bits_without(data->bits, model->has), x86_bits_without(model->has, data->bits), 0};

    for (guint i = 0; offer && offer->blockers && offer->blockers[i]; i++) {
        int feature = x86_feature(offer->blockers[i]);
        if (feature >= 0 && !x86_bits_has(&candidate.required, (guint)feature))
            x86_bits_add(&candidate.disabled, (guint)feature);
    }
    for (guint i = 0; !host && i < model->n_removed; i++) {
        X86Bits said = x86_bits_or(candidate.required, candidate.disabled);
        candidate.n_removed += !x86_bits_has(&said, model->removed[i]);
    }
    return candidate;
}

/* The length of a candidate's list with its penalties, and those alone. libvirt counts one disabled feature less in the
 * list for each that it has seen, and stops at the end of what is left: so it sees but half of them. */
static guint cost(const Candidate *candidate, guint *ret_disabled)
{
    guint off = x86_bits_count(&candidate->disabled) + candidate->n_removed, seen = (off + 1) / 2, penalty = 0;

    for (guint i = 0; i < seen; i++)
        penalty += FIRST_PENALTY + i;
    *ret_disabled = penalty;
    return x86_bits_count(&candidate->required) + off - seen + penalty;
}

static gboolean is_shorter(const Candidate *best, const Candidate *other, gboolean host, gboolean preferred)
{
    guint best_off, off, best_cost = cost(best, &best_off), other_cost = cost(other, &off);

    if (host)
        return x86_bits_count(&other->required) < x86_bits_count(&best->required);
    return other_cost < best_cost || (other_cost == best_cost && off < best_off) || (preferred && off < best_off);
}

static gboolean is_better(const Candidate *best, const Candidate *other, guint32 signature, const X86Decode *how)
{
    gboolean preferred = how->preferred && g_strv_contains(how->preferred, other->model->name);

    if (!best->model)
        return TRUE;
    if (signature && describes(best->model, signature) != describes(other->model, signature))
        return describes(other->model, signature);
    return is_shorter(best, other, how->host, preferred);
}

/* Some processors of Intel's have transactions that do not work. */
static void drop_broken(X86Data *data)
{
    X86Signature is = x86_signature_parts(data->signature);

    if (!data->vendor || strcmp(data->vendor->name, "Intel") != 0 || is.family != 6 ||
        !((is.model == 63 && is.steppings < 4) || is.model == 60 || is.model == 69 || is.model == 70))
        return;
    x86_bits_drop(&data->bits, (guint)x86_feature("hle"));
    x86_bits_drop(&data->bits, (guint)x86_feature("rtm"));
}

static gboolean is_usable(const Candidate *candidate, const X86Decode *how)
{
    if (!how->host)
        return candidate->model->for_guest;
    return candidate->model->for_host && x86_bits_count(&candidate->disabled) == 0;
}

static gboolean is_the_one(const X86Decode *how, const char *name)
{
    return how->preferred && how->preferred[0] && !how->preferred[1] && strcmp(how->preferred[0], name) == 0;
}

static gboolean choose(const X86Data *data, const X86Decode *how, Candidate *ret_best, GError **error)
{
    Candidate best = {NULL};

    for (guint i = X86_N_MODELS; i-- > 0;) {
        const X86Model *model = &x86_models[i];
        const X86Offer *offer = how->offers ? x86_offer(how->offers, model->name) : NULL;

        if (how->offers && !offer) {
            if (is_the_one(how, model->name) && how->forbid)
                return error_set(error, VIR_FROM_CPU, VIR_ERR_CONFIG_UNSUPPORTED, "CPU model %s is not supported by hypervisor",
                                 model->name);
            continue;
        }
        if (data->vendor && model->vendor && data->vendor != model->vendor)
            continue;
        Candidate candidate = weigh(data, model, offer, how->host);
        if (!is_usable(&candidate, how))
            continue;
        if (is_the_one(how, model->name)) {
            best = candidate;
            break;
        }
        if (is_better(&best, &candidate, data->signature, how))
            best = candidate;
    }
    if (!best.model)
        return error_set(error, VIR_FROM_CPU, VIR_ERR_INTERNAL_ERROR, "Cannot find suitable CPU model for given data");
    *ret_best = best;
    return TRUE;
}

static void list(Cpu *cpu, const X86Bits *bits, CpuPolicy policy)
{
    for (int i = x86_bits_next(bits, -1); i >= 0; i = x86_bits_next(bits, i))
        x86_list_add(cpu, x86_features[i].name, policy);
}

static gboolean migrates(const CpuFeature *feature, gpointer data)
{
    return x86_features[x86_feature(feature->name)].migratable;
}

gboolean x86_decode(const X86Data *data, const X86Decode *how, Cpu *cpu, GError **error)
{
    X86Data of = *data;
    Candidate best;

    drop_broken(&of);
    if (!choose(&of, how, &best, error))
        return FALSE;
    if (!cpu->model)
        cpu->model = cpu_model_new();
    g_free(cpu->model->name);
    cpu->model->name = g_strdup(best.model->name);
    g_free(cpu->vendor);
    cpu->vendor = of.vendor ? g_strdup(of.vendor->name) : NULL;
    x86_list_clear(cpu);
    list(cpu, &best.required, how->host ? CPU_POLICY_UNSET : CPU_POLICY_REQUIRE);
    list(cpu, &best.disabled, CPU_POLICY_DISABLE);
    if (!how->host)
        x86_list_removed(cpu, best.model);
    if (how->migratable)
        x86_list_filter(cpu, migrates, NULL);
    return TRUE;
}
