/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers and the list of registrations, with the limit that those for domains have. */
#include "daemon/storage/pool-event.h"

#include <string.h>

#include "daemon/rpc/call.h"
#include "daemon/rpc/client.h"

#define REGISTRATIONS_MAX 1024 /* of one connection */
#define ALL_MAX 16384          /* of all connections: each event is held against each */

typedef struct {
    Client *client;
    int callback;
    int event_id;
    gboolean one;
    guint8 uuid[16];
    guint hook; /* of the connection's close */
} Registration;

static GMutex lock; /* also keeps events in their order */
static GArray *registrations;
static int last_callback;

/* Locked. */
static void forget(guint index)
{
    client_unref(g_array_index(registrations, Registration, index).client);
    g_array_remove_index(registrations, index);
}

static void connection_closed(gpointer callback)
{
    g_mutex_lock(&lock);
    for (guint i = registrations->len; i-- > 0;)
        if (g_array_index(registrations, Registration, i).callback == GPOINTER_TO_INT(callback))
            forget(i);
    g_mutex_unlock(&lock);
}

/* Locked. */
static guint held_by(const Client *client)
{
    guint n = 0;
    for (guint i = 0; registrations && i < registrations->len; i++)
        n += g_array_index(registrations, Registration, i).client == client;
    return n;
}

static gboolean register_locked(Call *call, Registration *wish, GError **error)
{
    guint held = held_by(call->client);
    if (!registrations)
        registrations = g_array_new(FALSE, FALSE, sizeof(Registration));
    if (held >= REGISTRATIONS_MAX || registrations->len >= ALL_MAX)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RESOURCE_BUSY, "a connection has at most %d event callbacks",
                         REGISTRATIONS_MAX);
    wish->hook = client_add_close_hook(call->client, connection_closed, GINT_TO_POINTER(wish->callback));
    if (!wish->hook)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_ABORTED, "the connection was closed");
    g_array_append_val(registrations, *wish);
    client_ref(call->client);
    return TRUE;
}

gboolean remote_connect_storage_pool_event_register_any(Call *call,
                                                        const RemoteConnectStoragePoolEventRegisterAnyArgs *args,
                                                        RemoteConnectStoragePoolEventRegisterAnyRet *ret,
                                                        GError **error)
{
    Registration wish = {.client = call->client, .event_id = args->event_id, .one = args->pool != NULL};
    if (args->event_id < 0 || args->event_id > VIR_STORAGE_POOL_EVENT_ID_REFRESH)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "unsupported storage pool event ID %d",
                         args->event_id);
    if (args->pool)
        memcpy(wish.uuid, args->pool->uuid, sizeof wish.uuid);
    g_mutex_lock(&lock);
    wish.callback = ret->callback_id = last_callback++ & G_MAXINT;
    gboolean ok = register_locked(call, &wish, error);
    g_mutex_unlock(&lock);
    return ok;
}

gboolean remote_connect_storage_pool_event_deregister_any(Call *call,
                                                          const RemoteConnectStoragePoolEventDeregisterAnyArgs *args,
                                                          GError **error)
{
    gboolean found = FALSE;
    guint hook = 0;
    g_mutex_lock(&lock);
    for (guint i = 0; registrations && i < registrations->len && !found; i++) {
        const Registration *one = &g_array_index(registrations, Registration, i);
        found = one->client == call->client && one->callback == args->callback_id;
        if (!found)
            continue;
        hook = one->hook;
        forget(i);
    }
    g_mutex_unlock(&lock);
    if (found)
        client_remove_close_hook(call->client, hook);
    return found || error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                              "storage pool event callback %d not registered", args->callback_id);
}

typedef void (*Send)(const Registration *to, const RemoteNonnullStoragePool *pool, int event);

static void emit(VolumePool *pool, int event_id, int event, Send send)
{
    g_autoptr(PoolView) view = pool_view(pool);
    RemoteNonnullStoragePool wire = {.name = view->def->name};
    memcpy(wire.uuid, pool->uuid, sizeof wire.uuid);
    g_mutex_lock(&lock);
    for (guint i = 0; registrations && i < registrations->len; i++) {
        const Registration *one = &g_array_index(registrations, Registration, i);
        if (one->event_id == event_id && (!one->one || memcmp(one->uuid, pool->uuid, sizeof one->uuid) == 0))
            send(one, &wire, event);
    }
    g_mutex_unlock(&lock);
}

static void send_lifecycle(const Registration *to, const RemoteNonnullStoragePool *pool, int event)
{
    RemoteStoragePoolEventLifecycleMsg message = {.callback_id = to->callback, .pool = *pool, .event = event};
    client_send_message(to->client, wire_proc(&remote_program, REMOTE_PROC_STORAGE_POOL_EVENT_LIFECYCLE), &message);
}

static void send_refresh(const Registration *to, const RemoteNonnullStoragePool *pool, int event)
{
    RemoteStoragePoolEventRefreshMsg message = {.callback_id = to->callback, .pool = *pool};
    client_send_message(to->client, wire_proc(&remote_program, REMOTE_PROC_STORAGE_POOL_EVENT_REFRESH), &message);
}

void pool_event_lifecycle(VolumePool *pool, int event)
{
    emit(pool, VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE, event, send_lifecycle);
}

void pool_event_refresh(VolumePool *pool)
{
    emit(pool, VIR_STORAGE_POOL_EVENT_ID_REFRESH, 0, send_refresh);
}
