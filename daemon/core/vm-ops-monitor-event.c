/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers of the qemu program: a monitor's own events, chosen by domain and name. */
#include <string.h>
#include <libvirt/libvirt-qemu.h>

#include "daemon/core/event-register.h"
#include "daemon/core/vm-ops.h"
#include "daemon/rpc/client.h"
#include "daemon/rpc/qemu-gen.h"

#define PATTERN_MAX 1024

typedef struct {
    Client *client;
    int callback;
    char *name;    /* NULL: any */
    GRegex *regex; /* NULL: NAME is meant as it is */
    gboolean any_case;
} Listener;

static void listener_free(gpointer data)
{
    Listener *listener = data;
    client_unref(listener->client);
    g_free(listener->name);
    if (listener->regex)
        g_regex_unref(listener->regex);
    g_free(listener);
}

static gboolean wants(const Listener *listener, const char *event)
{
    if (listener->regex)
        return g_regex_match(listener->regex, event, 0, NULL);
    return !listener->name ||
           (listener->any_case ? g_ascii_strcasecmp(listener->name, event) == 0 : strcmp(listener->name, event) == 0);
}

static void on_event(const EventSource *source, const VmEvent *event, gpointer data)
{
    const Listener *listener = data;
    if (!wants(listener, event->monitor.name))
        return;
    QemuDomainMonitorEventMsg message = {
        .callback_id = listener->callback,
        .event = (char *)event->monitor.name,
        .seconds = event->monitor.when / G_USEC_PER_SEC,
        .micros = event->monitor.when % G_USEC_PER_SEC,
        .details = (char *)event->monitor.details,
    };
    message.dom.name = (char *)source->name;
    message.dom.id = source->id;
    memcpy(message.dom.uuid, source->uuid, sizeof(message.dom.uuid));
    client_send_message(listener->client, wire_proc(&qemu_program, QEMU_PROC_DOMAIN_MONITOR_EVENT), &message);
}

static gboolean set_pattern(Listener *listener, const char *name, guint flags, GError **error)
{
    g_autoptr(GError) cause = NULL;
    listener->name = g_strdup(name);
    listener->any_case = flags & VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_NOCASE;
    if (!name || !(flags & VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX))
        return TRUE;
    if (strlen(name) > PATTERN_MAX)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "a regex of more than %d bytes", PATTERN_MAX);
    listener->regex = g_regex_new(name, listener->any_case ? G_REGEX_CASELESS : 0, 0, &cause);
    return listener->regex || error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "failed to compile regex '%s': %s", name,
                                        cause->message);
}

gboolean qemu_connect_domain_monitor_event_register(Call *call, const QemuConnectDomainMonitorEventRegisterArgs *args,
                                                    QemuConnectDomainMonitorEventRegisterRet *ret, GError **error)
{
    guint unknown = args->flags & ~(guint)(VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX |
                                           VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_NOCASE);

    if (unknown) /* libvirt's words for it are those of no driver */
        return error_set_plain(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                               "unsupported flags (0x%x) in function virDomainQemuMonitorEventStateRegisterID", unknown);
    Listener *listener = g_new0(Listener, 1);
    listener->client = client_ref(call->client);
    listener->callback = event_register_number();
    if (!set_pattern(listener, args->event, args->flags, error)) {
        listener_free(listener);
        return FALSE;
    }
    ret->callback_id = listener->callback;
    return event_register(call, EVENT_MONITOR, args->dom ? args->dom->uuid : NULL, listener->callback,
                          &(EventListener){on_event, listener, listener_free}, error);
}

gboolean qemu_connect_domain_monitor_event_deregister(Call *call, const QemuConnectDomainMonitorEventDeregisterArgs *args,
                                                      GError **error)
{
    return event_deregister(call->client, args->callback_id, EVENT_MONITOR) ||
           error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "qemu monitor event callback %d not registered",
                     args->callback_id);
}
