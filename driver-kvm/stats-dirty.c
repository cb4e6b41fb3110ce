/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the accelerator counts, and how fast the guest writes its memory. */
#include "driver-kvm/stats-counters.h"
#include "driver-kvm/stats-private.h"
#include "lib/error.h"
#include "lib/json-peek.h"

/* What an older QEMU does not know is not told. */
static gboolean pass_unless_unknown(GError **fault, GError **error)
{
    if (g_str_has_suffix((*fault)->message, " has not been found"))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(fault));
    return FALSE;
}

static gboolean add_counters(const Sample *sample, CountersTarget target, Params *params, GError **error)
{
    g_autoptr(Qmp) qmp = NULL;
    g_autoptr(GError) fault = NULL;

    if (sample->live->type != DOMAIN_TYPE_KVM)
        return TRUE;
    qmp = guest_qmp(sample->guest, error);
    if (!qmp)
        return FALSE;
    gint64 left = sample->deadline - g_get_monotonic_time();
    return stats_counters(qmp, target, (guint64)MAX(left, 1), params, &fault) || pass_unless_unknown(&fault, error);
}

gboolean stats_accelerator(const Sample *sample, Params *params, GError **error)
{
    return add_counters(sample, COUNTERS_VM, params, error);
}

static void add_vcpu_rates(JsonArray *rates, Params *params)
{
    for (guint i = 0; i < json_peek_length(rates); i++) {
        JsonObject *one = json_peek_object_at(rates, i);
        gint64 id, rate;

        if (json_peek_int(one, "id", &id) && json_peek_int(one, "dirty-rate", &rate))
            params_ullong(params, (guint64)rate, "dirtyrate.vcpu.%u.megabytes_per_second", (guint)id);
    }
}

gboolean stats_dirty_rate(const Sample *sample, Params *params, GError **error)
{
    static const char *const states[] = {
        [VIR_DOMAIN_DIRTYRATE_UNSTARTED] = "unstarted",
        [VIR_DOMAIN_DIRTYRATE_MEASURING] = "measuring",
        [VIR_DOMAIN_DIRTYRATE_MEASURED] = "measured",
    };
    g_autoptr(GError) fault = NULL;
    g_autoptr(JsonNode) answer = stats_ask(sample, "query-dirty-rate", NULL, &fault);
    gint64 started = 0, period = 0, rate;

    if (!answer)
        return pass_unless_unknown(&fault, error);
    JsonObject *figures = json_peek_as_object(answer);
    for (int i = 0; i < (int)G_N_ELEMENTS(states); i++)
        if (g_strcmp0(states[i], json_peek_string(figures, "status")) == 0)
            params_int(params, i, "dirtyrate.calc_status");
    json_peek_int(figures, "start-time", &started);
    json_peek_int(figures, "calc-time", &period);
    params_llong(params, started, "dirtyrate.calc_start_time");
    params_int(params, (int)period, "dirtyrate.calc_period");
    if (json_peek_string(figures, "mode"))
        params_string(params, json_peek_string(figures, "mode"), "dirtyrate.calc_mode");
    if (json_peek_int(figures, "dirty-rate", &rate))
        params_llong(params, rate, "dirtyrate.megabytes_per_second");
    add_vcpu_rates(json_peek_array(figures, "vcpu-dirty-rate"), params);
    return TRUE;
}

/* QEMU 7.2 ends when it is asked for the bitmap without KVM. */
gboolean stats_check_dirty_mode(const Domain *live, guint flags, GError **error)
{
    const Features *features = live->features;
    const KvmDirtyRing *ring = features && features->kvm ? features->kvm->dirty_ring : NULL;

    if (flags & VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING)
        return (ring && ring->state == TOGGLE_ON) ||
               error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED,
                         "dirty-ring calculation mode requires dirty-ring feature enabled.");
    return !(flags & VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP) || live->type == DOMAIN_TYPE_KVM ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "dirty-bitmap calculation mode requires KVM");
}
