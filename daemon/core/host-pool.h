/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The pools of huge pages that the kernel keeps for whoever asks for them by name. */
#include <glib.h>

/* The pool of pages of SIZE KiB on CELL (HOST_ALL_CELLS: the host's; the kernel chooses where) has COUNT from now on, or as
 * many more (ADD). VIR_ERR_OPERATION_UNSUPPORTED for ordinary pages, VIR_ERR_OPERATION_FAILED where there is no such pool or
 * the kernel finds less memory (what it found stays), VIR_ERR_SYSTEM_ERROR. ROOT as in host-memory.h. Blocks while the kernel
 * looks for memory, a minute at most. */
gboolean host_pool_set(const char *root, int cell, guint size, guint64 count, gboolean add, GError **error);
