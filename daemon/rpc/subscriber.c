/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/subscriber.h"

#include <string.h>

#include "daemon/rpc/client.h"
#include "lib/error.h"

#define ALL_MAX 16384 /* of all connections */

/* What the hook of a connection's close gets: one pointer, and another list has the same numbers. */
typedef struct {
    Subscribers *all;
    int callback;
} Place;

typedef struct {
    Subscriber who;
    int event;
    gboolean one;
    guint8 uuid[16];
    guint hook;
    Place *place; /* the hook's */
} Entry;

struct Subscribers {
    GMutex lock; /* also keeps events in their order */
    GArray *entries;
    int last;
};

Subscribers *subscribers_new(void)
{
    Subscribers *all = g_new0(Subscribers, 1);

    g_mutex_init(&all->lock);
    all->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    return all;
}

/* Locked. */
static void forget(Subscribers *all, guint index)
{
    client_unref(g_array_index(all->entries, Entry, index).who.client);
    g_array_remove_index(all->entries, index);
}

static void connection_closed(gpointer data)
{
    g_autofree Place *place = data;
    Subscribers *all = place->all;

    g_mutex_lock(&all->lock);
    for (guint i = all->entries->len; i-- > 0;)
        if (g_array_index(all->entries, Entry, i).who.callback == place->callback)
            forget(all, i);
    g_mutex_unlock(&all->lock);
}

/* Locked. */
static guint held_by(const Subscribers *all, const Client *client)
{
    guint n = 0;

    for (guint i = 0; i < all->entries->len; i++)
        n += g_array_index(all->entries, Entry, i).who.client == client;
    return n;
}

/* Locked. */
static gboolean add_locked(Subscribers *all, Client *client, Entry *entry, GError **error)
{
    if (held_by(all, client) >= SUBSCRIBERS_MAX || all->entries->len >= ALL_MAX)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RESOURCE_BUSY, "a connection has at most %d event callbacks", SUBSCRIBERS_MAX);
    entry->who = (Subscriber){client, all->last++ & G_MAXINT};
    entry->place = g_new(Place, 1);
    *entry->place = (Place){all, entry->who.callback};
    entry->hook = client_add_close_hook(client, connection_closed, entry->place);
    if (!entry->hook) {
        g_free(entry->place);
        return error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_ABORTED, "the connection was closed");
    }
    g_array_append_val(all->entries, *entry);
    client_ref(client);
    return TRUE;
}

gboolean subscribers_add(Subscribers *all, Call *call, int event, const guint8 *uuid, int *ret_callback, GError **error)
{
    Entry entry = {.event = event, .one = uuid != NULL};

    if (uuid)
        memcpy(entry.uuid, uuid, sizeof entry.uuid);
    g_mutex_lock(&all->lock);
    gboolean added = add_locked(all, call->client, &entry, error);
    if (added)
        *ret_callback = entry.who.callback;
    g_mutex_unlock(&all->lock);
    return added;
}

gboolean subscribers_remove(Subscribers *all, Call *call, int callback)
{
    Entry found = {.hook = 0};

    g_mutex_lock(&all->lock);
    for (guint i = 0; i < all->entries->len && !found.hook; i++) {
        const Entry *one = &g_array_index(all->entries, Entry, i);
        if (one->who.client != call->client || one->who.callback != callback)
            continue;
        found = *one;
        forget(all, i);
    }
    g_mutex_unlock(&all->lock);
    if (found.hook && client_remove_close_hook(call->client, found.hook))
        g_free(found.place);
    return found.hook != 0;
}

void subscribers_tell(Subscribers *all, int event, const guint8 uuid[16], SubscriberFunc fn, gpointer data)
{
    g_mutex_lock(&all->lock);
    for (guint i = 0; i < all->entries->len; i++) {
        const Entry *one = &g_array_index(all->entries, Entry, i);
        if (one->event == event && (!one->one || memcmp(one->uuid, uuid, sizeof one->uuid) == 0))
            fn(&one->who, data);
    }
    g_mutex_unlock(&all->lock);
}
