/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Paths that may hang: a network file system whose server is gone, a file system of somebody's own program. They are opened
 * in a forked copy that is killed at the deadline, and the descriptor comes back from there. Any thread; DEADLINE is
 * g_get_monotonic_time() in microseconds. -1 or FALSE with errno, ETIMEDOUT where the path hangs.
 */
#include <glib.h>
#include <sys/stat.h>
#include <sys/types.h>

#define PATIENT_USEC (10 * G_USEC_PER_SEC) /* what a caller without a deadline of its own takes */

/* As open(2); the descriptor is close-on-exec. */
int patient_open(const char *path, int flags, mode_t mode, gint64 deadline);

/* As stat(2). */
gboolean patient_stat(const char *path, struct stat *ret_info, gint64 deadline);
