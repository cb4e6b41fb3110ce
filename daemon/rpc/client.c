/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end: client_close() may be called in the middle of anything, so it only shuts the socket down and posts the rest.
 * Nothing else closes the descriptor: while its event source lives its number must not be given to somebody else.
 */
#include "daemon/rpc/client-private.h"

#include "daemon/rpc/stream-private.h"
#include "lib/error.h"
#include "lib/log.h"

#define LEAVE_SECONDS 5

typedef struct {
    guint number;
    ClientHook fn;
    gpointer data;
} Hook;

Client *client_ref(Client *client)
{
    g_atomic_ref_count_inc(&client->refs);
    return client;
}

void client_unref(Client *client)
{
    if (!client || !g_atomic_ref_count_dec(&client->refs))
        return;
    outbox_clear(&client->outbox);
    g_hash_table_unref(client->streams);
    g_mutex_clear(&client->streams_lock);
    g_mutex_clear(&client->hooks_lock);
    g_clear_pointer(&client->hooks, g_array_unref);
    identity_unref(client->viewer);
    identity_unref(client->identity);
    account_unref(client->account);
    g_free(client->uri);
    g_free(client);
}

guint64 client_id(const Client *client)
{
    return client->id;
}

const Identity *client_identity(const Client *client)
{
    Identity *viewer = g_atomic_pointer_get((Identity **)&client->viewer);

    return viewer ? viewer : client->identity;
}

const DriverInstance *client_instance(const Client *client)
{
    return g_atomic_pointer_get((gpointer *)&client->instance);
}

static void run_hooks(Client *client)
{
    g_autoptr(GArray) hooks = NULL;

    g_mutex_lock(&client->hooks_lock);
    hooks = g_steal_pointer(&client->hooks);
    g_mutex_unlock(&client->hooks_lock);
    for (guint i = hooks ? hooks->len : 0; i > 0; i--) {
        Hook *hook = &g_array_index(hooks, Hook, i - 1);
        hook->fn(hook->data);
    }
}

guint client_add_close_hook(Client *client, ClientHook fn, gpointer data)
{
    Hook hook = {.fn = fn, .data = data};

    g_mutex_lock(&client->hooks_lock);
    if (client->hooks) {
        hook.number = ++client->last_hook;
        g_array_append_val(client->hooks, hook);
    }
    g_mutex_unlock(&client->hooks_lock);
    return hook.number;
}

gboolean client_remove_close_hook(Client *client, guint number)
{
    gboolean found = FALSE;

    g_mutex_lock(&client->hooks_lock);
    for (guint i = 0; client->hooks && i < client->hooks->len && !found; i++) {
        found = g_array_index(client->hooks, Hook, i).number == number;
        if (found)
            g_array_remove_index(client->hooks, i);
    }
    g_mutex_unlock(&client->hooks_lock);
    return found;
}

static void end(gpointer data)
{
    Client *client = data;

    g_clear_pointer(&client->watch, loop_watch_free);
    outbox_close(&client->outbox);
    streams_end(client);
    run_hooks(client);
    frame_reader_clear(&client->reader);
    client_charge_unread(client);
    server_forget(client->server, client);
    log_line(LOG_DEBUG, "connection %" G_GUINT64_FORMAT " has ended", client->id);
    client_unref(client);
}

void client_close(Client *client)
{
    if (!g_atomic_int_compare_and_exchange(&client->closing, FALSE, TRUE))
        return;
    outbox_break(&client->outbox);
    loop_post(server_loop(client->server), end, client_ref(client));
}

void client_leave(Client *client)
{
    if (outbox_size(&client->outbox) == 0) {
        client_close(client);
        return;
    }
    if (!client->leaving)
        client->deadline = g_get_monotonic_time() + LEAVE_SECONDS * G_USEC_PER_SEC;
    client->leaving = TRUE;
    client_set_events(client);
}

void client_refuse(Client *client, const char *why)
{
    static LogLimit limit = LOG_LIMIT_INIT(10, 60);

    if (g_atomic_int_get(&client->closing))
        return;
    log_limited(&limit, LOG_WARNING, "closed connection %" G_GUINT64_FORMAT " of %s: %s", client->id,
                client->identity->name, why);
    client_close(client);
}

/* Octets that CLIENT makes us hold. Any thread: what is not dispatched yet is as of the last look. */
static gsize holds(Client *client)
{
    return g_atomic_pointer_get(&client->unread) + g_atomic_pointer_get(&client->octets) +
           g_atomic_pointer_get(&client->streaming) + outbox_size(&client->outbox);
}

