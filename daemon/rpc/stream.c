/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The protocol, by status: CONTINUE carries octets, or, empty, says that the host's end has no more; OK from the
 * client is the wish to finish, answered by OK when all it sent has been written; ERROR from the client is an abort,
 * answered by OK; ERROR from here ends the stream.
 */
#include <errno.h>
#include <unistd.h>

#include "daemon/rpc/call.h"
#include "daemon/rpc/client-private.h"
#include "daemon/rpc/error.h"
#include "daemon/rpc/stream-private.h"
#include "lib/error.h"

/* Above this much waiting for the client the host's end is not read. */
#define BACKLOG_PAUSE (CLIENT_BACKLOG_PAUSE / 4)

Stream *stream_ref(Stream *stream)
{
    g_atomic_ref_count_inc(&stream->refs);
    return stream;
}

void stream_unref(Stream *stream)
{
    if (!stream || !g_atomic_ref_count_dec(&stream->refs))
        return;
    client_unref(stream->client);
    g_byte_array_unref(stream->waiting);
    g_free(stream->abort_message);
    g_free(stream);
}

Stream *stream_new(Call *call, int fd, StreamEnded ended, gpointer data, GError **error)
{
    g_autoptr(Stream) stream = g_new0(Stream, 1);

    g_atomic_ref_count_init(&stream->refs);
    stream->client = client_ref(call->client);
    stream->proc = call->proc;
    stream->serial = call->serial;
    stream->fd = fd;
    stream->waiting = g_byte_array_new();
    stream->ended = ended;
    stream->data = data;
    if (!streams_add(stream, error)) { /* from here on the connection may end it */
        close(fd);
        return NULL;
    }
    call->stream = stream_ref(stream);
    return g_steal_pointer(&stream);
}

static void set_stalled(Stream *stream, gboolean stalled)
{
    if (stream->stalled == stalled)
        return;
    stream->stalled = stalled;
    stream->client->stalled += stalled ? 1 : -1;
    if (!stalled)
        client_resume(stream->client);
}

/* What is held for its descriptor counts as its connection's and its user's. */
static void charge(Stream *stream)
{
    gssize more = (gssize)stream->waiting->len - (gssize)stream->charged;

    if (more == 0)
        return;
    account_charge(stream->client->account, more);
    g_atomic_pointer_add(&stream->client->streaming, more);
    stream->charged = stream->waiting->len;
}

void stream_end(Stream *stream)
{
    if (stream->over)
        return;
    stream->over = TRUE;
    set_stalled(stream, FALSE);
    g_clear_pointer(&stream->watch, loop_watch_free);
    close(stream->fd);
    g_byte_array_set_size(stream->waiting, 0);
    charge(stream);
    if (stream->ended)
        stream->ended(stream->data);
    streams_remove(stream);
}

static void end_now(gpointer data)
{
    stream_end(data);
    stream_unref(data);
}

void stream_drop(Stream *stream)
{
    loop_post(server_loop(stream->client->server), end_now, stream);
}

static FrameHeader header_of(const Stream *stream, NetMessageStatus status)
{
    const WireProgram *program = stream->proc->program;

    return (FrameHeader){program->id, program->version, stream->proc->number, NET_STREAM, stream->serial, status};
}

static void send(Stream *stream, NetMessageStatus status, const guint8 *bytes, gsize n)
{
    FrameHeader header = header_of(stream, status);
    GByteArray *message = frame_begin(&header);

    if (n > 0)
        g_byte_array_append(message, bytes, n);
    frame_finish(message, NULL); /* N is below the limit by far */
    client_send(stream->client, message, NULL);
}

static void fail(Stream *stream, const GError *error)
{
    client_send(stream->client, error_message(header_of(stream, NET_ERROR), error), NULL);
    stream_end(stream);
}

static void fail_with(Stream *stream, virErrorNumber code, const char *message)
{
    g_autoptr(GError) error = NULL;

    error_set(&error, VIR_FROM_STREAMS, code, "%s", message);
    fail(stream, error);
}

static void fail_errno(Stream *stream, int errnum, const char *message)
{
    g_autoptr(GError) error = NULL;

    error_set_errno(&error, VIR_FROM_STREAMS, errnum, "%s", message);
    fail(stream, error);
}

static gsize waits(const Stream *stream)
{
    return stream->waiting->len - stream->written;
}

static gboolean reads(const Stream *stream)
{
    return stream->proc->stream != WIRE_STREAM_WRITE && !stream->drained &&
           outbox_size(&stream->client->outbox) < BACKLOG_PAUSE;
}

void stream_set_events(Stream *stream)
{
    if (stream->watch)
        loop_watch_set(stream->watch, (reads(stream) ? EPOLLIN : 0) | (waits(stream) > 0 ? EPOLLOUT : 0));
}

