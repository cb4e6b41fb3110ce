/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * logind's delay of the host's shutdown: held while it is wanted, so that logind tells of a shutdown and waits for us.
 *
 * A host without logind, or whose logind refuses, goes down without that: a line in the log says so. All functions: the
 * loop's thread; callbacks too.
 */
#include "daemon/bus.h"

typedef struct Inhibitor Inhibitor;

typedef struct {
    /* GOES: the host goes down, and waits for inhibitor_release() as long as logind lets it; else that was called off. */
    void (*goes)(gboolean goes, gpointer data);
    /* Once: what logind said when it was asked first, FALSE where it cannot be asked. No call of `goes` came for it. */
    void (*known)(gboolean goes, gpointer data);
} InhibitorEvents;

/* EVENTS and BUS are borrowed. */
Inhibitor *inhibitor_new(Loop *loop, Bus *bus, const InhibitorEvents *events, gpointer data);
void inhibitor_free(Inhibitor *inhibitor); /* NULL is allowed; also when the loop does not run any more */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Inhibitor, inhibitor_free)

/* Whether the host is to wait. While one is held, FALSE lets it go. */
void inhibitor_want(Inhibitor *inhibitor, gboolean wanted);

/* The host need not wait any longer, even if it is wanted: what there was to do is done. */
void inhibitor_release(Inhibitor *inhibitor);
