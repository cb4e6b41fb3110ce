/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's figures, read from copies of what kernels show: a machine with two NUMA cells, one without any. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/host-cpu.h"
#include "daemon/core/host-memory.h"
#include "daemon/core/host-pool.h"
#include "daemon/core/host-sysinfo.h"
#include "daemon/core/host-topology.h"
#include "daemon/core/hostcaps.h"
#include "lib/error.h"
#include "lib/file.h"

static char *root;

G_GNUC_PRINTF(2, 3) static void put(const char *text, const char *path, ...)
{
    va_list args;
    va_start(args, path);
    g_autofree char *relative = g_strdup_vprintf(path, args);
    va_end(args);
    g_autofree char *whole = g_strconcat(root, relative, NULL);
    g_autofree char *folder = g_path_get_dirname(whole);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(whole, text, -1, NULL));
}

static void start_over(void)
{
    g_assert_true(file_remove_tree(root, NULL));
    g_assert_cmpint(g_mkdir(root, 0755), ==, 0);
}

#define CPU "/sys/devices/system/cpu"
#define NODE "/sys/devices/system/node"

static void put_cpu(guint cpu, guint socket, guint core, const char *siblings)
{
    g_autofree char *socket_text = g_strdup_printf("%u\n", socket);
    g_autofree char *core_text = g_strdup_printf("%u\n", core);
    put(socket_text, CPU "/cpu%u/topology/physical_package_id", cpu);
    put(core_text, CPU "/cpu%u/topology/core_id", cpu);
    put("-1\n", CPU "/cpu%u/topology/die_id", cpu);
    put(siblings, CPU "/cpu%u/topology/thread_siblings_list", cpu);
}

static void put_cache(guint cpu, guint index, guint level, guint id, const char *type, const char *cpus)
{
    g_autofree char *level_text = g_strdup_printf("%u\n", level);
    g_autofree char *id_text = g_strdup_printf("%u\n", id);
    put(level_text, CPU "/cpu%u/cache/index%u/level", cpu, index);
    put(id_text, CPU "/cpu%u/cache/index%u/id", cpu, index);
    put(type, CPU "/cpu%u/cache/index%u/type", cpu, index);
    put("1536K\n", CPU "/cpu%u/cache/index%u/size", cpu, index);
    put(cpus, CPU "/cpu%u/cache/index%u/shared_cpu_list", cpu, index);
}

static const char cpuinfo[] = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n"
                              "model name\t: Some CPU\nstepping\t: 4\nmicrocode\t: 0x2000065\ncpu MHz\t\t: 1000.1\n"
                              "address sizes\t: 46 bits physical, 48 bits virtual\n\n"
                              "processor\t: 1\ncpu MHz\t\t: 2100.999\n";

/* Two cells (numbers 0 and 2) of one socket with two cores of two threads; CPU 7 is off but shown in its cell. */
static void put_two_cells(void)
{
    start_over();
    put("0-7\n", CPU "/present");
    put("0-6\n", CPU "/online");
    put("0,2\n", NODE "/online");
    put("0-3\n", NODE "/node0/cpulist");
    put("4-6\n", NODE "/node2/cpulist");
    for (guint cpu = 0; cpu < 8; cpu++)
        put("", NODE "/node%u/cpu%u/x", cpu < 4 ? 0 : 2, cpu);
    put("10 21\n", NODE "/node0/distance");
    put("21 10\n", NODE "/node2/distance");
    put("Node 0 MemTotal: 1000000 kB\nNode 0 MemFree: 400000 kB\n", NODE "/node0/meminfo");
    put("Node 2 MemTotal: 2000000 kB\nNode 2 MemFree: 500000 kB\n", NODE "/node2/meminfo");
    put("100\n", NODE "/node0/hugepages/hugepages-2048kB/nr_hugepages");
    put("40\n", NODE "/node0/hugepages/hugepages-2048kB/free_hugepages");
    put("1\n", NODE "/node0/hugepages/hugepages-1048576kB/nr_hugepages");
    put("0\n", NODE "/node0/hugepages/hugepages-1048576kB/free_hugepages");
    put("MemTotal: 3100000 kB\nMemFree: 900001 kB\nMemAvailable: 5 kB\n"
        "Buffers: 77 kB\nCached: 88 kB\nSwapCached: 9 kB\n",
        "/proc/meminfo");
    put(cpuinfo, "/proc/cpuinfo");
    static const char *const siblings[] = {"0-1", "0-1", "2-3", "2-3", "4-5", "4-5", "6"};
    for (guint cpu = 0; cpu < G_N_ELEMENTS(siblings); cpu++) {
        put_cpu(cpu, cpu / 4, cpu / 2 % 2, siblings[cpu]);
        put_cache(cpu, 0, 1, cpu, "Data\n", siblings[cpu]);
        put_cache(cpu, 3, 3, cpu / 4, "Unified\n", cpu < 4 ? "0-3\n" : "4-6\n");
    }
}