void client_refuse_if_over(Client *client)
{
    if (account_is_over(client->account) && holds(client) > CLIENT_HOLDS_LITTLE)
        client_refuse(client, "its user's connections hold too much");
}

static void want_writing(gpointer data)
{
    client_set_events(data);
    client_unref(data);
}

static void send_later(Client *client)
{
    Loop *io = server_loop(client->server);

    if (loop_is_current(io))
        client_set_events(client);
    else
        loop_post(io, want_writing, client_ref(client));
}

static OutboxResult send_within(Client *client, GByteArray *message, GArray *fds, gsize limit)
{
    OutboxResult result = outbox_send(&client->outbox, message, fds, limit);

    if (result == OUTBOX_WAITS)
        send_later(client);
    if (result == OUTBOX_FULL)
        client_refuse(client, "it does not read what it is sent");
    else if (result == OUTBOX_WAITS)
        client_refuse_if_over(client);
    return result;
}

gboolean client_send(Client *client, GByteArray *message, GArray *fds)
{
    return send_within(client, message, fds, CLIENT_BACKLOG_MAX) <= OUTBOX_WAITS;
}

gboolean client_send_message(Client *client, const WireProc *event, gconstpointer msg)
{
    FrameHeader header = {event->program->id, event->program->version, event->number, NET_MESSAGE, 1, NET_OK};
    g_autoptr(GByteArray) message = NULL;
    g_autoptr(GError) error = NULL;

    if (g_atomic_int_get(&client->closing))
        return FALSE;
    message = frame_begin(&header);
    if ((event->msg && !wire_encode(event->msg, msg, message, &error)) || !frame_finish(message, &error)) {
        client_refuse(client, error->message);
        return FALSE;
    }
    return send_within(client, g_steal_pointer(&message), NULL, CLIENT_BACKLOG_EVENTS) <= OUTBOX_WAITS;
}

void client_tick(Client *client, gint64 now)
{
    if (g_atomic_int_get(&client->closing))
        return;
    if (client->deadline > 0 && now > client->deadline) {
        if (!client->leaving)
            client_refuse(client, "it did not open a connection in time");
        client_close(client);
        return;
    }
    if (client->paused)
        keepalive_heard(client, now); /* it is we who do not listen */
    streams_tick(client, now);
    if (!keepalive_tick(client, now))
        client_refuse(client, "it does not answer");
}

void client_expect_open(Client *client, guint seconds)
{
    seconds += server_limits(client->server).handshake_timeout;
    client->deadline = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
}

void client_opened(Client *client, const DriverInstance *instance, const char *uri, gboolean read_only)
{
    if (read_only && !client->identity->read_only) {
        Identity *viewer = g_new0(Identity, 1);
        *viewer = *client->identity;
        g_atomic_ref_count_init(&viewer->refs);
        viewer->name = g_strdup(client->identity->name);
        viewer->read_only = TRUE;
        g_atomic_pointer_set(&client->viewer, viewer);
    }
    client->uri = g_strdup(uri);
    client->deadline = 0;
    g_atomic_pointer_set(&client->instance, (gpointer)instance);
}

Client *client_new(Server *server, int fd, Identity *identity, Account *account, ClientRights rights, guint64 id,
                   GError **error)
{
    Client *client = g_new0(Client, 1);
    gint64 now = g_get_monotonic_time();

    g_atomic_ref_count_init(&client->refs);
    client->server = server;
    client->identity = identity;
    client->account = account_ref(account);
    client->rights = rights;
    client->id = id;
    client_expect_open(client, 0);
    client->hooks = g_array_new(FALSE, FALSE, sizeof(Hook));
    g_mutex_init(&client->hooks_lock);
    client->streams = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)stream_unref);
    g_mutex_init(&client->streams_lock);
    outbox_init(&client->outbox, fd, account);
    client->reader.closer = account->closer;
    keepalive_heard(client, now);

    client->watch = loop_watch(server_loop(server), fd, EPOLLIN, client_on_io, client, error);
    if (!client->watch) {
        client_unref(client);
        return NULL;
    }
    log_line(LOG_DEBUG, "connection %" G_GUINT64_FORMAT " of %s%s", id, identity->name,
             identity->read_only ? ", read-only" : "");
    return client;
}
