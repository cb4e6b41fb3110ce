/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Sees that domains shut down, crash or are gone, whoever did it, on a thread with a context of its own. What takes time at a
 * domain's end is on a thread of that end.
 */
#include "driver-xen/guest.h"

typedef struct Watch Watch;

/* Blocks shortly. NULL as context_new(). */
Watch *watch_new(const DriverHost *host, GError **error);
/* Returns when the thread and those of ends are over. */
void watch_free(Watch *watch);

/* From now on; an end that has been before is seen as well. Takes a reference until watch_drop(). */
gboolean watch_add(Watch *watch, Guest *guest, GError **error);
/* The process that is GUEST's hardware is gone: where the guest is still there, that is its end. Any thread; does not wait. */
void watch_lost(Guest *guest);
/* Returns when nothing more will be told. Harmless if it was not added. Any thread but the watcher's. */
void watch_drop(Watch *watch, Guest *guest);
