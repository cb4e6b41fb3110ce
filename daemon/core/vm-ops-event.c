/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers: who wants to hear of domains. Three generations of the protocol have calls of their own: for life-cycle events, for
 * any event, and for any event with a number for each registration. The first two get events in the older form.
 */
#include "daemon/core/event-register.h"
#include "daemon/core/event-wire.h"
#include "daemon/core/vm-ops.h"

/* What a subscription calls back with. */
typedef struct {
    Client *client;
    int callback;
} Listener;

static void listener_free(gpointer data)
{
    Listener *listener = data;
    client_unref(listener->client);
    g_free(listener);
}

static void on_event(const EventSource *source, const VmEvent *event, gpointer data)
{
    const Listener *listener = data;
    event_wire_send(listener->client, source, event, listener->callback);
}

static gboolean register_event(Call *call, int event_id, const guint8 *uuid, int callback, GError **error)
{
    if (!(callback == EVENT_LEGACY ? event_wire_has_legacy(event_id) : event_wire_exists(event_id)))
        return error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "unsupported event ID %d", event_id);
    Listener *listener = g_new(Listener, 1);
    *listener = (Listener){client_ref(call->client), callback};
    return event_register(call, event_id, uuid, callback, &(EventListener){on_event, listener, listener_free}, error);
}

static gboolean deregister(Call *call, int callback, int event_id, GError **error)
{
    return event_deregister(call->client, callback, event_id) ||
           error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "domain event callback %d not registered",
                     callback == EVENT_LEGACY ? event_id : callback);
}

gboolean remote_connect_domain_event_register(Call *call, RemoteConnectDomainEventRegisterRet *ret, GError **error)
{
    ret->cb_registered = 1;
    return register_event(call, VIR_DOMAIN_EVENT_ID_LIFECYCLE, NULL, EVENT_LEGACY, error);
}

gboolean remote_connect_domain_event_deregister(Call *call, RemoteConnectDomainEventDeregisterRet *ret, GError **error)
{
    ret->cb_registered = 0;
    return deregister(call, EVENT_LEGACY, VIR_DOMAIN_EVENT_ID_LIFECYCLE, error);
}

gboolean remote_connect_domain_event_register_any(Call *call, const RemoteConnectDomainEventRegisterAnyArgs *args,
                                                  GError **error)
{
    return register_event(call, args->event_id, NULL, EVENT_LEGACY, error);
}

gboolean remote_connect_domain_event_deregister_any(Call *call, const RemoteConnectDomainEventDeregisterAnyArgs *args,
                                                    GError **error)
{
    return deregister(call, EVENT_LEGACY, args->event_id, error);
}

gboolean remote_connect_domain_event_callback_register_any(
    Call *call, const RemoteConnectDomainEventCallbackRegisterAnyArgs *args,
    RemoteConnectDomainEventCallbackRegisterAnyRet *ret, GError **error)
{
    ret->callback_id = event_register_number();
    return register_event(call, args->event_id, args->dom ? args->dom->uuid : NULL, ret->callback_id, error);
}

gboolean remote_connect_domain_event_callback_deregister_any(
    Call *call, const RemoteConnectDomainEventCallbackDeregisterAnyArgs *args, GError **error)
{
    if (args->callback_id < 0)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "domain event callback %d not registered",
                         args->callback_id);
    return deregister(call, args->callback_id, 0, error);
}