static void test_cells(void)
{
    put_two_cells();
    g_autoptr(GArray) cells = host_cells(root);
    g_assert_cmpuint(cells->len, ==, 2);
    g_assert_cmpuint(g_array_index(cells, guint, 1), ==, 2);

    g_autoptr(GArray) cpus = host_cell_cpus(root, 2);
    g_assert_cmpuint(cpus->len, ==, 3);
    const HostCpu *last = &g_array_index(cpus, HostCpu, 2);
    g_assert_cmpuint(last->id, ==, 6);
    g_assert_cmpuint(last->socket, ==, 1);
    g_assert_cmpuint(last->core, ==, 1);
    g_assert_cmpuint(last->die, ==, 0);
    g_assert_cmpuint(cpuset_count(last->siblings), ==, 1);

    g_autoptr(GArray) distances = host_cell_distances(root, 2);
    g_assert_cmpuint(distances->len, ==, 3);
    g_assert_cmpuint(g_array_index(distances, guint, 0), ==, 21);
    g_assert_cmpuint(g_array_index(distances, guint, 1), ==, 0);
    g_assert_cmpuint(g_array_index(distances, guint, 2), ==, 10);

    HostTopology topology;
    host_topology(root, &topology);
    g_assert_cmpuint(topology.cpus, ==, 7);
    g_assert_cmpuint(topology.nodes, ==, 2);
    g_assert_cmpuint(topology.sockets, ==, 1);
    g_assert_cmpuint(topology.cores, ==, 2);
    g_assert_cmpuint(topology.threads, ==, 2);

    guint present = 0;
    g_autoptr(CpuSet) online = host_online_cpus(root, &present);
    g_assert_cmpuint(present, ==, 8);
    g_assert_cmpuint(cpuset_count(online), ==, 7);

    g_autoptr(GArray) caches = host_caches(root);
    g_assert_cmpuint(caches->len, ==, 2);
    const HostCache *cache = &g_array_index(caches, HostCache, 1);
    g_assert_cmpuint(cache->id, ==, 1);
    g_assert_cmpuint(cache->size, ==, 1536);
    g_assert_cmpstr(cache->type, ==, "both");
}

/* Sockets with different numbers of cores are no product: told as one socket. */
static void test_uneven(void)
{
    put_two_cells();
    put_cpu(5, 1, 2, "5");
    put_cpu(4, 1, 0, "4");
    HostTopology topology;
    host_topology(root, &topology);
    g_assert_cmpuint(topology.nodes * topology.sockets * topology.threads, ==, 1);
    g_assert_cmpuint(topology.cores, ==, 8);
    g_assert_cmpuint(topology.cpus, ==, 7);
}

