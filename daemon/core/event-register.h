/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Which connection wants to hear of what: kept until it is taken back, or the connection closes.
 *
 * Each event is held against each registration, and anybody may register by the read-only socket: so a connection has a
 * maximum, and so has a user, other than root, over all of his connections.
 */
#include "daemon/core/event.h"
#include "daemon/rpc/call.h"

#define EVENT_LEGACY (-1) /* instead of a number: of the older form of the protocol */

typedef struct {
    EventSink sink;
    gpointer data;
    GDestroyNotify destroy; /* of DATA; also where the registration fails */
} EventListener;

int event_register_number(void); /* a new one */

/* LISTENER hears of events EVENT_ID of the domain UUID (NULL: all), under NUMBER. Any thread. */
gboolean event_register(Call *call, int event_id, const guint8 *uuid, int number, const EventListener *listener, GError **error);

/* Ends CLIENT's registration with NUMBER; of the older form the first for EVENT_ID. EVENT_MONITOR has numbers of its own.
 * FALSE: there is none. */
gboolean event_deregister(Client *client, int number, int event_id);
