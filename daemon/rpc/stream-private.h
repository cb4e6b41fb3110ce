/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Streams as the files of daemon/rpc/ see them. */
#include "daemon/rpc/frame.h"
#include "daemon/rpc/stream.h"
#include "daemon/rpc/wire.h"
#include "lib/loop.h"

typedef struct Client Client;

struct Stream {
    gatomicrefcount refs;
    Client *client;
    const WireProc *proc;
    guint32 serial;
    StreamEnded ended;
    gpointer data;

    /* I/O loop. */
    int fd;
    LoopWatch *watch; /* NULL: not begun, or over */
    gboolean over;
    gboolean drained;    /* the host's end has no more */
    gboolean finishing;  /* the client wants to finish; something still waits */
    gboolean stalled;    /* so much waits that the connection is not read */
    gint64 moved;        /* when the descriptor last took something, or had nothing to take */
    GByteArray *waiting; /* for the descriptor; the first `written` octets have gone */
    gsize written;
    gsize charged;       /* of what waits, to the connection and the account */
    char *abort_message; /* stream_abort() before it began */
};

/* The call has been answered: the stream flows. Takes over the call's reference. Any thread. */
void stream_begin(Stream *stream);

/* The call failed: the stream never began. Takes over the call's reference. Any thread. */
void stream_drop(Stream *stream);

/* FRAME, of type stream or stream hole, came from CLIENT. For a stream that has ended it means nothing: the client may
 * not have known. I/O loop, as all below. */
void stream_take(Client *client, const Frame *frame);

/* It is over; with the client nothing is said. */
void stream_end(Stream *stream);

/* What the loop waits for has changed. */
void stream_set_events(Stream *stream);

/* Ends it if its descriptor takes nothing. */
void stream_tick(Stream *stream, gint64 now);

/* The table of a connection (streams.c): adds (one reference), or says why not; removes; finds (a new reference, or NULL).
 * Any thread. */
gboolean streams_add(Stream *stream, GError **error);
void streams_remove(Stream *stream);
Stream *streams_find(Client *client, const FrameHeader *header);

/* All of them, on the I/O loop: the connection takes more than it did. */
void streams_may_send(Client *client);

/* Looks after streams whose descriptor takes nothing. */
void streams_tick(Client *client, gint64 now);

/* The connection has ended. */
void streams_end(Client *client);
