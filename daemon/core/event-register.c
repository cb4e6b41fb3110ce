/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/event-register.h"

#include "daemon/rpc/client.h"
#include "lib/error.h"

#define REGISTRATIONS_MAX 1024 /* of one connection */
#define USER_REGISTRATIONS_MAX 4096 /* of one user's connections */

typedef struct {
    int number;
    int event_id;
    int subscription;
} Registration;

static GMutex lock;
static GHashTable *connections; /* Client -> GArray of Registration */
static GHashTable *users; /* uid -> number of registrations, if there are any */
static int last_number;

int event_register_number(void)
{
    return g_atomic_int_add(&last_number, 1) & G_MAXINT;
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

/* Locked. What CALL's client may add to; NULL with ERROR. */
static GArray *room(Call *call, GError **error)
{
    GArray *registrations = registrations_of(call->client);
    if (!registrations)
        error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_ABORTED, "the connection was closed");
    else if (registrations->len >= REGISTRATIONS_MAX)
        error_set(error, VIR_FROM_RPC, VIR_ERR_RESOURCE_BUSY, "a connection has at most %d event callbacks", REGISTRATIONS_MAX);
    else if (held_by(call->client) >= USER_REGISTRATIONS_MAX && call->identity->uid != 0)
        error_set(error, VIR_FROM_RPC, VIR_ERR_RESOURCE_BUSY, "a user's connections have at most %d event callbacks",
                  USER_REGISTRATIONS_MAX);
    else
        return registrations;
    return NULL;
}

gboolean event_register(Call *call, int event_id, const guint8 *uuid, int number, const EventListener *listener, GError **error)
{
    g_mutex_lock(&lock);
    GArray *registrations = room(call, error);
    if (registrations) {
        Registration one = {number, event_id, event_subscribe(call->instance, event_id, uuid, listener->sink, listener->data,
                                                              listener->destroy)};
        g_array_append_val(registrations, one);
        set_held(call->client, held_by(call->client) + 1);
    }
    g_mutex_unlock(&lock);
    if (!registrations)
        listener->destroy(listener->data);
    return registrations != NULL;
}

static gboolean is_meant(const Registration *one, int number, int event_id)
{
    return one->number == number && (one->event_id == event_id || (number != EVENT_LEGACY && one->event_id != EVENT_MONITOR &&
                                                                   event_id != EVENT_MONITOR));
}

/* Locked. */
static int take(Client *client, int number, int event_id)
{
    GArray *registrations = connections ? g_hash_table_lookup(connections, client) : NULL;
    for (guint i = 0; registrations && i < registrations->len; i++) {
        Registration one = g_array_index(registrations, Registration, i);
        if (!is_meant(&one, number, event_id))
            continue;
        g_array_remove_index(registrations, i);
        set_held(client, held_by(client) - 1);
        return one.subscription;
    }
    return 0;
}

gboolean event_deregister(Client *client, int number, int event_id)
{
    g_mutex_lock(&lock);
    int subscription = take(client, number, event_id);
    g_mutex_unlock(&lock);
    return subscription && event_unsubscribe(subscription);
}
