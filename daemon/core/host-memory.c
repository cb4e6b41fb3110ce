/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/host-memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/params-check.h"
#include "lib/sysfs.h"

#define NODES "/sys/devices/system/node"

GArray *host_cells(const char *root)
{
    g_autoptr(CpuSet) online = sysfs_cpuset(root, NODES "/online");
    GArray *cells = g_array_new(FALSE, FALSE, sizeof(guint));
    for (int cell = online ? cpuset_next(online, -1) : -1; cell >= 0; cell = cpuset_next(online, cell)) {
        guint number = cell;
        g_array_append_val(cells, number);
    }
    if (cells->len == 0) {
        guint only = 0;
        g_array_append_val(cells, only);
    }
    return cells;
}

/* The text of /proc/meminfo or of a cell's, in the form of the former: a cell's lines begin with "Node N ". A host
 * without NUMA has no such files and one cell, which is then the whole. */
static char *meminfo_text(const char *root, int cell)
{
    if (cell == HOST_ALL_CELLS)
        return sysfs_text(root, "/proc/meminfo");
    g_autofree char *text = sysfs_text(root, NODES "/node%d/meminfo", cell);
    if (!text) {
        g_autofree char *folder = g_strconcat(root, NODES "/node0", NULL);
        return cell == 0 && access(folder, F_OK) != 0 ? sysfs_text(root, "/proc/meminfo") : NULL;
    }
    g_autofree char *prefix = g_strdup_printf("Node %d ", cell);
    g_auto(GStrv) parts = g_strsplit(text, prefix, -1);
    return g_strjoinv("", parts);
}

static gboolean meminfo_number(const char *text, const char *key, guint64 *ret_value)
{
    g_autofree char *value = sysfs_field(text, key);
    if (!value || !g_ascii_isdigit(*value))
        return FALSE;
    *ret_value = g_ascii_strtoull(value, NULL, 10);
    return TRUE;
}

static gboolean cell_memory(const char *root, int cell, guint64 *ret_total, guint64 *ret_free)
{
    g_autofree char *text = meminfo_text(root, cell);
    guint64 total;
    if (!text || !meminfo_number(text, "MemTotal", &total) || !meminfo_number(text, "MemFree", ret_free))
        return FALSE;
    *ret_total = total;
    return TRUE;
}

gboolean host_memory(const char *root, int cell, guint64 *ret_total, guint64 *ret_free)
{
    if (cell != HOST_ALL_CELLS)
        return cell_memory(root, cell, ret_total, ret_free);
    g_autoptr(GArray) cells = host_cells(root);
    guint64 total = 0, available = 0;
    for (guint i = 0; i < cells->len; i++) {
        guint64 cell_total, cell_free;
        if (!cell_memory(root, g_array_index(cells, guint, i), &cell_total, &cell_free))
            continue;
        total += cell_total;
        available += cell_free;
    }
    if (total == 0)
        return FALSE;
    *ret_total = total;
    *ret_free = available;
    return TRUE;
}

static char *huge_folder(int cell)
{
    if (cell == HOST_ALL_CELLS)
        return g_strdup("/sys/kernel/mm/hugepages");
    return g_strdup_printf(NODES "/node%d/hugepages", cell);
}

static gint compare_pages(gconstpointer a, gconstpointer b)
{
    const HostPages *left = a, *right = b;
    return left->size < right->size ? -1 : left->size > right->size;
}

/* The sizes above the ordinary one. */
static GArray *huge_pages(const char *root, int cell)
{
    GArray *pages = g_array_new(FALSE, TRUE, sizeof(HostPages));
    g_autofree char *folder = huge_folder(cell);
    g_autofree char *path = g_strconcat(root, folder, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        if (!g_str_has_prefix(name, "hugepages-"))
            continue;
        gint64 total, available;
        HostPages one = {.size = g_ascii_strtoull(name + strlen("hugepages-"), NULL, 10)};
        if (one.size == 0 || !sysfs_number(&total, root, "%s/%s/nr_hugepages", folder, name) ||
            !sysfs_number(&available, root, "%s/%s/free_hugepages", folder, name))
            continue;
        one.total = total;
        one.free = available;
        g_array_append_val(pages, one);
    }
    g_array_sort(pages, compare_pages);
    return pages;
}

