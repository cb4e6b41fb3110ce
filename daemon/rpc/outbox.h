/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What waits to be written to a connection, and the descriptor it is written to. A message goes out at once, on the
 * thread that has it, while nothing waits and the socket takes it; the rest is written by the I/O loop when the socket
 * is ready. Messages never mix and keep their order.
 */
#include <glib.h>
#include "daemon/auth/account.h"

typedef struct {
    GMutex lock;
    int fd; /* -1: closed */
    gboolean broken; /* shut down: only the I/O loop closes, since its epoll knows the number */
    GQueue waiting; /* of OutboxItem */
    gsize size; /* octets in `waiting`, those that carry descriptors included */
    Account *account; /* they are charged to; borrowed */
} Outbox;

typedef enum {
    OUTBOX_SENT,    /* nothing waits */
    OUTBOX_WAITS,   /* the rest goes when the socket is ready: the I/O loop must flush then */
    OUTBOX_FULL,    /* LIMIT would be passed: nothing was taken */
    OUTBOX_CLOSED,  /* no connection any more, or it broke now */
} OutboxResult;

void outbox_init(Outbox *outbox, int fd, Account *account); /* FD is taken over */
void outbox_clear(Outbox *outbox);

/* MESSAGE and FDS (of int; NULL: none) are taken over in any case. Never blocks. Any thread. A message larger than
 * LIMIT is taken when nothing else waits. */
OutboxResult outbox_send(Outbox *outbox, GByteArray *message, GArray *fds, gsize limit);

/* Writes what the socket takes. Any thread. */
OutboxResult outbox_flush(Outbox *outbox);

/* Octets that wait. Any thread. */
gsize outbox_size(Outbox *outbox);

/* Shuts the connection down and drops what waits; the I/O loop sees the end and closes. Any thread. */
void outbox_break(Outbox *outbox);

/* Closes the descriptor and drops what waits. I/O loop, after its event source is gone. */
void outbox_close(Outbox *outbox);
