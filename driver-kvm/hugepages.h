/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Huge pages come from file systems of theirs (hugetlbfs), one for each size. A guest that uses some has a folder there while
 * it runs, MOUNT/duovirt/UUID, which belongs to QEMU's user; QEMU's files in it have no names. They live in the kernel's
 * memory alone, so that touching them does not hang.
 */
#include "driver-kvm/argv.h"

/* The kernel's own size, in KiB. */
guint64 hugepages_usual(void);

/* Makes the folders that LIVE's memory needs, and puts them into CONTEXT. VIR_ERR_INTERNAL_ERROR where nothing of a size is
 * mounted. */
gboolean hugepages_prepare(const Domain *live, ArgvContext *context, GError **error);

/* The folder for pages of KIB; to free. */
char *hugepages_folder(const ArgvContext *context, guint64 kib);

/* Removes the folders; harmless if there are none. */
void hugepages_release(const Domain *live);
