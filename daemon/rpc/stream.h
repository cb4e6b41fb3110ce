/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A stream: octets between a client and a descriptor of the host, beside the calls of its connection. It begins with
 * the successful reply of the call that made it, carries that call's procedure and serial, and ends by the client
 * (finish, abort), by the host's end (end of file, fault), by stream_abort(), or with the connection.
 *
 * Flow control: the descriptor is not read while much waits to be sent to the client; the connection is not read while
 * STREAM_WAITING_MAX octets wait for the descriptor. One that takes nothing for STREAM_STALL_SECONDS then ends with an
 * error, so that it does not hold up the connection's calls.
 */
#include <glib.h>

typedef struct Call Call;     /* daemon/rpc/call.h */
typedef struct Stream Stream;

#define STREAM_WAITING_MAX (1024 * 1024)
#define STREAM_STALL_SECONDS 10
#define STREAMS_MAX 64 /* of one connection */

/* Runs once when the stream has ended, whatever ended it, also if it never began because the call failed. On the I/O
 * loop: must not block. */
typedef void (*StreamEnded)(gpointer data);

/* Binds FD (non-blocking and pollable; taken over, also on failure) to CALL, whose row has a stream and says the
 * direction. From the call's handler, once. Returns a reference; NULL with ERROR (and ENDED never runs) if the
 * connection has STREAMS_MAX already. */
Stream *stream_new(Call *call, int fd, StreamEnded ended, gpointer data, GError **error);

Stream *stream_ref(Stream *stream);
void stream_unref(Stream *stream); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stream, stream_unref)

/* Ends it; the client sees an error with MESSAGE. Harmless when it has ended. Any thread. */
void stream_abort(Stream *stream, const char *message);
