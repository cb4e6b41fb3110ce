/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * All connections of the daemon and what they may use together. Lives on the I/O loop; once a second, while there is
 * anybody, it looks after deadlines and keepalive.
 */
#include <glib.h>
#include "daemon/auth/identity.h"
#include "daemon/auth/polkit.h"
#include "daemon/rpc/costs.h"
#include "lib/loop.h"

typedef struct Client Client;
typedef struct Loader Loader; /* daemon/core/loader.h */

typedef struct {
    guint max_clients;
    guint max_clients_per_user; /* of one uid other than root */
    guint max_calls;            /* in flight, of one connection */
    guint handshake_timeout;    /* seconds */
    guint keepalive_interval;   /* seconds; 0: no pings */
    guint keepalive_count;
    gid_t group;                /* whose members may use the writable socket; (gid_t)-1: none */
    gboolean polkit, polkit_ro; /* others are asked for by polkit; else: none on the writable socket, everybody on the
                                 * read-only one */
} ServerLimits;

typedef struct Server Server;

/* All are borrowed and outlive the server. POLKIT: NULL if no limits will name it. */
Server *server_new(Loop *io, const Loader *loader, Polkit *polkit);

/* After server_stop(). NULL is allowed. */
void server_free(Server *server);

/* Any thread; takes effect for what comes after. */
void server_set_limits(Server *server, const ServerLimits *limits);

/* FN runs before each answer that a worker gives, and may wait a moment. Before the first connection. */
void server_set_before_answer(Server *server, void (*fn)(void));
void server_before_answer(const Server *server); /* for daemon/rpc/: any thread; does nothing on the I/O loop */

/* FD (taken over) is a new connection. I/O loop. */
void server_accept(Server *server, int fd, gboolean read_only);

/* Reads nothing more, waits until what is in flight is answered (at most SECONDS) and closes every connection. Not on
 * the I/O loop. */
void server_stop(Server *server, guint seconds);

/* For daemon/rpc/. */
Loop *server_loop(const Server *server);
const Loader *server_loader(const Server *server);
Polkit *server_polkit(const Server *server);
Costs *server_costs(Server *server); /* any thread */
ServerLimits server_limits(const Server *server); /* I/O loop */
gboolean server_is_stopping(const Server *server);
gboolean server_is_idle(const Server *server); /* nobody is connected; any thread */

/* One buffer that every connection reads into and has done with before it returns. I/O loop. */
#define SERVER_BUFFER_SIZE 65536
guint8 *server_buffer(Server *server);

/* A connection is gone. I/O loop. */
void server_forget(Server *server, Client *client);
