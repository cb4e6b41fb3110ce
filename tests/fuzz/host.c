/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel shows of the host, one file after the other, divided by NUL octets. */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/host-memory.h"
#include "daemon/core/host-sysinfo.h"
#include "daemon/core/host-topology.h"
#include "lib/sysfs.h"

#define CPUS_MAX 64 /* each is some files to read */
#define CELLS_MAX 8

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length);

static const char *const files[] = {
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/present",
    "/sys/devices/system/node/online",
    "/proc/meminfo",
    "/sys/devices/system/cpu/cpu0/topology/core_id",
    "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
    "/sys/devices/system/cpu/cpu0/cache/index3/level",
    "/sys/devices/system/cpu/cpu0/cache/index3/id",
    "/sys/devices/system/cpu/cpu0/cache/index3/size",
    "/sys/devices/system/cpu/cpu0/cache/index3/type",
    "/sys/devices/system/cpu/cpu0/cache/index3/shared_cpu_list",
    "/sys/devices/system/node/node0/cpulist",
    "/sys/devices/system/node/node0/distance",
    "/sys/devices/system/node/node0/meminfo",
    "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages",
    "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages",
    "/sys/kernel/mm/ksm/pages_to_scan",
    "/sys/class/dmi/id/product_uuid",
    "/sys/class/dmi/id/sys_vendor",
};

static char *root;

static void remove_root(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_strconcat(root, files[i], NULL);
        do
            g_remove(path);
        while (strlen(path) > strlen(root) && (*strrchr(path, '/') = '\0', strlen(path) >= strlen(root)));
    }
    g_free(root);
}

static void make_root(void)
{
    root = g_dir_make_tmp("fuzz-host-XXXXXX", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_strconcat(root, files[i], NULL), *folder = g_path_get_dirname(path);
        g_mkdir_with_parents(folder, 0700);
    }
    atexit(remove_root);
}

static void write_files(const guint8 *data, gsize length)
{
    const guint8 *end = data + length;

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_strconcat(root, files[i], NULL);
        const guint8 *next = data < end ? memchr(data, 0, end - data) : NULL;
        gsize part = next ? (gsize)(next - data) : (gsize)(end - data);
        FILE *file = fopen(path, "w");
        fwrite(data, 1, part, file);
        fclose(file);
        data = next ? next + 1 : end;
    }
}

static gboolean is_small(void)
{
    g_autoptr(CpuSet) cpus = sysfs_cpuset(root, "%s", files[0]), siblings = sysfs_cpuset(root, "%s", files[11]);
    g_autoptr(GArray) cells = host_cells(root);

    return (!cpus || cpuset_count(cpus) <= CPUS_MAX) && (!siblings || cpuset_count(siblings) <= CPUS_MAX) && cells->len <= CELLS_MAX;
}

static void ask(void)
{
    g_autoptr(GArray) cpus = host_cell_cpus(root, 0), distances = host_cell_distances(root, 0), caches = host_caches(root);
    g_autoptr(GArray) pages = host_pages(root, 0), all_pages = host_pages(root, HOST_ALL_CELLS);
    g_autofree char *sysinfo = host_sysinfo(root, NULL), *uuid = host_sysinfo_uuid(root);
    g_autoptr(Params) sharing = host_sharing(root);
    HostFigure figures[HOST_MEMORY_FIGURES];
    HostTopology topology;
    guint present = 0;
    g_autoptr(CpuSet) online = host_online_cpus(root, &present);
    guint64 total, available;

    host_topology(root, &topology);
    if (topology.nodes * topology.sockets * topology.cores * topology.threads < topology.cpus)
        __builtin_trap();
    host_memory(root, 0, &total, &available);
    host_memory(root, HOST_ALL_CELLS, &total, &available);
    host_memory_figures(root, 0, figures);
    host_memory_figures(root, HOST_ALL_CELLS, figures);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length)
{
    if (!root)
        make_root();
    write_files(data, length);
    if (is_small())
        ask();
    return 0;
}
