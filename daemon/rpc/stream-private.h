/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Streams as the files of daemon/rpc/ see them. */
#include "daemon/rpc/frame.h"
#include "daemon/rpc/stream.h"

typedef struct Client Client;

/* The call has been answered: the stream flows. Takes over the call's reference. Any thread. */
void stream_begin(Stream *stream);

/* The call failed: the stream never began. Takes over the call's reference. Any thread. */
void stream_drop(Stream *stream);

/* FRAME, of type stream or stream hole, came from CLIENT. For a stream that has ended it means nothing: the client may
 * not have known. I/O loop, as all below. */
void stream_take(Client *client, const Frame *frame);

/* The connection takes more than it did. */
void streams_may_send(Client *client);

/* Looks after streams whose descriptor takes nothing. */
void streams_tick(Client *client, gint64 now);

/* The connection has ended. */
void streams_end(Client *client);
