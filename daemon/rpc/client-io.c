/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading: one recvmsg() a turn, then at most MESSAGES_A_TURN messages or TURN_USEC, so that one client with many calls
 * does not hold up the others; what is left is dispatched in the next turn before anything new is read.
 */
#include "daemon/rpc/client-private.h"
#include "daemon/rpc/dispatch.h"
#include "daemon/rpc/stream-private.h"

#include <errno.h>

#define MESSAGES_A_TURN 32
#define TURN_USEC 2000

static void process(Client *client);

/* What was received and not dispatched. */
void client_charge_unread(Client *client)
{
    account_charge(client->account, (gssize)client->reader.n - (gssize)client->unread);
    g_atomic_pointer_set(&client->unread, client->reader.n);
}

static gboolean may_read(Client *client)
{
    gsize answers = g_atomic_pointer_get(&client->expected) + outbox_size(&client->outbox);

    return (guint)g_atomic_int_get(&client->calls) < server_limits(client->server).max_calls &&
           g_atomic_pointer_get(&client->octets) < CLIENT_CALL_OCTETS_MAX && client->stalled == 0 &&
           answers < CLIENT_BACKLOG_PAUSE && !server_is_stopping(client->server);
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

void client_expect(Client *client, gsize expected)
{
    g_atomic_pointer_add(&client->expected, expected);
}

void client_call_end(Client *client, gsize octets, gsize expected)
{
    g_atomic_pointer_add(&client->expected, -(gssize)expected);
    g_atomic_int_add(&client->calls, -1);
    g_atomic_pointer_add(&client->octets, -(gssize)octets);
    account_charge(client->account, -(gssize)octets);
    client_resume(client);
}

/* While it is not read, that it has gone is still noticed. */
void client_set_events(Client *client)
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
    gint64 end = g_get_monotonic_time() + TURN_USEC;
    FrameResult result = FRAME_READY;
    Frame frame;

    for (guint n = 0; result == FRAME_READY && !g_atomic_int_get(&client->closing) && !client->leaving; n++) {
        if (n == MESSAGES_A_TURN || (n > 0 && g_get_monotonic_time() > end)) {
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
    client_charge_unread(client);
    client_refuse_if_over(client);
    client_set_events(client);
}

static void read_more(Client *client)
{
    gssize n = frame_reader_receive(&client->reader, client->outbox.fd, server_buffer(client->server),
                                    SERVER_BUFFER_SIZE);

    if (n == -EAGAIN)
        return;
    if (n == -EPROTO)
        client_refuse(client, "too many descriptors");
    if (n == 0 && client->reader.n > 0)
        client_refuse(client, "it ended in the middle of a message");
    if (n <= 0) {
        client_close(client);
        return;
    }
    if (client->reader.n_fds > 0 && closer_waiting(client->account->closer) >= CLOSER_WAITING_MAX)
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
    client_set_events(client);
}

void client_on_io(guint32 events, gpointer data)
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
