/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The small text files by which the kernel tells of itself (/proc, /sys).
 *
 * ROOT is put before every path: "" on the real host, a folder with a copy of another machine's files in tests. PATH
 * is a printf format. A file that is not there, or does not hold what was asked for, is an expected answer (NULL,
 * FALSE), not an error: what the kernel tells differs by version, architecture and machine. Any thread; these files do
 * not block.
 */
#include <glib.h>
#include "lib/cpuset.h"

#define SYSFS_FILE_MAX (4 * 1024 * 1024) /* the rest of a longer one is not read */

/* The whole text without the white space at its end, to free. */
char *sysfs_text(const char *root, const char *path, ...) G_GNUC_PRINTF(2, 3);

/* A decimal number. */
gboolean sysfs_number(gint64 *ret_number, const char *root, const char *path, ...) G_GNUC_PRINTF(3, 4);

/* A list like "0-3,8", to free. */
CpuSet *sysfs_cpuset(const char *root, const char *path, ...) G_GNUC_PRINTF(2, 3);

/* The numbers N of the entries PREFIXN in a folder, ascending; empty if there is no such folder. Elements are guint. */
GArray *sysfs_numbered(const char *root, const char *folder, const char *prefix);

/* In TEXT of the form "key: value" or "key value" a line: the value of the first line with KEY, to free. Blanks do not
 * matter. */
char *sysfs_field(const char *text, const char *key);
