/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/host-pool.h"

#include <errno.h>
#include <unistd.h>

#include "daemon/core/host-memory.h"
#include "lib/error.h"
#include "lib/patient.h"
#include "lib/sysfs.h"

#define NODES "/sys/devices/system/node"
#define SEARCH_USEC (60 * G_USEC_PER_SEC) /* for memory that can be freed */

static char *pool_path(int cell, guint size)
{
    if (cell == HOST_ALL_CELLS)
        return g_strdup_printf("/sys/kernel/mm/hugepages/hugepages-%ukB/nr_hugepages", size);
    return g_strdup_printf(NODES "/node%d/hugepages/hugepages-%ukB/nr_hugepages", cell, size);
}

static gboolean no_pool(const char *root, int cell, guint size, GError **error)
{
    g_autofree char *node = g_strdup_printf("%s" NODES "/node%d", root, cell);

    if (cell != HOST_ALL_CELLS && access(node, F_OK) < 0)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "NUMA node %d is not available", cell);
    return cell == HOST_ALL_CELLS
               ? error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "page size %u is not available", size)
               : error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "page size %u is not available on node %d", size, cell);
}

gboolean host_pool_set(const char *root, int cell, guint size, guint64 count, gboolean add, GError **error)
{
    g_autofree char *path = pool_path(cell, size);
    g_autofree char *whole = g_strconcat(root, path, NULL);
    gint64 now;

    if (size == (guint)getpagesize() / 1024)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_UNSUPPORTED, "system pages pool can't be modified");
    if (!sysfs_number(&now, root, "%s", path))
        return no_pool(root, cell, size, error);
    if (count > (guint64)(G_MAXINT64 - (add ? now : 0)))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_OVERFLOW, "%" G_GUINT64_FORMAT " pages", count);
    gint64 wanted = (gint64)count + (add ? now : 0);
    if (wanted == now)
        return TRUE;
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, wanted);
    if (!patient_write_text(whole, text, g_get_monotonic_time() + SEARCH_USEC))
        return error_set_errno(error, VIR_FROM_NONE, errno, "Unable to write to: %s", path);
    if (!sysfs_number(&now, root, "%s", path) || now == wanted)
        return TRUE;
    return error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                     "Unable to allocate %" G_GINT64_FORMAT " pages. Allocated only %" G_GINT64_FORMAT, wanted, now);
}
