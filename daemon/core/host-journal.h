/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a host's shutdown is about to do with its guests, a line each: UUID and the action's name. Written to the disk before
 * anything is done; gone when those that are to go on (all that were to be saved) have been started again. Any thread.
 */
#include "lib/driver/host.h"

/* The whole of it; empty if there is none. To free. */
char *host_journal_read(const DriverPaths *paths);
gboolean host_journal_write(const DriverPaths *paths, const char *text, GError **error);
gboolean host_journal_remove(const DriverPaths *paths, GError **error);
gboolean host_journal_exists(const DriverPaths *paths);

/* One line. */
void host_journal_add(GString *text, const char *uuid, guint action);

/* Whether the domain with UUID is to go on. */
gboolean host_journal_has(const char *text, const char *uuid);
