/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Paths that may hang: a network file system whose server is gone, a file system of somebody's own program. They are touched
 * in a forked copy that is killed at the deadline; a descriptor comes back from there. Any thread; DEADLINE is
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

/* As bind(2) of the unix socket FD to PATH, in place of a socket that has the name already; any other file is not touched. */
gboolean patient_bind(int fd, const char *path, gint64 deadline);

/* As unlink(2). */
gboolean patient_unlink(const char *path, gint64 deadline);

/* Removes PATH if it is a socket; any other file is not touched. */
gboolean patient_unlink_socket(const char *path, gint64 deadline);

/* As pread(2); all that there is, up to LENGTH, in RET_LENGTH. */
gboolean patient_read(int fd, void *data, gsize length, gint64 at, gsize *ret_length, gint64 deadline);

/* The file FD begins with DATA from now on, and that is on the disk. */
gboolean patient_write_head(int fd, const void *data, gsize length, gint64 deadline);

/* Writes TEXT to a file that is there, by one write(2): what the kernel does for it may take long. */
gboolean patient_write_text(const char *path, const char *text, gint64 deadline);

/* As close(2), which also may hang; never waits. */
void patient_close(int fd);
