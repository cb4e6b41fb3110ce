/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * From a message to its answer: row, decoding, permission, flags, lane, handler, encoding. The only such sequence in
 * the daemon.
 */
#include "daemon/rpc/frame.h"

typedef struct Client Client;

/* Answers FRAME, now or later, or refuses the client. I/O loop. */
void dispatch_frame(Client *client, const Frame *frame);
