/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Which calls of the read lane take long, as they were seen to: the document of one domain may have megabytes, that of
 * the next a page. A call that held the I/O loop for long runs on the work lane from then on, until it is quick there.
 * That costs one long turn of the loop, but asks nothing of the handlers, and holds for every one of them; one that can
 * tell beforehand says so by call_defer().
 *
 * Any thread.
 */
#include <glib.h>
#include "daemon/rpc/wire.h"

#define COSTS_LONG_USEC 3000
#define COSTS_SLOTS 256

typedef struct {
    guint64 key;  /* 0: free */
    gsize octets; /* of the answer */
} Cost;

typedef struct {
    GMutex lock;
    Cost slots[COSTS_SLOTS]; /* by their key; who comes later takes the place */
} Costs;

/* Of a call of PROC with ARGS: alike for all that ask the same of one domain. 0 where the answer cannot grow: that stays
 * on the loop. */
guint64 costs_key(const WireProc *proc, gconstpointer args);

/* Whether such a call takes long; and how large its answer was. */
gboolean costs_are_long(Costs *costs, guint64 key, gsize *ret_octets);

/* It took USEC, and was answered by OCTETS. */
void costs_note(Costs *costs, guint64 key, gint64 usec, gsize octets);
