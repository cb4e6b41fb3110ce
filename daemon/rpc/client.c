/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading: one recvmsg() a turn, then at most MESSAGES_A_TURN messages, so that one client with many small calls does
 * not hold up the others; what is left is dispatched in the next turn before anything new is read.
 *
 * The end: client_close() may be called in the middle of anything, so it only shuts the socket down and posts the rest.
 * Nothing else closes the descriptor: while its event source lives its number must not be given to somebody else.
 */
#include "daemon/rpc/client-private.h"

#include <errno.h>
#include <string.h>

#include "daemon/rpc/dispatch.h"
#include "daemon/rpc/stream-private.h"
#include "lib/error.h"
#include "lib/log.h"

#define MESSAGES_A_TURN 32
#define LEAVE_SECONDS 5

typedef struct {
    guint number;
    ClientHook fn;
    gpointer data;
} Hook;

static void process(Client *client);
static void set_events(Client *client);

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

/* What was received and not dispatched. */
static void charge_unread(Client *client)
{
    account_charge(client->account, (gssize)client->reader.n - (gssize)client->unread);
    g_atomic_pointer_set(&client->unread, client->reader.n);
}

static void end(gpointer data)
{
    Client *client = data;

    g_clear_pointer(&client->watch, loop_watch_free);
    outbox_close(&client->outbox);
    streams_end(client);
    run_hooks(client);
    frame_reader_clear(&client->reader);
    charge_unread(client);
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
    set_events(client);
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
    return g_atomic_pointer_get(&client->unread) + g_atomic_pointer_get(&client->octets) + outbox_size(&client->outbox);
}

static void refuse_if_over(Client *client)
{
    if (account_is_over(client->account) && holds(client) > CLIENT_HOLDS_LITTLE)
        client_refuse(client, "its user's connections hold too much");
}

static void want_writing(gpointer data)
{
    set_events(data);
    client_unref(data);
}

