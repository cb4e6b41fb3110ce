/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a qcow2 image builds on. The file is opened and read in a killable copy of the process: a path can hang, and its
 * content is the guest's to choose. */
#include <glib.h>

/* TRUE if there is something at PATH, within a deadline; VIR_ERR_SYSTEM_ERROR with WHAT ("Cannot access ...") and the reason. */
gboolean block_probe_access(const char *path, const char *what, GError **error);

/* RET_BACKING: the backing file's name as it stands in the header, NULL if there is none. RET_FORMAT: its format's name,
 * NULL if the header does not say. Both to free. Not a qcow2 image: VIR_ERR_INTERNAL_ERROR; WHAT as above. */
gboolean block_probe_qcow2(const char *path, const char *what, char **ret_backing, char **ret_format, GError **error);

/* The same over an image's first bytes and what stands where these say the name is. */
gboolean block_probe_header(const guint8 *header, gsize length, const guint8 *name, gsize name_length, char **ret_backing,
                            char **ret_format, GError **error);
