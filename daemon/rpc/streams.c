/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The streams of a connection. A stream is known to it from stream_new() on, under a lock: the client's first octets may
 * arrive before the thread that sent the reply has done anything else.
 */
#include "daemon/rpc/client-private.h"
#include "daemon/rpc/stream-private.h"
#include "lib/error.h"

gboolean streams_add(Stream *stream, GError **error)
{
    Client *client = stream->client;
    gpointer key = GUINT_TO_POINTER(stream->serial);
    const char *why = NULL;

    g_mutex_lock(&client->streams_lock);
    if (g_hash_table_size(client->streams) >= STREAMS_MAX)
        why = "too many streams on this connection";
    else if (g_hash_table_contains(client->streams, key))
        why = "a stream with this serial is open";
    else
        g_hash_table_insert(client->streams, key, stream_ref(stream));
    g_mutex_unlock(&client->streams_lock);
    return !why || error_set(error, VIR_FROM_STREAMS, VIR_ERR_RPC, "%s", why);
}

void streams_remove(Stream *stream)
{
    g_mutex_lock(&stream->client->streams_lock);
    g_hash_table_remove(stream->client->streams, GUINT_TO_POINTER(stream->serial));
    g_mutex_unlock(&stream->client->streams_lock);
}

Stream *streams_find(Client *client, const FrameHeader *header)
{
    Stream *stream;

    g_mutex_lock(&client->streams_lock);
    stream = g_hash_table_lookup(client->streams, GUINT_TO_POINTER(header->serial));
    if (stream && (stream->proc->number != (guint32)header->procedure || stream->proc->program->id != header->program))
        stream = NULL;
    if (stream)
        stream_ref(stream);
    g_mutex_unlock(&client->streams_lock);
    return stream;
}

/* References to all of them. */
static GPtrArray *all(Client *client)
{
    GPtrArray *streams = g_ptr_array_new_with_free_func((GDestroyNotify)stream_unref);
    GHashTableIter iter;
    gpointer stream;

    g_mutex_lock(&client->streams_lock);
    g_hash_table_iter_init(&iter, client->streams);
    while (g_hash_table_iter_next(&iter, NULL, &stream))
        g_ptr_array_add(streams, stream_ref(stream));
    g_mutex_unlock(&client->streams_lock);
    return streams;
}

void streams_may_send(Client *client)
{
    g_autoptr(GPtrArray) streams = all(client);

    for (guint i = 0; i < streams->len; i++)
        stream_set_events(g_ptr_array_index(streams, i));
}

void streams_tick(Client *client, gint64 now)
{
    g_autoptr(GPtrArray) streams = all(client);

    for (guint i = 0; i < streams->len; i++)
        stream_tick(g_ptr_array_index(streams, i), now);
}

void streams_end(Client *client)
{
    g_autoptr(GPtrArray) streams = all(client);

    for (guint i = 0; i < streams->len; i++)
        stream_end(g_ptr_array_index(streams, i));
}