static void test_memory(void)
{
    put_two_cells();
    guint64 total, available;
    g_assert_true(host_memory(root, 2, &total, &available));
    g_assert_cmpuint(total, ==, 2000000);
    g_assert_cmpuint(available, ==, 500000);
    g_assert_false(host_memory(root, 1, &total, &available));
    g_assert_true(host_memory(root, HOST_ALL_CELLS, &total, &available));
    g_assert_cmpuint(total, ==, 3000000);
    g_assert_cmpuint(available, ==, 900000);

    g_autoptr(GArray) pages = host_pages(root, 0);
    guint size = getpagesize() / 1024;
    g_assert_cmpuint(pages->len, ==, 3);
    const HostPages *ordinary = &g_array_index(pages, HostPages, 0);
    g_assert_cmpuint(ordinary->size, ==, size);
    g_assert_cmpuint(ordinary->total, ==, 0); /* larger sizes have taken more than there is */
    g_assert_cmpuint(ordinary->free, ==, 400000 / size);
    g_assert_cmpuint(g_array_index(pages, HostPages, 1).free, ==, 40);
    g_assert_cmpuint(g_array_index(pages, HostPages, 2).size, ==, 1048576);

    HostFigure figures[HOST_MEMORY_FIGURES];
    g_assert_cmpuint(host_memory_figures(root, HOST_ALL_CELLS, figures), ==, 4);
    g_assert_cmpstr(figures[3].field, ==, "cached");
    g_assert_cmpuint(figures[3].value, ==, 88);
    g_assert_cmpuint(host_memory_figures(root, 2, figures), ==, 2);
    g_assert_cmpuint(figures[1].value, ==, 500000);
    g_assert_cmpuint(host_memory_figures(root, 9, figures), ==, 0);
}

static void test_sharing(void)
{
    start_over();
    g_autoptr(Params) none = host_sharing(root);
    g_assert_cmpuint(params_length(none), ==, 0);
    put("100\n", "/sys/kernel/mm/ksm/pages_to_scan");
    put("7\n", "/sys/kernel/mm/ksm/pages_shared");
    g_autoptr(Params) params = host_sharing(root);
    g_assert_cmpuint(params_length(params), ==, 2);
    g_assert_cmpuint(params_find(params, "shm_pages_to_scan")->value.ui, ==, 100);
    g_assert_cmpint(params_find(params, "shm_pages_shared")->type, ==, VIR_TYPED_PARAM_ULLONG);
}

static void test_sharing_is_set(void)
{
    g_autoptr(Params) params = params_new(), wrong = params_new(), typed = params_new();
    g_autoptr(GError) error = NULL;

    start_over();
    params_uint(params, 300, VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN);
    g_assert_false(host_set_sharing(root, params, &error)); /* a kernel that has none */
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
    g_clear_error(&error);
    put("100\n", "/sys/kernel/mm/ksm/pages_to_scan");
    g_assert_true(host_set_sharing(root, params, &error));
    g_autoptr(Params) after = host_sharing(root);
    g_assert_cmpuint(params_find(after, VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN)->value.ui, ==, 300);

    params_ullong(wrong, 3, VIR_NODE_MEMORY_SHARED_PAGES_SHARED);
    g_assert_false(host_set_sharing(root, wrong, &error));
    g_assert_true(error_is(error, VIR_ERR_ARGUMENT_UNSUPPORTED));
    g_assert_cmpstr(error->message, ==, "argument unsupported: parameter 'shm_pages_shared' not supported");
    g_clear_error(&error);
    params_int(typed, 3, VIR_NODE_MEMORY_SHARED_SLEEP_MILLISECS);
    g_assert_false(host_set_sharing(root, typed, &error));
    g_assert_true(error_is(error, VIR_ERR_INVALID_ARG));
}

static guint64 pool(int cell)
{
    g_autoptr(GArray) pages = host_pages(root, cell);

    return g_array_index(pages, HostPages, 1).total;
}

