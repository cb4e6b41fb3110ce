/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A libxl context of one's own, for one question or operation, on one thread.
 *
 * libxl holds a context's lock across its questions to xenstore: guests that shared one would wait for each other. A context
 * costs a connection to xenstore and one to the hypervisor, half a millisecond.
 *
 * What takes long is asked for with CONTEXT_HOW, and waited for by context_wait(): by its deadline it is told to stop.
 * libxl's children are its own to reap, by their pids.
 */
#include <libxl.h>
#include <libxl_utils.h>

#include "lib/driver/driver.h"

typedef struct {
    xentoollog_logger logger; /* first: libxl hands it back */
    const DriverHost *host;
    libxl_ctx *libxl;
    char *cause; /* the last error that libxl logged */
    libxl_asyncop_how how;
    int rc; /* of the operation that `how` was given to */
    gboolean done;
} Context;

/* NULL with VIR_ERR_INTERNAL_ERROR: the hypervisor or xenstore cannot be reached; with VIR_ERR_OPERATION_TIMEOUT: xenstored does
 * not answer. */
Context *context_new(const DriverHost *host, GError **error);
void context_free(Context *context); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Context, context_free)

/* What to give to a call that takes an asyncop_how: context_wait() must follow if the call returns 0. */
const libxl_asyncop_how *context_how(Context *context);

/* RC is what the call returned. The result of the operation; ERROR_TIMEDOUT if it was stopped at DEADLINE (monotonic). */
int context_wait(Context *context, int rc, gint64 deadline);

/* An error of the driver's, with the cause that libxl logged. Returns FALSE. */
gboolean context_failed(Context *context, virErrorNumber code, GError **error, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Handles what is there to be handled and what comes until DEADLINE, or until DONE (NULL: none) or WAKE (an eventfd; -1: none) says so. */
void context_run(Context *context, const gboolean *done, int wake, gint64 deadline);
