/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a save or dump is, as QEMU tells it, and its end before its time. Neither waits for who is at it. */
#include "driver-kvm/progress.h"

#include "driver-kvm/qmp-commands.h"
#include "lib/json-peek.h"

typedef struct {
    const char *member, *field;
} Figure;

static void add(JsonObject *from, const Figure *figure, Params *params)
{
    gint64 value;

    if (json_peek_int(from, figure->member, &value) && value >= 0)
        params_ullong(params, value, "%s", figure->field);
}

static void add_all(JsonObject *from, const Figure *figures, gsize n, Params *params)
{
    for (gsize i = 0; i < n; i++)
        add(from, &figures[i], params);
}

/* QEMU's figure is in megabits a second. */
static void add_speed(JsonObject *ram, Params *params)
{
    JsonNode *node = ram ? json_object_get_member(ram, "mbps") : NULL;
    double speed = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : 0;

    if (speed > 0 && speed < 1e9)
        params_ullong(params, (guint64)(speed * 1000 * 1000 / 8), VIR_DOMAIN_JOB_MEMORY_BPS);
}

static void add_ram(JsonObject *ram, Params *params)
{
    static const Figure sizes[] = {
        {"total", VIR_DOMAIN_JOB_DATA_TOTAL},      {"transferred", VIR_DOMAIN_JOB_DATA_PROCESSED},
        {"remaining", VIR_DOMAIN_JOB_DATA_REMAINING}, {"total", VIR_DOMAIN_JOB_MEMORY_TOTAL},
        {"transferred", VIR_DOMAIN_JOB_MEMORY_PROCESSED}, {"remaining", VIR_DOMAIN_JOB_MEMORY_REMAINING},
    };
    static const Figure pages[] = {
        {"duplicate", VIR_DOMAIN_JOB_MEMORY_CONSTANT},
        {"normal", VIR_DOMAIN_JOB_MEMORY_NORMAL},
        {"normal-bytes", VIR_DOMAIN_JOB_MEMORY_NORMAL_BYTES},
        {"dirty-pages-rate", VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE},
        {"dirty-sync-count", VIR_DOMAIN_JOB_MEMORY_ITERATION},
        {"postcopy-requests", VIR_DOMAIN_JOB_MEMORY_POSTCOPY_REQS},
        {"page-size", VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE},
    };

    add_all(ram, sizes, G_N_ELEMENTS(sizes), params);
    add_speed(ram, params);
    add_all(ram, pages, G_N_ELEMENTS(pages), params);
}

/* How long the guest stands still: what QEMU expects, or how long it was since we made it stand. */
static void add_downtime(JsonObject *answer, gboolean done, gint64 stopped, Params *params)
{
    static const Figure expected = {"expected-downtime", VIR_DOMAIN_JOB_DOWNTIME};
    static const Figure measured = {"downtime", VIR_DOMAIN_JOB_DOWNTIME};

    if (done && stopped > 0)
        params_ullong(params, (g_get_monotonic_time() - stopped) / 1000, VIR_DOMAIN_JOB_DOWNTIME);
    else
        add(answer, done ? &measured : &expected, params);
}

static gboolean migration(Qmp *qmp, JobState state, gint64 stopped, guint64 budget, Params *params, GError **error)
{
    static const Figure setup = {"setup-time", VIR_DOMAIN_JOB_SETUP_TIME};
    g_autoptr(JsonNode) node = qmp_call(qmp, "query-migrate", NULL, budget, error);
    JsonObject *answer = json_peek_as_object(node);
    const char *status = json_peek_string(answer, "status");
    gboolean done = g_strcmp0(status, "completed") == 0;

    if (!node)
        return FALSE;
    /* what QEMU says at first may still be of the last one */
    if (!status || (done && state != JOB_DONE) || g_str_equal(status, "failed") || g_str_equal(status, "cancelled"))
        return TRUE;
    add_downtime(answer, done, stopped, params);
    add(answer, &setup, params);
    add_ram(json_peek_object(answer, "ram"), params);
    return TRUE;
}

static gboolean dump(Qmp *qmp, guint64 budget, Params *params, GError **error)
{
    g_autoptr(JsonNode) node = qmp_call(qmp, "query-dump", NULL, budget, error);
    JsonObject *answer = json_peek_as_object(node);
    gint64 total, completed;

    if (!node)
        return FALSE;
    if (!json_peek_int(answer, "total", &total) || !json_peek_int(answer, "completed", &completed) || completed > total)
        return TRUE;
    params_ullong(params, total, VIR_DOMAIN_JOB_MEMORY_TOTAL);
    params_ullong(params, completed, VIR_DOMAIN_JOB_MEMORY_PROCESSED);
    params_ullong(params, total - completed, VIR_DOMAIN_JOB_MEMORY_REMAINING);
    return TRUE;
}

gboolean progress_of(gpointer self, Vm *vm, guint64 budget, Params *params, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    if (!qmp)
        return FALSE;
    g_mutex_lock(&guest->lock);
    JobState migrating = guest->migration, dumping = guest->dump;
    gint64 stopped = guest->job_stopped;
    g_mutex_unlock(&guest->lock);
    if (migrating != JOB_NONE)
        return migration(qmp, migrating, stopped, budget, params, error);
    return dumping == JOB_NONE || dump(qmp, budget, params, error);
}

gboolean progress_abort(gpointer self, Vm *vm, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    return qmp && qmp_do(qmp, "migrate_cancel", NULL, QMP_DEADLINE, error);
}
