/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Is this host one that can run Xen guests? Asked of the kernel alone, so that libxl is not touched where there is
 * no Xen. */
#include <glib.h>

/* TRUE in a Xen control domain (dom0). FALSE with VIR_ERR_CONFIG_UNSUPPORTED that says what is missing. ROOT is put
 * before the paths of the kernel's files ("" on the real host). Any thread; does not block. */
gboolean presence_check(const char *root, GError **error);
