/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What QEMU tells, in the order in which it tells it: the published state changes here and nowhere else while a guest
 * runs. Who wants a change (suspend, say) notes beforehand what the next STOP will mean, and sends the command.
 *
 * QEMU runs with -no-shutdown: a guest that powers off leaves it stopped, and we decide whether it ends or, after a
 * reboot by way of the power button, goes on.
 */
#include "driver-kvm/qmp-event.h"

#include <string.h>

#include "driver-kvm/power.h"
#include "lib/json-peek.h"

static const DriverHost *host_of(Guest *guest)
{
    return guest->kvm->host;
}

int qmp_event_state(Guest *guest)
{
    g_autoptr(VmView) view = host_of(guest)->view(guest->vm);

    return view->state;
}

static void emit_lifecycle(Guest *guest, int event, int detail)
{
    VmEvent what = {.id = VIR_DOMAIN_EVENT_ID_LIFECYCLE, .lifecycle = {event, detail}};

    host_of(guest)->emit(guest->vm, &what);
}

static void emit_simple(Guest *guest, int id)
{
    VmEvent what = {.id = id};

    host_of(guest)->emit(guest->vm, &what);
}

/* Takes the noted meaning of the next event; the one after means RESET again. */
static int take_reason(Guest *guest, int *reason, int reset)
{
    g_mutex_lock(&guest->lock);
    int taken = *reason;
    *reason = reset;
    g_mutex_unlock(&guest->lock);
    return taken;
}

/* --- running and not --- */

static int suspended_detail(int reason)
{
    static const int details[] = {
        [VIR_DOMAIN_PAUSED_MIGRATION] = VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED,
        [VIR_DOMAIN_PAUSED_FROM_SNAPSHOT] = VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT,
        [VIR_DOMAIN_PAUSED_IOERROR] = VIR_DOMAIN_EVENT_SUSPENDED_IOERROR,
        [VIR_DOMAIN_PAUSED_WATCHDOG] = VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG,
    };

    return reason >= 0 && reason < (int)G_N_ELEMENTS(details) ? details[reason] : VIR_DOMAIN_EVENT_SUSPENDED_PAUSED;
}

void qmp_event_pause(Guest *guest, int reason)
{
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_PAUSED, reason);
    emit_lifecycle(guest, VIR_DOMAIN_EVENT_SUSPENDED, suspended_detail(reason));
}

static gboolean is_to_reboot(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    gboolean reboot = guest->fake_reboot;
    g_mutex_unlock(&guest->lock);
    return reboot;
}

static gboolean boots_again(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    gboolean again = guest->boots_again;
    g_mutex_unlock(&guest->lock);
    return again;
}

/* The stop that comes with a shutdown, an I/O error or a watchdog says nothing new. */
static void on_stop(Guest *guest, JsonObject *data)
{
    int reason = take_reason(guest, &guest->pause_reason, VIR_DOMAIN_PAUSED_UNKNOWN);

    g_mutex_lock(&guest->lock);
    if (guest->migration == JOB_UNDER_WAY && guest->job_stopped == 0)
        guest->job_stopped = g_get_monotonic_time();
    g_mutex_unlock(&guest->lock);
    if (qmp_event_state(guest) == VIR_DOMAIN_RUNNING && !boots_again(guest))
        qmp_event_pause(guest, reason);
}

static void on_resume(Guest *guest, JsonObject *data)
{
    int reason = take_reason(guest, &guest->run_reason, VIR_DOMAIN_RUNNING_UNPAUSED);

    if (qmp_event_state(guest) == VIR_DOMAIN_RUNNING)
        return;
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_RUNNING, reason);
    /* of a restored guest clients hear first that it has started: the daemon tells both */
    if (reason != VIR_DOMAIN_RUNNING_RESTORED)
        emit_lifecycle(guest, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
}