/* Writes what the descriptor takes of what waits. FALSE: the stream is over. */
static gboolean drain(Stream *stream)
{
    while (waits(stream) > 0) {
        gssize n = write(stream->fd, stream->waiting->data + stream->written, waits(stream));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) {
            fail_errno(stream, errno, "cannot write to stream");
            return FALSE;
        }
        if (n < 0)
            break;
        stream->written += n;
        stream->moved = g_get_monotonic_time();
    }
    if (waits(stream) == 0) {
        g_byte_array_set_size(stream->waiting, 0);
        stream->written = 0;
    }
    charge(stream);
    if (waits(stream) < STREAM_WAITING_MAX / 2)
        set_stalled(stream, FALSE);
    if (waits(stream) == 0 && stream->finishing) {
        send(stream, NET_OK, NULL, 0);
        stream_end(stream);
        return FALSE;
    }
    return TRUE;
}

static void take_bytes(Stream *stream, const guint8 *bytes, gsize n)
{
    if (stream->proc->stream == WIRE_STREAM_READ) {
        fail_with(stream, VIR_ERR_RPC, "stream is not open for writing");
        return;
    }
    if (n == 0 || stream->finishing)
        return;
    if (waits(stream) == 0)
        stream->moved = g_get_monotonic_time();
    g_byte_array_append(stream->waiting, bytes, n);
    charge(stream);
    if (stream->watch && !drain(stream))
        return;
    if (waits(stream) >= STREAM_WAITING_MAX)
        set_stalled(stream, TRUE);
    stream_set_events(stream);
}

static void finish(Stream *stream)
{
    stream->finishing = TRUE;
    if (stream->watch && drain(stream))
        stream_set_events(stream);
}

void stream_take(Client *client, const Frame *frame)
{
    g_autoptr(Stream) stream = streams_find(client, &frame->header);

    if (!stream || stream->over)
        return;
    if (frame->header.type == NET_STREAM_HOLE) {
        client_refuse(client, "a hole in a stream that takes none");
        return;
    }
    switch ((NetMessageStatus)frame->header.status) {
    case NET_CONTINUE:
        take_bytes(stream, frame->payload, frame->n_payload);
        break;
    case NET_OK:
        finish(stream);
        break;
    case NET_ERROR:
        send(stream, NET_OK, NULL, 0);
        stream_end(stream);
        break;
    }
}

/* A terminal whose other end is gone answers EIO. */
static void read_some(Stream *stream)
{
    guint8 *buffer = server_buffer(stream->client->server);
    gssize n = read(stream->fd, buffer, SERVER_BUFFER_SIZE);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0 && errno != EIO) {
        fail_errno(stream, errno, "cannot read from stream");
        return;
    }
    stream->drained = n <= 0;
    send(stream, NET_CONTINUE, buffer, MAX(n, 0));
}

static void on_io(guint32 events, gpointer data)
{
    g_autoptr(Stream) stream = stream_ref(data);

    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR) && !drain(stream))
        return;
    if (reads(stream) && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        read_some(stream);
    if (!stream->over)
        stream_set_events(stream);
}

static void begin(gpointer data)
{
    g_autoptr(Stream) stream = data;
    g_autoptr(GError) error = NULL;

    if (stream->over)
        return;
    if (g_atomic_int_get(&stream->client->closing)) { /* it may have looked for its streams already */
        stream_end(stream);
        return;
    }
    if (stream->abort_message) {
        fail_with(stream, VIR_ERR_RPC, stream->abort_message);
        return;
    }
    stream->moved = g_get_monotonic_time();
    stream->watch = loop_watch(server_loop(stream->client->server), stream->fd, 0, on_io, stream, &error);
    if (!stream->watch)
        fail(stream, error);
    else if (drain(stream))
        stream_set_events(stream);
}

void stream_begin(Stream *stream)
{
    loop_post(server_loop(stream->client->server), begin, stream);
}

typedef struct {
    Stream *stream;
    char *message;
} Abort;

static void abort_now(gpointer data)
{
    g_autofree Abort *request = data;
    g_autoptr(Stream) stream = request->stream;
    g_autofree char *message = request->message;

    if (stream->over)
        return;
    if (stream->watch)
        fail_with(stream, VIR_ERR_RPC, message);
    else if (!stream->abort_message)
        stream->abort_message = g_steal_pointer(&message);
}

void stream_abort(Stream *stream, const char *message)
{
    Abort *request = g_new(Abort, 1);

    *request = (Abort){stream_ref(stream), g_strdup(message)};
    loop_post(server_loop(stream->client->server), abort_now, request);
}

void stream_tick(Stream *stream, gint64 now)
{
    gboolean urgent = stream->stalled || stream->finishing;

    if (stream->watch && urgent && now - stream->moved > STREAM_STALL_SECONDS * G_USEC_PER_SEC)
        fail_with(stream, VIR_ERR_OPERATION_TIMEOUT, "the other end of the stream takes nothing");
}
