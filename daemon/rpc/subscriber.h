/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Who wants to know what happens to objects of one kind (pools, secrets): for each connection at most SUBSCRIBERS_MAX callbacks, and a
 * bound for all, since each event is held against each. They end with their connection. Any thread; nothing here waits.
 */
#include "daemon/rpc/call.h"

#define SUBSCRIBERS_MAX 1024

typedef struct Subscribers Subscribers;

typedef struct {
    Client *client; /* borrowed */
    int callback;   /* its number for the client */
} Subscriber;

Subscribers *subscribers_new(void); /* for as long as the process lives */

/* CALL's connection hears of EVENT of the object with UUID (NULL: of all) from now on. VIR_ERR_RESOURCE_BUSY. */
gboolean subscribers_add(Subscribers *all, Call *call, int event, const guint8 *uuid, int *ret_callback, GError **error);

/* FALSE: it has no such callback. */
gboolean subscribers_remove(Subscribers *all, Call *call, int callback);

/* FN for each who wants to hear of EVENT of the object with UUID; in the order of the calls of this. FN must not come back here. */
typedef void (*SubscriberFunc)(const Subscriber *subscriber, gpointer data);
void subscribers_tell(Subscribers *all, int event, const guint8 uuid[16], SubscriberFunc fn, gpointer data);
