/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the firmware says of the machine (SMBIOS), as the kernel shows it. */
#include <glib.h>

/* The <sysinfo type='smbios'> document, to free. NULL with VIR_ERR_CONFIG_UNSUPPORTED where the kernel shows
 * nothing. ROOT is put before the paths. Any thread. */
char *host_sysinfo(const char *root, GError **error);

/* The machine's UUID as text, to free; NULL if it has none worth the name. */
char *host_sysinfo_uuid(const char *root);
