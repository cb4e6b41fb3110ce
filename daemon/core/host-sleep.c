/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/host-sleep.h"

#include <errno.h>
#include <libvirt/libvirt.h>

#include "lib/error.h"
#include "lib/log.h"
#include "lib/patient.h"

#define LOGIND "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
#define CLOCK "/sys/class/rtc/rtc0/wakealarm"
#define ANSWER_USEC (2 * G_USEC_PER_SEC)
#define FRESH_USEC (10 * G_USEC_PER_SEC) /* what logind said is asked again when it is older */
#define DELAY_USEC (10 * G_USEC_PER_SEC) /* for the client to have its answer, and to go */
#define SECONDS_MIN 60u /* libvirt's: the host sleeps before it is woken */

static const struct {
    const char *can, *call, *name;
} targets[] = {
    [VIR_NODE_SUSPEND_TARGET_MEM] = {"CanSuspend", "Suspend", "Suspend-to-RAM"},
    [VIR_NODE_SUSPEND_TARGET_DISK] = {"CanHibernate", "Hibernate", "Suspend-to-Disk"},
    [VIR_NODE_SUSPEND_TARGET_HYBRID] = {"CanHybridSleep", "HybridSleep", "Hybrid-Suspend"},
};

static struct {
    Loop *loop;
    Bus *bus;
    const char *root;
    sd_event_source *delay; /* on the loop */
    GMutex lock;            /* all below */
    GCond changed;
    gint64 opened, asked;
    guint open, can;  /* bits of targets: not answered yet, and said to be possible */
    gboolean pending; /* it is about to sleep */
} host;

/* --- what it can do; on the loop --- */

static void answered(guint target, gboolean can)
{
    g_mutex_lock(&host.lock);
    host.open &= ~(1u << target);
    host.can = can ? host.can | 1u << target : host.can & ~(1u << target);
    g_cond_broadcast(&host.changed);
    g_mutex_unlock(&host.lock);
}

static int on_can(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
    const char *said = "";

    if (sd_bus_message_is_method_error(message, NULL) || sd_bus_message_read(message, "s", &said) < 0)
        said = "na";
    answered(GPOINTER_TO_UINT(userdata), g_str_equal(said, "yes") || g_str_equal(said, "challenge"));
    return 0;
}

/* A call without arguments, or with one boolean; the slot is the bus's. */
static gboolean call(sd_bus *bus, const char *method, gboolean with_flag, guint64 patience, sd_bus_message_handler_t fn, guint target)
{
    sd_bus_message *message = NULL;
    gboolean ok = bus && sd_bus_message_new_method_call(bus, &message, LOGIND, method) >= 0 &&
                  (!with_flag || sd_bus_message_append(message, "b", FALSE) >= 0) &&
                  sd_bus_call_async(bus, NULL, message, fn, GUINT_TO_POINTER(target), patience) >= 0;

    sd_bus_message_unref(message);
    return ok;
}

static void ask(gpointer unused)
{
    sd_bus *bus = host.bus ? bus_connect(host.bus, NULL) : NULL;

    for (guint i = 0; i < G_N_ELEMENTS(targets); i++) {
        if (!call(bus, targets[i].can, FALSE, ANSWER_USEC, on_can, i))
            answered(i, FALSE);
    }
}

void host_sleep_open(Loop *loop, Bus *bus, const char *root)
{
    host.loop = loop;
    host.bus = bus;
    host.root = root;
    host.opened = host.asked = g_get_monotonic_time();
    host.open = (1u << G_N_ELEMENTS(targets)) - 1;
    loop_post(loop, ask, NULL);
}

void host_sleep_close(void)
{
    g_clear_pointer(&host.delay, sd_event_source_unref);
    host.bus = NULL;
}

guint host_sleep_targets(void)
{
    gint64 now = g_get_monotonic_time();

    g_mutex_lock(&host.lock);
    while (host.open && g_cond_wait_until(&host.changed, &host.lock, host.opened + ANSWER_USEC))
        continue;
    gboolean again = now - host.asked > FRESH_USEC;
    if (again)
        host.asked = now;
    guint can = host.can;
    g_mutex_unlock(&host.lock);
    if (again)
        loop_post(host.loop, ask, NULL);
    return can;
}

/* --- sleep --- */

static void set_pending(gboolean pending)
{
    g_mutex_lock(&host.lock);
    host.pending = pending;
    g_mutex_unlock(&host.lock);
}

static int on_slept(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
    if (sd_bus_message_is_method_error(message, NULL))
        log_line(LOG_ERR, "the host does not sleep: %s", sd_bus_message_get_error(message)->message);
    set_pending(FALSE);
    return 0;
}

static void sleep_now(gpointer target)
{
    g_autoptr(GError) error = NULL;
    sd_bus *bus = bus_connect(host.bus, &error);

    g_clear_pointer(&host.delay, sd_event_source_unref);
    if (call(bus, targets[GPOINTER_TO_UINT(target)].call, TRUE, 0, on_slept, 0))
        return;
    log_line(LOG_ERR, "the host does not sleep: %s", error ? error->message : "the bus cannot be used");
    set_pending(FALSE);
}

static void sleep_soon(gpointer target)
{
    if (host.bus)
        host.delay = loop_after(host.loop, DELAY_USEC, sleep_now, target);
}

/* An alarm that was set before must be taken back first. */
static gboolean set_alarm(guint64 seconds, GError **error)
{
    g_autofree char *path = g_strconcat(host.root, CLOCK, NULL);
    g_autofree char *text = g_strdup_printf("+%" G_GUINT64_FORMAT, seconds);
    gint64 deadline = g_get_monotonic_time() + PATIENT_USEC;

    return (patient_write_text(path, "0", deadline) && patient_write_text(path, text, deadline)) ||
           error_set_errno(error, VIR_FROM_NONE, errno, "the clock's alarm cannot be set by %s", path);
}

static gboolean claim(GError **error)
{
    g_mutex_lock(&host.lock);
    gboolean taken = host.pending;
    host.pending = TRUE;
    g_mutex_unlock(&host.lock);
    return !taken || error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_INVALID, "Suspend operation already in progress");
}

static gboolean prepare(guint target, guint64 seconds, GError **error)
{
    if (target >= G_N_ELEMENTS(targets))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Invalid suspend target");
    if (!(host_sleep_targets() & 1u << target))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_ARGUMENT_UNSUPPORTED, "%s", targets[target].name);
    if (seconds < SECONDS_MIN)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Suspend duration is too short, must be at least %u seconds", SECONDS_MIN);
    return set_alarm(seconds, error);
}

gboolean host_sleep(guint target, guint64 seconds, GError **error)
{
    if (!claim(error))
        return FALSE;
    if (!prepare(target, seconds, error)) {
        set_pending(FALSE);
        return FALSE;
    }
    log_line(LOG_NOTICE, "the host is about to sleep (%s) for %" G_GUINT64_FORMAT " seconds", targets[target].name, seconds);
    loop_post(host.loop, sleep_soon, GUINT_TO_POINTER(target));
    return TRUE;
}
