/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The keepalive program: a ping is answered before anything else is looked at, costs no call and waits in no queue.
 * Pings of our own begin when the client has said that it knows the program, and end a connection that stays silent.
 *
 * I/O loop only.
 */
#include <glib.h>
#include "daemon/rpc/frame.h"

typedef struct Client Client;

typedef struct {
    gboolean started;
    gint64 heard;  /* when the last octet came; microseconds, monotonic */
    gint64 asked;  /* when the last ping went out */
    guint unheard; /* pings since */
} Keepalive;

/* TRUE if FRAME belongs to the keepalive program; it has been dealt with. */
gboolean keepalive_take(Client *client, const Frame *frame);

/* The client can answer pings. */
void keepalive_start(Client *client, gint64 now);

/* Octets came. */
void keepalive_heard(Client *client, gint64 now);

/* Sends a ping if it is time for one. FALSE if the client has been silent for too long. */
gboolean keepalive_tick(Client *client, gint64 now);
