/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * logind tells of a shutdown before anything is stopped, and waits for its inhibitors, five seconds unless it was set up
 * otherwise. What takes longer goes on when systemd stops the services: ours asks for more time then and ends last of those
 * that its guests need. The same way serves a host that goes down without logind, and the end of a user's session, of which
 * logind tells nobody.
 *
 * Who is stopped alone (an upgrade, a restart) finds his manager at work and leaves guests as they are.
 */
#include "daemon/host-end.h"

#include <systemd/sd-daemon.h>

#include "daemon/core/event.h"
#include "lib/log.h"

#define MANAGER_PATIENCE (3 * G_USEC_PER_SEC)
#define MARGIN 60 /* seconds that systemd is to wait longer than guests get */

struct HostEnd {
    Loop *loop;
    Bus *bus;
    Core *core;
    gboolean session;
    Inhibitor *inhibitor; /* on the loop; as what follows */
    gboolean goes;
    GArray *subscriptions; /* of int */
    GMutex lock;
    HostRules rules;
};

static HostRules rules_of(HostEnd *end)
{
    g_mutex_lock(&end->lock);
    HostRules rules = end->rules;
    g_mutex_unlock(&end->lock);
    return rules;
}

static void stop_guests(HostEnd *end)
{
    HostRules rules = rules_of(end);

    core_stop_guests(end->core, &rules, (guint64)rules.stop_timeout * G_USEC_PER_SEC);
}

/* --- on the loop --- */

static void look(gpointer data)
{
    HostEnd *end = data;

    if (end->inhibitor && !end->goes)
        inhibitor_want(end->inhibitor, !core_is_idle(end->core) || core_has_stopped_guests(end->core));
}

static void on_event(const EventSource *source, const VmEvent *event, gpointer data)
{
    if (event->lifecycle.event == VIR_DOMAIN_EVENT_STARTED || event->lifecycle.event == VIR_DOMAIN_EVENT_STOPPED)
        look(data);
}

static void release(gpointer data)
{
    HostEnd *end = data;

    if (end->inhibitor)
        inhibitor_release(end->inhibitor);
}

/* --- on a pool thread --- */

static void stop_them(gpointer data)
{
    HostEnd *end = data;

    stop_guests(end);
    loop_post(end->loop, release, end);
}

static void resume_them(gpointer data)
{
    HostEnd *end = data;

    core_resume_guests(end->core);
}

static void push(QueueFunc fn, HostEnd *end)
{
    g_autoptr(GError) error = NULL;

    if (!pool_push(POOL_CONTROL, fn, end, &error))
        log_line(LOG_ERR, "the host's guests are left as they are: %s", error->message);
}

/* --- what logind tells --- */

static void on_goes(gboolean goes, gpointer data)
{
    HostEnd *end = data;

    end->goes = goes;
    if (!goes)
        log_line(LOG_INFO, "the host's shutdown was called off");
    push(goes ? stop_them : resume_them, end);
    look(end);
}

static void on_known(gboolean goes, gpointer data)
{
    HostEnd *end = data;

    end->goes = goes;
    if (goes)
        push(stop_them, end);
    else if (core_has_stopped_guests(end->core))
        push(resume_them, end);
}

/* --- what systemd says --- */

static gboolean ask_manager(sd_bus *bus, const char *address)
{
    g_autofree char *state = NULL;

    if (sd_bus_set_address(bus, address) < 0 || sd_bus_set_method_call_timeout(bus, MANAGER_PATIENCE) < 0 ||
        sd_bus_start(bus) < 0 ||
        sd_bus_get_property_string(bus, NULL, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "SystemState",
                                   NULL, &state) < 0)
        return FALSE;
    return g_strcmp0(state, "stopping") == 0;
}

/* Asked by the manager's own socket: the bus may be gone already. */
static gboolean manager_is_stopping(const HostEnd *end)
{
    g_autofree char *path = end->session ? g_build_filename(g_get_user_runtime_dir(), "systemd/private", NULL)
                                         : g_strdup("/run/systemd/private");
    g_autofree char *address = g_strconcat("unix:path=", path, NULL);
    sd_bus *bus = NULL;

    if (!g_getenv("NOTIFY_SOCKET") || sd_bus_new(&bus) < 0)
        return FALSE;
    gboolean stopping = ask_manager(bus, address);
    sd_bus_close_unref(bus);
    return stopping;
}

/* --- begin and end --- */

static void begin(gpointer data)
{
    HostEnd *end = data;
    static const InhibitorEvents events = {on_goes, on_known};

    end->inhibitor = inhibitor_new(end->loop, end->bus, &events, end);
    look(end);
}

HostEnd *host_end_new(Loop *loop, Bus *bus, Core *core, const HostRules *rules, gboolean session)
{
    HostEnd *end = g_new0(HostEnd, 1);

    *end = (HostEnd){.loop = loop, .bus = bus, .core = core, .session = session, .rules = *rules};
    g_mutex_init(&end->lock);
    end->subscriptions = g_array_new(FALSE, FALSE, sizeof(int));
    loop_call(loop, begin, end);
    for (const DriverInstance *const *one = loader_all(core_loader(core)); *one; one++) {
        int number = event_subscribe(*one, VIR_DOMAIN_EVENT_ID_LIFECYCLE, NULL, on_event, end, NULL);
        g_array_append_val(end->subscriptions, number);
    }
    loop_post(loop, look, end); /* what began between the two */
    return end;
}

static void let_go(gpointer data)
{
    HostEnd *end = data;

    g_clear_pointer(&end->inhibitor, inhibitor_free);
}

void host_end_set_rules(HostEnd *end, const HostRules *rules)
{
    g_mutex_lock(&end->lock);
    end->rules = *rules;
    g_mutex_unlock(&end->lock);
}

void host_end_finish(HostEnd *end)
{
    if (manager_is_stopping(end)) {
        HostRules rules = rules_of(end);
        sd_notifyf(FALSE, "EXTEND_TIMEOUT_USEC=%" G_GUINT64_FORMAT, (guint64)(rules.stop_timeout + MARGIN) * G_USEC_PER_SEC);
        stop_guests(end);
    }
    for (guint i = 0; i < end->subscriptions->len; i++)
        event_unsubscribe(g_array_index(end->subscriptions, int, i));
    loop_call(end->loop, let_go, end);
}

void host_end_free(HostEnd *end)
{
    if (!end)
        return;
    g_array_unref(end->subscriptions);
    g_mutex_clear(&end->lock);
    g_free(end);
}
