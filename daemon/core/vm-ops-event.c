/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers: who wants to hear of domains. A connection's registrations are kept until they are taken back or it closes.
 * Three generations of the protocol have calls of their own: for life-cycle events, for any event, and for any event with
 * a number for each registration. The first two get events in the older form.
 *
 * Each event is held against each registration, and anybody may register by the read-only socket: so a connection has a
 * maximum, and so has a user, other than root, over all of his connections.
 */
#include "daemon/core/event-wire.h"
#include "daemon/core/vm-ops.h"

#define REGISTRATIONS_MAX 1024 /* of one connection */
#define USER_REGISTRATIONS_MAX 4096 /* of one user's connections */
#define LEGACY (-1)

typedef struct {
    int callback; /* number on the wire, or LEGACY */
    int event_id;
    int subscription;
} Registration;

/* What a subscription calls back with. */
typedef struct {
    Client *client;
    int callback;
} Listener;

static GMutex lock;
static GHashTable *connections; /* Client -> GArray of Registration */
static GHashTable *users; /* uid -> number of registrations, if there are any */
static int last_callback;

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

/* Locked. */
static guint held_by(const Client *client)
{
    gconstpointer uid = GUINT_TO_POINTER(client_identity(client)->uid);
    return users ? GPOINTER_TO_UINT(g_hash_table_lookup(users, uid)) : 0;
}

/* Locked. */
static void set_held(const Client *client, guint n)
{
    gpointer uid = GUINT_TO_POINTER(client_identity(client)->uid);
    if (!users)
        users = g_hash_table_new(NULL, NULL);
    if (n)
        g_hash_table_insert(users, uid, GUINT_TO_POINTER(n));
    else
        g_hash_table_remove(users, uid);
}

static void connection_closed(gpointer client)
{
    gpointer found = NULL;
    g_mutex_lock(&lock);
    g_hash_table_steal_extended(connections, client, NULL, &found);
    g_autoptr(GArray) registrations = found;
    if (registrations)
        set_held(client, held_by(client) - registrations->len);
    g_mutex_unlock(&lock);
    for (guint i = 0; registrations && i < registrations->len; i++)
        event_unsubscribe(g_array_index(registrations, Registration, i).subscription);
}

/* Locked. NULL if CLIENT is closed. */
static GArray *registrations_of(Client *client)
{
    if (!connections)
        connections = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
    GArray *registrations = g_hash_table_lookup(connections, client);
    if (registrations || !client_add_close_hook(client, connection_closed, client))
        return registrations;
    registrations = g_array_new(FALSE, FALSE, sizeof(Registration));
    g_hash_table_insert(connections, client, registrations);
    return registrations;
}

static gboolean register_locked(Call *call, int event_id, const guint8 *uuid, int callback, GError **error)
{
    GArray *registrations = registrations_of(call->client);
    if (!registrations)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_ABORTED, "the connection was closed");
    if (registrations->len >= REGISTRATIONS_MAX)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RESOURCE_BUSY, "a connection has at most %d event callbacks",
                         REGISTRATIONS_MAX);
    guint held = held_by(call->client);
    if (held >= USER_REGISTRATIONS_MAX && call->identity->uid != 0)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RESOURCE_BUSY, "a user's connections have at most %d event callbacks",
                         USER_REGISTRATIONS_MAX);
    Listener *listener = g_new(Listener, 1);
    *listener = (Listener){client_ref(call->client), callback};
    Registration one = {callback, event_id,
                        event_subscribe(call->instance, event_id, uuid, on_event, listener, listener_free)};
    g_array_append_val(registrations, one);
    set_held(call->client, held + 1);
    return TRUE;
}

static gboolean register_event(Call *call, int event_id, const guint8 *uuid, int callback, GError **error)
{
    if (!(callback == LEGACY ? event_wire_has_legacy(event_id) : event_wire_exists(event_id)))
        return error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "unsupported event ID %d", event_id);
    g_mutex_lock(&lock);
    gboolean ok = register_locked(call, event_id, uuid, callback, error);
    g_mutex_unlock(&lock);
    return ok;
}

/* Of the older form the first for EVENT_ID, of the newer the one with the number CALLBACK. */
static int take_registration(Client *client, int callback, int event_id)
{
    GArray *registrations = connections ? g_hash_table_lookup(connections, client) : NULL;
    for (guint i = 0; registrations && i < registrations->len; i++) {
        Registration one = g_array_index(registrations, Registration, i);
        if (one.callback != callback || (callback == LEGACY && one.event_id != event_id))
            continue;
        g_array_remove_index(registrations, i);
        set_held(client, held_by(client) - 1);
        return one.subscription;
    }
    return 0;
}

static gboolean deregister(Call *call, int callback, int event_id, GError **error)
{
    g_mutex_lock(&lock);
    int subscription = take_registration(call->client, callback, event_id);
    g_mutex_unlock(&lock);
    if (!subscription)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "domain event callback %d not registered",
                         callback == LEGACY ? event_id : callback);
    event_unsubscribe(subscription);
    return TRUE;
}

gboolean remote_connect_domain_event_register(Call *call, RemoteConnectDomainEventRegisterRet *ret, GError **error)
{
    ret->cb_registered = 1;
    return register_event(call, VIR_DOMAIN_EVENT_ID_LIFECYCLE, NULL, LEGACY, error);
}

gboolean remote_connect_domain_event_deregister(Call *call, RemoteConnectDomainEventDeregisterRet *ret, GError **error)
{
    ret->cb_registered = 0;
    return deregister(call, LEGACY, VIR_DOMAIN_EVENT_ID_LIFECYCLE, error);
}

gboolean remote_connect_domain_event_register_any(Call *call, const RemoteConnectDomainEventRegisterAnyArgs *args,
                                                  GError **error)
{
    return register_event(call, args->event_id, NULL, LEGACY, error);
}

gboolean remote_connect_domain_event_deregister_any(Call *call, const RemoteConnectDomainEventDeregisterAnyArgs *args,
                                                    GError **error)
{
    return deregister(call, LEGACY, args->event_id, error);
}

gboolean remote_connect_domain_event_callback_register_any(
    Call *call, const RemoteConnectDomainEventCallbackRegisterAnyArgs *args,
    RemoteConnectDomainEventCallbackRegisterAnyRet *ret, GError **error)
{
    ret->callback_id = g_atomic_int_add(&last_callback, 1) & G_MAXINT;
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