GArray *host_pages(const char *root, int cell)
{
    GArray *pages = huge_pages(root, cell);
    guint64 total, available, huge = 0;
    if (!host_memory(root, cell, &total, &available))
        return pages;
    for (guint i = 0; i < pages->len; i++) {
        const HostPages *one = &g_array_index(pages, HostPages, i);
        huge += one->total * one->size;
    }
    guint size = getpagesize() / 1024;
    HostPages ordinary = {.size = size, .total = (total - MIN(huge, total)) / size, .free = available / size};
    g_array_prepend_val(pages, ordinary);
    return pages;
}

guint host_memory_figures(const char *root, int cell, HostFigure figures[HOST_MEMORY_FIGURES])
{
    static const struct {
        const char *key, *field;
        gboolean whole_only;
    } rows[HOST_MEMORY_FIGURES] = {
        {"MemTotal", VIR_NODE_MEMORY_STATS_TOTAL, FALSE},
        {"MemFree", VIR_NODE_MEMORY_STATS_FREE, FALSE},
        {"Buffers", VIR_NODE_MEMORY_STATS_BUFFERS, TRUE},
        {"Cached", VIR_NODE_MEMORY_STATS_CACHED, TRUE},
    };
    g_autofree char *text = meminfo_text(root, cell);
    guint n = 0;
    for (gsize i = 0; text && i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].whole_only && cell != HOST_ALL_CELLS)
            continue;
        if (meminfo_number(text, rows[i].key, &figures[n].value))
            figures[n++].field = rows[i].field;
    }
    return n;
}

static const struct {
    const char *file, *field;
    gboolean is_uint; /* and can be set */
} sharing[HOST_SHARING_MAX] = {
    {"pages_to_scan", VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN, TRUE},
    {"sleep_millisecs", VIR_NODE_MEMORY_SHARED_SLEEP_MILLISECS, TRUE},
    {"pages_shared", VIR_NODE_MEMORY_SHARED_PAGES_SHARED, FALSE},
    {"pages_sharing", VIR_NODE_MEMORY_SHARED_PAGES_SHARING, FALSE},
    {"pages_unshared", VIR_NODE_MEMORY_SHARED_PAGES_UNSHARED, FALSE},
    {"pages_volatile", VIR_NODE_MEMORY_SHARED_PAGES_VOLATILE, FALSE},
    {"full_scans", VIR_NODE_MEMORY_SHARED_FULL_SCANS, FALSE},
    {"merge_across_nodes", VIR_NODE_MEMORY_SHARED_MERGE_ACROSS_NODES, TRUE},
};

Params *host_sharing(const char *root)
{
    Params *params = params_new();
    for (gsize i = 0; i < G_N_ELEMENTS(sharing); i++) {
        gint64 value;
        if (!sysfs_number(&value, root, "/sys/kernel/mm/ksm/%s", sharing[i].file))
            continue;
        if (sharing[i].is_uint)
            params_uint(params, value, "%s", sharing[i].field);
        else
            params_ullong(params, value, "%s", sharing[i].field);
    }
    return params;
}

static const char *sharing_file(const char *field)
{
    for (gsize i = 0; i < G_N_ELEMENTS(sharing); i++) {
        if (g_str_equal(sharing[i].field, field))
            return sharing[i].file;
    }
    return NULL;
}

static gboolean write_number(const char *path, guint number)
{
    g_autofree char *text = g_strdup_printf("%u", number);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    gboolean ok = fd >= 0 && write(fd, text, strlen(text)) == (gssize)strlen(text);
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return ok;
}

gboolean host_set_sharing(const char *root, const Params *params, GError **error)
{
    static const ParamKnown known[] = {
        {VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN, VIR_TYPED_PARAM_UINT},
        {VIR_NODE_MEMORY_SHARED_SLEEP_MILLISECS, VIR_TYPED_PARAM_UINT},
        {VIR_NODE_MEMORY_SHARED_MERGE_ACROSS_NODES, VIR_TYPED_PARAM_UINT},
    };
    if (!params_check(params, known, G_N_ELEMENTS(known), error))
        return FALSE;
    for (guint i = 0; i < params_length(params); i++) {
        const Param *param = params_at(params, i);
        g_autofree char *path = g_strdup_printf("%s/sys/kernel/mm/ksm/%s", root, sharing_file(param->field));
        if (!write_number(path, param->value.ui))
            return error_set_errno(error, VIR_FROM_NONE, errno, "failed to set %s", param->field);
    }
    return TRUE;
}
