/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Small JSON files in which a host's packages say what they bring for QEMU (its docs/interop): firmware, programs beside it.
 *
 * Files of one name in a later folder replace those of an earlier one; an empty one only hides it. They are read in the order
 * of their names. What is in them is not trusted.
 */
#include <glib.h>

/* Where descriptors of WHAT ("firmware") lie; ends with NULL. Whoever is not root has a folder of his own. */
char **descriptor_folders(const char *what);

/* FN for each file that is not empty, until it returns FALSE. A file that cannot be read comes with TEXT NULL and why.
 * Blocks on the disk. */
typedef gboolean (*DescriptorFunc)(const char *path, const char *text, gsize length, const char *why, gpointer data);
void descriptor_each(const char *const *folders, DescriptorFunc fn, gpointer data);
