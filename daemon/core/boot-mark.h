/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Whose start with the host is settled in this boot, over restarts of the daemon: a file that does not outlive the boot, with a
 * UUID a line, and BOOT_MARK_ALL for the last.
 */
#include "lib/driver/host.h"

#define BOOT_MARK_ALL "all"

char *boot_mark_read(const DriverPaths *paths); /* to free; "" where there is none */
gboolean boot_mark_has(const char *text, const char *line);

/* LINE comes to TEXT and to the file, which TEXT is the whole of. */
gboolean boot_mark_add(const DriverPaths *paths, GString *text, const char *line, GError **error);