static void test_pools(void)
{
    g_autoptr(GError) error = NULL;

    put_two_cells();
    guint64 before = pool(0);
    g_assert_true(host_pool_set(root, 0, 2048, 3, TRUE, &error));
    g_assert_cmpuint(pool(0), ==, before + 3);
    g_assert_true(host_pool_set(root, 0, 2048, 205, FALSE, &error));
    g_assert_cmpuint(pool(0), ==, 205);
    g_assert_false(host_pool_set(root, 0, 2048, G_MAXINT64 - 4, TRUE, &error));
    g_assert_true(error_is(error, VIR_ERR_OVERFLOW));
    g_clear_error(&error);
    g_assert_false(host_pool_set(root, HOST_ALL_CELLS, 3, 0, TRUE, &error));
    g_assert_cmpstr(error->message, ==, "operation failed: page size 3 is not available");
    g_clear_error(&error);
}

static void test_no_cells(void)
{
    start_over();
    put("0-1\n", CPU "/present");
    put("0-1\n", CPU "/online");
    put("MemTotal: 3100000 kB\nMemFree: 900000 kB\n", "/proc/meminfo");
    g_autoptr(GArray) cells = host_cells(root);
    g_assert_cmpuint(cells->len, ==, 1);
    g_autoptr(GArray) cpus = host_cell_cpus(root, 0);
    g_assert_cmpuint(cpus->len, ==, 2);
    guint64 total, available;
    g_assert_true(host_memory(root, 0, &total, &available));
    g_assert_cmpuint(total, ==, 3100000);
    HostTopology topology;
    host_topology(root, &topology);
    g_assert_cmpuint(topology.cpus, ==, 2);
    HostCpuIdentity identity;
    g_assert_false(host_cpu_identity(root, &identity));
    g_assert_cmpuint(host_cpu_mhz(root), ==, 0);
}

static void test_cpu(void)
{
    put_two_cells();
    g_assert_cmpuint(host_cpu_mhz(root), ==, 2100);
    HostCpuIdentity identity;
    g_assert_true(host_cpu_identity(root, &identity));
    g_assert_cmpstr(identity.vendor, ==, "Intel");
    g_assert_cmpuint(identity.microcode, ==, 0x2000065);
    g_assert_cmpuint(identity.family, ==, 6);
    g_assert_cmpuint(identity.model, ==, 85);
    g_assert_cmpuint(identity.physical_bits, ==, 46);

    put("cpu  10 1 20 300 4 2 3 9 9 9\ncpu0 5 1 2 3\ncpu10 7 7 7 7 7 7 7\nintr 5\n", "/proc/stat");
    guint64 tick = 1000000000ull / sysconf(_SC_CLK_TCK);
    HostCpuTimes times;
    g_assert_true(host_cpu_times(root, -1, &times));
    g_assert_cmpuint(times.kernel, ==, 25 * tick);
    g_assert_cmpuint(times.user, ==, 11 * tick);
    g_assert_cmpuint(times.idle, ==, 300 * tick);
    g_assert_cmpuint(times.iowait, ==, 4 * tick);
    g_assert_true(host_cpu_times(root, 0, &times));
    g_assert_cmpuint(times.iowait, ==, 0);
    g_assert_false(host_cpu_times(root, 1, &times));
}

static void test_sysinfo(void)
{
    start_over();
    g_autoptr(GError) error = NULL;
    g_assert_null(host_sysinfo(root, &error));
    g_assert_true(error_is(error, VIR_ERR_CONFIG_UNSUPPORTED));
    g_assert_null(host_sysinfo_uuid(root));

    put("A & B\n", "/sys/class/dmi/id/sys_vendor");
    put("  \n", "/sys/class/dmi/id/product_name");
    put("4C4C4544-0031-3510-8052-B4C04F4A3258\n", "/sys/class/dmi/id/product_uuid");
    g_autofree char *document = host_sysinfo(root, NULL);
    g_assert_cmpstr(document, ==,
                    "<sysinfo type='smbios'>\n"
                    "  <system>\n"
                    "    <entry name='manufacturer'>A &amp; B</entry>\n"
                    "    <entry name='uuid'>4C4C4544-0031-3510-8052-B4C04F4A3258</entry>\n"
                    "  </system>\n"
                    "</sysinfo>\n");
    g_autofree char *uuid = host_sysinfo_uuid(root);
    g_assert_cmpstr(uuid, ==, "4c4c4544-0031-3510-8052-b4c04f4a3258");
    put("ffffffff-ffff-ffff-ffff-ffffffffffff\n", "/sys/class/dmi/id/product_uuid");
    g_assert_null(host_sysinfo_uuid(root));
}