static void on_reset(Guest *guest, JsonObject *data)
{
    agent_tell(guest->agent, AGENT_POWERED);
    emit_simple(guest, VIR_DOMAIN_EVENT_ID_REBOOT);
}

/* --- the end, or not --- */

/* A guest that shall boot again after it powered off does so without a word to anybody. */
static gboolean is_to_restart(Guest *guest)
{
    g_autoptr(Domain) live = guest_live(guest);

    return live && (live->on_poweroff == LIFECYCLE_RESTART || live->on_poweroff == LIFECYCLE_RENAME_RESTART);
}

static void shut_down(Guest *guest, gboolean by_guest)
{
    /* SIGTERM and "quit" end QEMU itself: a reboot that the guest has not done yet does not matter any more. */
    if (by_guest && (is_to_reboot(guest) || is_to_restart(guest))) {
        power_reboot(guest);
        return;
    }
    g_mutex_lock(&guest->lock);
    gboolean again = guest->shut_down;
    guest->shut_down = TRUE;
    g_mutex_unlock(&guest->lock);
    if (again)
        return;
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_UNKNOWN);
    emit_lifecycle(guest, VIR_DOMAIN_EVENT_SHUTDOWN,
                   by_guest ? VIR_DOMAIN_EVENT_SHUTDOWN_GUEST : VIR_DOMAIN_EVENT_SHUTDOWN_HOST);
    power_end(guest);
}

static void on_shutdown(Guest *guest, JsonObject *data)
{
    agent_tell(guest->agent, AGENT_POWERED);
    shut_down(guest, json_peek_true(data, "guest"));
}

/* QEMU tells that it has stopped the guest only after this. */
static void on_panicked(Guest *guest, JsonObject *data)
{
    if (qmp_event_state(guest) == VIR_DOMAIN_RUNNING && g_strcmp0(json_peek_string(data, "action"), "pause") == 0)
        qmp_event_pause(guest, VIR_DOMAIN_PAUSED_UNKNOWN);
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
    emit_lifecycle(guest, VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED);
    power_crashed(guest);
}

/* --- sleep --- */

static void sleep_of(Guest *guest, int id, int detail)
{
    agent_tell(guest->agent, AGENT_ASLEEP);
    emit_simple(guest, id);
    if (qmp_event_state(guest) != VIR_DOMAIN_RUNNING)
        return;
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN);
    emit_lifecycle(guest, VIR_DOMAIN_EVENT_PMSUSPENDED, detail);
}

static void on_suspend(Guest *guest, JsonObject *data)
{
    sleep_of(guest, VIR_DOMAIN_EVENT_ID_PMSUSPEND, VIR_DOMAIN_EVENT_PMSUSPENDED_MEMORY);
}

static void on_suspend_disk(Guest *guest, JsonObject *data)
{
    sleep_of(guest, VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK, VIR_DOMAIN_EVENT_PMSUSPENDED_DISK);
}

static void on_wakeup(Guest *guest, JsonObject *data)
{
    emit_simple(guest, VIR_DOMAIN_EVENT_ID_PMWAKEUP);
    if (qmp_event_state(guest) != VIR_DOMAIN_PMSUSPENDED)
        return;
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_WAKEUP);
    emit_lifecycle(guest, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_WAKEUP);
}

/* --- jobs --- */

const char *qmp_event_text(JsonObject *object, const char *name)
{
    const char *text = json_peek_string(object, name);

    return text ? text : "";
}

static void on_migration(Guest *guest, JsonObject *data)
{
    const char *status = qmp_event_text(data, "status");

    if (g_str_equal(status, "completed"))
        guest_set_job(guest, &guest->migration, JOB_DONE, NULL);
    else if (g_str_equal(status, "failed") || g_str_equal(status, "cancelled"))
        guest_set_job(guest, &guest->migration, JOB_FAILED, NULL);
}

static void on_pass(Guest *guest, JsonObject *data)
{
    gint64 pass = 0;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION};

    if (!json_peek_int(data, "pass", &pass) || pass < 0 || pass > G_MAXINT)
        return;
    event.migration_iteration.iteration = (int)pass;
    host_of(guest)->emit(guest->vm, &event);
}

