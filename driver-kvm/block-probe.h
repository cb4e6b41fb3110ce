/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What an image builds on. The file is opened and read in a killable copy of the process: a path can hang, and its content is
 * the guest's to choose. */
#include <glib.h>
#include "lib/model/model.h"

/* TRUE if there is something at PATH, within a deadline; VIR_ERR_SYSTEM_ERROR with WHAT ("Cannot access ...") and the reason. */
gboolean block_probe_access(const char *path, const char *what, GError **error);

/* What the image at PATH says of itself: its format, the backing file's name as it stands in the header (to free; NULL: there is
 * none), and the format of that (unset if the header does not say, or one that we don't know). WHAT as above. VIR_ERR_INTERNAL_ERROR:
 * the header is damaged. */
gboolean block_probe_image(const char *path, const char *what, StorageFormat *ret_format, char **ret_backing,
                           StorageFormat *ret_backing_format, GError **error);
