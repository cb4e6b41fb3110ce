/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times calls of a server through the stock client library: bench-calls URI CASE N
 *
 * Prints one JSON object: microseconds at the median and at 99 of 100. The client is the same for every server, so its
 * own share is in every figure. "fill" and "empty" define and remove the N domains that the other cases look at.
 */
#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

typedef struct {
    virConnectPtr conn;
    virDomainPtr domain;
    guint turn;
} Bench;

static char *document(const char *prefix, guint number)
{
    return g_strdup_printf(
        "<domain type='qemu'><name>%s%u</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/><apic/></features>"
        "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/nonexistent/%u.qcow2'/>"
        "<target dev='vda' bus='virtio'/></disk><interface type='user'><model type='virtio'/></interface>"
        "<serial type='pty'/><graphics type='vnc' autoport='yes'/><video><model type='virtio'/></video>"
        "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng></devices></domain>",
        prefix, number, number);
}

static gboolean noop(Bench *bench)
{
    unsigned long version;

    return virConnectGetLibVersion(bench->conn, &version) == 0;
}

static gboolean list(Bench *bench)
{
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(bench->conn, &domains, 0);

    for (int i = 0; i < n; i++)
        virDomainFree(domains[i]);
    free(domains);
    return n >= 0;
}

static gboolean define(Bench *bench)
{
    g_autofree char *xml = document("turn", bench->turn);
    virDomainPtr domain = virDomainDefineXML(bench->conn, xml);
    gboolean ok = domain && virDomainUndefine(domain) == 0;

    if (domain)
        virDomainFree(domain);
    return ok;
}

static gboolean dumpxml(Bench *bench)
{
    char *xml = virDomainGetXMLDesc(bench->domain, 0);

    free(xml);
    return xml != NULL;
}

static gboolean state(Bench *bench)
{
    int now, reason;

    return virDomainGetState(bench->domain, &now, &reason, 0) == 0;
}

static gboolean stats(Bench *bench)
{
    virDomainStatsRecordPtr *records = NULL;
    int n = virConnectGetAllDomainStats(bench->conn, 0, &records, 0);

    if (n >= 0)
        virDomainStatsRecordListFree(records);
    return n >= 0;
}

static gboolean fill(Bench *bench)
{
    g_autofree char *xml = document("bench", bench->turn);
    virDomainPtr domain = virDomainDefineXML(bench->conn, xml);

    if (domain)
        virDomainFree(domain);
    return domain != NULL;
}

static gboolean empty(Bench *bench)
{
    g_autofree char *name = g_strdup_printf("bench%u", bench->turn);
    virDomainPtr domain = virDomainLookupByName(bench->conn, name);
    gboolean ok = domain && virDomainUndefine(domain) == 0;

    if (domain)
        virDomainFree(domain);
    return ok;
}

static const struct {
    const char *name;
    gboolean (*call)(Bench *bench);
    gboolean one; /* looks at bench0 */
} cases[] = {
    {"noop", noop, FALSE}, {"list", list, FALSE}, {"define", define, FALSE}, {"dumpxml", dumpxml, TRUE},
    {"state", state, TRUE}, {"stats", stats, FALSE}, {"fill", fill, FALSE}, {"empty", empty, FALSE},
};

static int by_value(gconstpointer a, gconstpointer b)
{
    gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

    return (x > y) - (x < y);
}

static gboolean run(Bench *bench, gboolean (*call)(Bench *), guint n, gint64 *ret_times)
{
    for (bench->turn = 0; bench->turn < n; bench->turn++) {
        gint64 begin = g_get_monotonic_time();

        if (!call(bench))
            return FALSE;
        ret_times[bench->turn] = g_get_monotonic_time() - begin;
    }
    return TRUE;
}

int main(int argc, char **argv)
{
    Bench bench = {0};
    guint n = argc > 3 ? (guint)g_ascii_strtoull(argv[3], NULL, 10) : 0;
    g_autofree gint64 *times = g_new0(gint64, MAX(n, 1));
    gint64 begin;

    if (n == 0 || !(bench.conn = virConnectOpen(argv[1])))
        return EXIT_FAILURE;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (!g_str_equal(cases[i].name, argv[2]))
            continue;
        if (cases[i].one && !(bench.domain = virDomainLookupByName(bench.conn, "bench0")))
            return EXIT_FAILURE;
        begin = g_get_monotonic_time();
        if (!run(&bench, cases[i].call, n, times))
            return EXIT_FAILURE;
        g_print("{\"wall\": %" G_GINT64_FORMAT, g_get_monotonic_time() - begin);
        qsort(times, n, sizeof *times, by_value);
        g_print(", \"p50\": %" G_GINT64_FORMAT ", \"p99\": %" G_GINT64_FORMAT "}\n", times[n / 2], times[n * 99 / 100]);
        if (bench.domain)
            virDomainFree(bench.domain);
        virConnectClose(bench.conn);
        return EXIT_SUCCESS;
    }
    return EXIT_FAILURE;
}
