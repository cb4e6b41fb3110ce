/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The host's memory, by NUMA cell and page size, and how pages are shared (KSM).
 *
 * ROOT is put before the paths of the kernel's files ("" on the real host). A CELL of HOST_ALL_CELLS means the whole
 * host. Any thread.
 */
#include <glib.h>
#include "lib/params.h"

#define HOST_ALL_CELLS (-1)

/* The NUMA cells' numbers, ascending (guint). A host without NUMA has one cell, 0. Never empty. */
GArray *host_cells(const char *root);

/* FALSE if there is no such cell. In KiB; on a NUMA host the whole is the sum of the cells. */
gboolean host_memory(const char *root, int cell, guint64 *ret_total, guint64 *ret_free);

typedef struct {
    guint size; /* KiB */
    guint64 total, free; /* pages of that size; ordinary pages are those that no larger size has taken */
} HostPages;

/* By ascending size; HostPages. */
GArray *host_pages(const char *root, int cell);

typedef struct {
    const char *field; /* static: VIR_NODE_MEMORY_STATS_... */
    guint64 value;     /* KiB */
} HostFigure;

#define HOST_MEMORY_FIGURES 4

/* What the kernel counts (total, free, and for the whole host buffers, cached). How many were found; 0: no such
 * cell. */
guint host_memory_figures(const char *root, int cell, HostFigure figures[HOST_MEMORY_FIGURES]);

/* How many parameters of memory sharing libvirt names; a kernel may have fewer. */
#define HOST_SHARING_MAX 8
Params *host_sharing(const char *root);

/* Sets what of it can be set: PARAMS by libvirt's names. VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_INVALID_ARG,
 * VIR_ERR_SYSTEM_ERROR. */
gboolean host_set_sharing(const char *root, const Params *params, GError **error);
