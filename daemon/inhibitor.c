/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/inhibitor.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/log.h"

#define LOGIND "org.freedesktop.login1", "/org/freedesktop/login1"
#define MANAGER "org.freedesktop.login1.Manager"
#define AGAIN_USEC (5 * G_USEC_PER_SEC)

struct Inhibitor {
    Loop *loop;
    Bus *bus;
    const InhibitorEvents *events;
    gpointer data;
    gboolean wanted;
    gboolean goes;    /* the host goes down */
    gboolean known;   /* it was told of what logind says */
    gboolean told_off; /* the log has it that logind does not do it */
    int fd;           /* the inhibitor itself; -1: none */
    gboolean stale;   /* it is of a logind that may be gone: there will be another */
    sd_bus_slot *going, *lost, *asking, *inhibiting;
    sd_event_source *again;
};

static void connect_now(Inhibitor *inhibitor);

static void let_go(Inhibitor *inhibitor)
{
    if (inhibitor->fd >= 0)
        close(inhibitor->fd);
    inhibitor->fd = -1;
    inhibitor->inhibiting = sd_bus_slot_unref(inhibitor->inhibiting);
}

static void forget_bus(Inhibitor *inhibitor)
{
    inhibitor->going = sd_bus_slot_unref(inhibitor->going);
    inhibitor->lost = sd_bus_slot_unref(inhibitor->lost);
    inhibitor->asking = sd_bus_slot_unref(inhibitor->asking);
    inhibitor->inhibiting = sd_bus_slot_unref(inhibitor->inhibiting);
}

static void try_again(gpointer data)
{
    Inhibitor *inhibitor = data;

    g_clear_pointer(&inhibitor->again, sd_event_source_unref);
    connect_now(inhibitor);
}

static void later(Inhibitor *inhibitor)
{
    forget_bus(inhibitor);
    if (!inhibitor->again)
        inhibitor->again = loop_after(inhibitor->loop, AGAIN_USEC, try_again, inhibitor);
}

static void tell_known(Inhibitor *inhibitor, gboolean goes)
{
    if (inhibitor->known)
        return;
    inhibitor->known = TRUE;
    inhibitor->goes = goes;
    inhibitor->events->known(goes, inhibitor->data);
}

static void complain(Inhibitor *inhibitor, const char *why)
{
    if (!inhibitor->told_off)
        log_line(LOG_NOTICE, "the host does not wait for guests to end by way of logind: %s", why);
    inhibitor->told_off = TRUE;
}

/* --- the inhibitor --- */

static int on_inhibited(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
    Inhibitor *inhibitor = userdata;
    int fd;

    inhibitor->inhibiting = sd_bus_slot_unref(inhibitor->inhibiting);
    if (sd_bus_message_is_method_error(message, NULL)) {
        complain(inhibitor, sd_bus_message_get_error(message)->message);
        return 0;
    }
    if (sd_bus_message_read(message, "h", &fd) < 0 || (fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0)
        return 0;
    let_go(inhibitor);
    inhibitor->fd = fd;
    inhibitor->stale = FALSE;
    inhibitor->told_off = FALSE;
    if (!inhibitor->wanted)
        let_go(inhibitor);
    return 0;
}

static void take(Inhibitor *inhibitor)
{
    g_autoptr(GError) error = NULL;
    sd_bus *bus;

    if (!inhibitor->wanted || inhibitor->goes || (inhibitor->fd >= 0 && !inhibitor->stale) || inhibitor->inhibiting || !inhibitor->going)
        return;
    bus = bus_connect(inhibitor->bus, &error);
    if (!bus || sd_bus_call_method_async(bus, &inhibitor->inhibiting, LOGIND, MANAGER, "Inhibit", on_inhibited, inhibitor,
                                         "ssss", "shutdown", "duovirtd", "guests are saved or shut down first", "delay") < 0)
        later(inhibitor);
}

/* --- what logind says --- */

static int on_going(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
    Inhibitor *inhibitor = userdata;
    int goes;

    if (sd_bus_message_read(message, "b", &goes) < 0 || !goes == !inhibitor->goes)
        return 0;
    inhibitor->goes = goes != 0;
    inhibitor->events->goes(inhibitor->goes, inhibitor->data);
    take(inhibitor);
    return 0;
}

static int on_lost(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
    Inhibitor *inhibitor = userdata;

    inhibitor->stale = TRUE;
    later(inhibitor);
    return 0;
}

static int on_asked(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
    Inhibitor *inhibitor = userdata;
    int goes;

    inhibitor->asking = sd_bus_slot_unref(inhibitor->asking);
    if (sd_bus_message_is_method_error(message, NULL)) {
        complain(inhibitor, sd_bus_message_get_error(message)->message);
        tell_known(inhibitor, FALSE);
        return 0;
    }
    if (sd_bus_message_read(message, "v", "b", &goes) < 0)
        goes = FALSE;
    tell_known(inhibitor, goes != 0);
    take(inhibitor);
    return 0;
}

static int on_match(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
    return 0;
}

static gboolean ask(Inhibitor *inhibitor, sd_bus *bus)
{
    return sd_bus_match_signal_async(bus, &inhibitor->going, LOGIND, MANAGER, "PrepareForShutdown", on_going, on_match,
                                     inhibitor) >= 0 &&
           sd_bus_match_signal_async(bus, &inhibitor->lost, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                                     "org.freedesktop.DBus.Local", "Disconnected", on_lost, on_match, inhibitor) >= 0 &&
           sd_bus_call_method_async(bus, &inhibitor->asking, LOGIND, "org.freedesktop.DBus.Properties", "Get", on_asked,
                                    inhibitor, "ss", MANAGER, "PreparingForShutdown") >= 0;
}

static void connect_now(Inhibitor *inhibitor)
{
    g_autoptr(GError) error = NULL;
    sd_bus *bus = bus_connect(inhibitor->bus, &error);

    if (bus && ask(inhibitor, bus))
        return;
    complain(inhibitor, error ? error->message : "the bus cannot be used");
    tell_known(inhibitor, FALSE);
    later(inhibitor);
}

Inhibitor *inhibitor_new(Loop *loop, Bus *bus, const InhibitorEvents *events, gpointer data)
{
    Inhibitor *inhibitor = g_new0(Inhibitor, 1);

    *inhibitor = (Inhibitor){.loop = loop, .bus = bus, .events = events, .data = data, .fd = -1};
    return inhibitor;
}

void inhibitor_free(Inhibitor *inhibitor)
{
    if (!inhibitor)
        return;
    g_clear_pointer(&inhibitor->again, sd_event_source_unref);
    forget_bus(inhibitor);
    let_go(inhibitor);
    g_free(inhibitor);
}

void inhibitor_want(Inhibitor *inhibitor, gboolean wanted)
{
    inhibitor->wanted = wanted;
    if (!wanted)
        let_go(inhibitor);
    else if (!inhibitor->going && !inhibitor->again)
        connect_now(inhibitor);
    else
        take(inhibitor);
}

void inhibitor_release(Inhibitor *inhibitor)
{
    let_go(inhibitor);
}