static void on_dump(Guest *guest, JsonObject *data)
{
    gboolean good = g_str_equal(qmp_event_text(json_peek_object(data, "result"), "status"), "completed");

    guest_set_job(guest, &guest->dump, good ? JOB_DONE : JOB_FAILED, json_peek_string(data, "error"));
    power_dumped(guest);
}

static const QmpEventRow handlers[] = {
    {"STOP", on_stop},
    {"RESUME", on_resume},
    {"RESET", on_reset},
    {"SHUTDOWN", on_shutdown},
    {"GUEST_PANICKED", on_panicked},
    {"SUSPEND", on_suspend},
    {"SUSPEND_DISK", on_suspend_disk},
    {"WAKEUP", on_wakeup},
    {"MIGRATION", on_migration},
    {"MIGRATION_PASS", on_pass},
    {"DUMP_COMPLETED", on_dump},
    {NULL, NULL},
};

static gboolean handle(const QmpEventRow *rows, const char *name, JsonObject *data, Guest *guest)
{
    for (; rows->name; rows++)
        if (g_str_equal(rows->name, name)) {
            rows->fn(guest, data);
            return TRUE;
        }
    return FALSE;
}

/* For who asked for QEMU's own events. */
static void pass_on(Guest *guest, const char *name, JsonObject *data, gint64 when)
{
    g_autoptr(JsonNode) node = data ? json_node_init_object(json_node_alloc(), data) : NULL;
    g_autofree char *details = node ? json_to_string(node, FALSE) : NULL;
    VmEvent event = {.id = EVENT_MONITOR, .monitor = {name, details, when}};

    host_of(guest)->emit(guest->vm, &event);
}

void guest_on_event(const char *name, JsonObject *data, gint64 when, gpointer guest)
{
    pass_on(guest, name, data, when);
    if (!handle(handlers, name, data, guest))
        handle(qmp_event_devices, name, data, guest);
}

/* --- after an absence --- */

/* What QEMU's word for its state means to a client that saw the guest run. */
static void on_state(JsonNode *answer, const GError *error, gpointer data)
{
    static const struct {
        const char *status;
        int state, reason;
    } meanings[] = {
        {"paused", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN},
        {"prelaunch", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN},
        {"finish-migrate", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN},
        {"postmigrate", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN},
        {"io-error", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR},
        {"watchdog", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG},
        {"internal-error", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN},
        {"suspended", VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN},
        {"guest-panicked", VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED},
    };
    g_autoptr(Guest) guest = data;
    const char *status = json_peek_string(json_peek_as_object(answer), "status");
    int now = qmp_event_state(guest);

    if (!status)
        return;
    if (g_str_equal(status, "running") && now != VIR_DOMAIN_RUNNING)
        host_of(guest)->set_state(guest->vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
    if (g_str_equal(status, "shutdown"))
        shut_down(guest, TRUE); /* nobody was there to end it, or to boot it again */
    for (gsize i = 0; i < G_N_ELEMENTS(meanings); i++) {
        if (!g_str_equal(meanings[i].status, status) || meanings[i].state == now)
            continue;
        int reason = meanings[i].state == VIR_DOMAIN_PAUSED && meanings[i].reason == VIR_DOMAIN_PAUSED_UNKNOWN
                         ? take_reason(guest, &guest->pause_reason, VIR_DOMAIN_PAUSED_UNKNOWN)
                         : meanings[i].reason;
        host_of(guest)->set_state(guest->vm, meanings[i].state, reason);
    }
}

void guest_ask_state(Guest *guest)
{
    g_autoptr(Qmp) qmp = guest_qmp(guest, NULL);

    if (qmp)
        qmp_send(qmp, "query-status", NULL, -1, QMP_DEADLINE, on_state, guest_ref(guest));
}