static void send_later(Client *client)
{
    Loop *io = server_loop(client->server);

    if (loop_is_current(io))
        set_events(client);
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
        refuse_if_over(client);
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

static gboolean may_read(Client *client)
{
    return (guint)g_atomic_int_get(&client->calls) < server_limits(client->server).max_calls &&
           g_atomic_pointer_get(&client->octets) < CLIENT_CALL_OCTETS_MAX && client->stalled == 0 &&
           outbox_size(&client->outbox) < CLIENT_BACKLOG_PAUSE && !server_is_stopping(client->server);
}

/* Whoever ends what kept it from being read sees `paused` or is seen by the second look. */
static void pause_unless_readable(Client *client)
{
    g_atomic_int_set(&client->paused, TRUE);
    if (may_read(client))
        g_atomic_int_set(&client->paused, FALSE);
}

static void continue_now(gpointer data)
{
    Client *client = data;

    client->continuing = FALSE;
    process(client);
    client_unref(client);
}

static void continue_later(Client *client)
{
    if (client->continuing)
        return;
    client->continuing = TRUE;
    loop_post(server_loop(client->server), continue_now, client_ref(client));
}

static void resume_now(gpointer data)
{
    Client *client = data;

    if (!g_atomic_int_get(&client->closing) && g_atomic_int_get(&client->paused) && may_read(client)) {
        g_atomic_int_set(&client->paused, FALSE);
        continue_later(client); /* what was read already comes first */
    }
    client_unref(client);
}

void client_resume(Client *client)
{
    if (g_atomic_int_get(&client->paused))
        loop_post(server_loop(client->server), resume_now, client_ref(client));
}

void client_call_begin(Client *client, gsize octets)
{
    g_atomic_int_inc(&client->calls);
    g_atomic_pointer_add(&client->octets, (gssize)octets);
    account_charge(client->account, octets);
}

void client_call_end(Client *client, gsize octets)
{
    g_atomic_int_add(&client->calls, -1);
    g_atomic_pointer_add(&client->octets, -(gssize)octets);
    account_charge(client->account, -(gssize)octets);
    client_resume(client);
}

/* While it is not read, that it has gone is still noticed. */
static void set_events(Client *client)
{
    gboolean reads = !g_atomic_int_get(&client->paused) && !client->leaving && !client->continuing;
    gboolean writes = outbox_size(&client->outbox) > 0;

    if (!g_atomic_int_get(&client->closing))
        loop_watch_set(client->watch, (reads ? EPOLLIN : EPOLLRDHUP) | (writes ? EPOLLOUT : 0));
}

static void take(Client *client, const Frame *frame)
{
    if (!keepalive_take(client, frame))
        dispatch_frame(client, frame);
}

static void process(Client *client)
{
    g_autoptr(GError) error = NULL;
    FrameResult result = FRAME_READY;
    Frame frame;

    for (guint n = 0; result == FRAME_READY && !g_atomic_int_get(&client->closing) && !client->leaving; n++) {
        if (n == MESSAGES_A_TURN) {
            continue_later(client);
            break;
        }
        if (!may_read(client)) {
            pause_unless_readable(client);
            if (g_atomic_int_get(&client->paused))
                break;
        }
        result = frame_reader_next(&client->reader, &frame, &error);
        if (result == FRAME_READY)
            take(client, &frame);
    }
    if (result == FRAME_BAD)
        client_refuse(client, error->message);
    frame_reader_settle(&client->reader);
    charge_unread(client);
    refuse_if_over(client);
    set_events(client);
}

static void read_more(Client *client)
{
    gssize n = frame_reader_receive(&client->reader, client->outbox.fd, server_buffer(client->server),
                                    SERVER_BUFFER_SIZE);

    if (n == -EAGAIN)
        return;
    if (n == -EPROTO)
        client_refuse(client, "too many descriptors");
    if (n <= 0) {
        client_close(client);
        return;
    }
    if (client->reader.n_fds > 0 && closer_is_full(client->account->closer))
        client_refuse(client, "too much that its user passed waits to be closed");
    keepalive_heard(client, g_get_monotonic_time());
    process(client);
}

static void write_more(Client *client)
{
    if (outbox_flush(&client->outbox) == OUTBOX_CLOSED) {
        client_close(client);
        return;
    }
    if (client->leaving)
        client_leave(client);
    client_resume(client);
    streams_may_send(client);
    set_events(client);
}

static void on_io(guint32 events, gpointer data)
{
    g_autoptr(Client) client = client_ref(data);

    if (g_atomic_int_get(&client->closing))
        return;
    if (events & EPOLLOUT)
        write_more(client);
    if (events & EPOLLIN && !client->continuing && !g_atomic_int_get(&client->closing))
        read_more(client);
    else if (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR))
        client_close(client);
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

Client *client_new(Server *server, int fd, Identity *identity, Account *account, gboolean authenticated, guint64 id,
                   GError **error)
{
    Client *client = g_new0(Client, 1);
    gint64 now = g_get_monotonic_time();

    g_atomic_ref_count_init(&client->refs);
    client->server = server;
    client->identity = identity;
    client->account = account_ref(account);
    client->authenticated = authenticated;
    client->id = id;
    client->deadline = now + (gint64)server_limits(server).handshake_timeout * G_USEC_PER_SEC;
    client->hooks = g_array_new(FALSE, FALSE, sizeof(Hook));
    g_mutex_init(&client->hooks_lock);
    client->streams = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)stream_unref);
    g_mutex_init(&client->streams_lock);
    outbox_init(&client->outbox, fd, account);
    client->reader.closer = account->closer;
    keepalive_heard(client, now);

    client->watch = loop_watch(server_loop(server), fd, EPOLLIN, on_io, client, error);
    if (!client->watch) {
        client_unref(client);
        return NULL;
    }
    log_line(LOG_DEBUG, "connection %" G_GUINT64_FORMAT " of %s%s", id, identity->name,
             identity->read_only ? ", read-only" : "");
    return client;
}