static gboolean write_guest(gpointer self, XmlWriter *writer, GError **error)
{
    xml_writer_open(writer, "guest");
    xml_writer_element(writer, "os_type", "hvm");
    xml_writer_close(writer);
    return TRUE;
}

static void tell_owner(gpointer self, uid_t *ret_uid, gid_t *ret_gid)
{
    *ret_uid = 107;
    *ret_gid = 108;
}

static void test_capabilities(void)
{
    static const char *const types[] = {"qemu", "kvm", NULL};
    static const DriverNodeOps ops = {.guests = write_guest, .owner = tell_owner};
    static const Driver driver = {.node = &ops, .domain_types = types};
    static const DriverInstance instance = {.driver = &driver};
    put_two_cells();
    HostCaps caps = {.root = root, .uuid = "4c4c4544-0031-3510-8052-b4c04f4a3258", .sleeps = 1 << VIR_NODE_SUSPEND_TARGET_DISK};
    g_autofree char *text = hostcaps_format(&caps, &instance, NULL);
    g_assert_true(g_str_has_prefix(text, "<capabilities>\n\n  <host>\n    <uuid>4c4c4544-"));
    g_assert_true(g_str_has_suffix(text, "  </host>\n\n  <guest>\n    <os_type>hvm</os_type>\n  </guest>\n\n"
                                         "</capabilities>\n"));
    static const char *const parts[] = {
        "<signature family='6' model='85' stepping='4'/>",
        "<topology sockets='1' dies='1' cores='2' threads='2'/>",
        "<maxphysaddr mode='emulate' bits='46'/>",
        "<iommu support='no'/>",
        "<cells num='2'>",
        "<cell id='2'>\n          <memory unit='KiB'>2000000</memory>",
        "<pages unit='KiB' size='2048'>100</pages>",
        "<distances>\n            <sibling id='0' value='21'/>\n            <sibling id='2' value='10'/>",
        "<cpu id='6' socket_id='1' die_id='0' core_id='1' siblings='6'/>",
        "<model>none</model>",
        "<model>dac</model>\n      <doi>0</doi>\n      <baselabel type='kvm'>+107:+108</baselabel>\n"
        "      <baselabel type='qemu'>",
        "<bank id='1' level='3' type='both' size='1536' unit='KiB' cpus='4-6'/>",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (!strstr(text, parts[i]))
            g_error("no \"%s\" in\n%s", parts[i], text);
    }
    g_assert_null(strstr(text, "migration_features"));
    caps.migrates = TRUE;
    g_autofree char *more = hostcaps_format(&caps, &instance, NULL);
    g_assert_nonnull(strstr(more, "<uri_transport>tcp</uri_transport>"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    root = g_dir_make_tmp("host-XXXXXX", NULL);
    g_test_add_func("/host/cells", test_cells);
    g_test_add_func("/host/uneven", test_uneven);
    g_test_add_func("/host/memory", test_memory);
    g_test_add_func("/host/sharing", test_sharing);
    g_test_add_func("/host/sharing-is-set", test_sharing_is_set);
    g_test_add_func("/host/pools", test_pools);
    g_test_add_func("/host/no-cells", test_no_cells);
    g_test_add_func("/host/cpu", test_cpu);
    g_test_add_func("/host/sysinfo", test_sysinfo);
    g_test_add_func("/host/capabilities", test_capabilities);
    int result = g_test_run();
    file_remove_tree(root, NULL);
    g_free(root);
    return result;
}
