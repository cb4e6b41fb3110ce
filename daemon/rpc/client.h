/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * One connection: what it may, what it holds, what waits to be sent to it.
 *
 * The I/O loop reads and dispatches; answers and events are written by the thread that has them, directly while the
 * socket takes them, so that neither costs a thread hop. What a connection can make the daemon hold is bounded:
 *
 *   calls in flight, and their octets   at the bound the socket is not read until one is answered
 *   answers that wait to be sent        above CLIENT_BACKLOG_PAUSE the socket is not read; above CLIENT_BACKLOG_MAX the
 *                                       connection is closed
 *   events that wait to be sent         an event that would raise what waits above CLIENT_BACKLOG_EVENTS closes the
 *                                       connection: a client that lost one would never know
 *   messages of which a part has come   what a message may have
 *   all of that, of one user's connections   ACCOUNT_OCTETS_MAX (daemon/auth/account.h), then the one that asks for more is
 *                                       closed, unless it holds little itself
 *   descriptors that wait to be closed  CLOSER_WAITING_MAX of one user (daemon/auth/closer.h), then who passes more is closed
 *   time without connect_open           the configured handshake_timeout, then closed
 */
#include <glib.h>
#include "daemon/auth/identity.h"
#include "daemon/rpc/wire.h"

#define CLIENT_BACKLOG_PAUSE (1024 * 1024)
#define CLIENT_BACKLOG_EVENTS (8 * 1024 * 1024)
#define CLIENT_BACKLOG_MAX (64 * 1024 * 1024)
#define CLIENT_HOLDS_LITTLE (256 * 1024)

typedef struct Client Client;
typedef struct DriverInstance DriverInstance;

/* Any thread, for everything below. */
Client *client_ref(Client *client);
void client_unref(Client *client); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_unref)

/* A small number that no other connection of this daemon has or had; for messages. */
guint64 client_id(const Client *client);

/* Who it is. read_only also if the connection was opened with VIR_CONNECT_RO. Valid as long as CLIENT. */
const Identity *client_identity(const Client *client);

/* The driver its connect_open chose; NULL before. */
const DriverInstance *client_instance(const Client *client);

/* Sends EVENT (a row with is_event) with MSG, its message struct. FALSE if the connection is closed, or was closed now
 * because the client does not read its events (see above; the log says so). Never blocks. */
gboolean client_send_message(Client *client, const WireProc *event, gconstpointer msg);

/* FN(DATA) when the connection closes, once, on the I/O loop: it must not block. In the reverse order of adding.
 * Returns a number for client_remove_close_hook(), 0 if the connection is closed already: FN will not run, and
 * whatever needed it must be undone by the caller. */
typedef void (*ClientHook)(gpointer data);
guint client_add_close_hook(Client *client, ClientHook fn, gpointer data);

/* FALSE if it has run, or is running. */
gboolean client_remove_close_hook(Client *client, guint hook);
