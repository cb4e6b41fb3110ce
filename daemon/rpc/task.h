/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A call on its way: from its message to the lane it runs on, its handler, and its answer. */
#include "daemon/rpc/call.h"
#include "daemon/rpc/frame.h"

/* `call` is first: a handler's Call is its Task. */
typedef struct {
    Call call;
    gpointer args, ret; /* of the row's types; NULL: the row has none */
    gsize octets;       /* of its message: what the client is charged until it is answered */
    gsize expected;     /* of its answer, while it is made elsewhere than on the loop; 0: nobody knows */
    WireLane lane;      /* by its row and flags, once it was handed over */
    guint64 cost_key;   /* costs.h; 0: it is not measured */
} Task;

/* For a call of PROC; ARGS are still to be decoded. I/O loop. */
Task *task_new(Client *client, const WireProc *proc, const Frame *frame);

/* The descriptors that came with FRAME are the call's. */
void task_take_fds(Task *task, const Frame *frame);

/* Runs it on its row's lane, at once or later; it is answered and freed there. FALSE with ERROR if it cannot run: it is
 * the caller's still. I/O loop. */
gboolean task_hand_over(Task *task, GError **error);

/* Answers by ERROR, and frees it. */
void task_refuse(Task *task, const GError *error);
