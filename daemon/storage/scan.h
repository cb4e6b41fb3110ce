/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Looking at a folder's files as volumes, in a forked copy: neither a file system that hangs nor what is in the files
 * can hold or harm the daemon. Any thread. */
#include "daemon/storage/backend.h"

#define SCAN_TEMPORARY ".duovirt-new-" /* files whose names begin so are volumes that are being made */

/* All of FOLDER. SWEEP: what a kill left of volumes that were being made goes. */
gboolean scan_folder(const char *folder, gboolean sweep, Content *ret_content, GError **error);

/* The one file NAME in FOLDER; NULL with VIR_ERR_SYSTEM_ERROR. */
StorageVolume *scan_file(const char *folder, const char *name, GError **error);
