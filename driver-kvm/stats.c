/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Figures, with libvirt's names in libvirt's order. What the kernel knows is asked of the kernel; only the balloon and the
 * block devices need QEMU's monitor, and it is waited for no longer than the budget.
 */
#include "driver-kvm/balloon.h"
#include "driver-kvm/perf.h"
#include "driver-kvm/proc-stats.h"
#include "driver-kvm/qmp-commands.h"
#include "driver-kvm/stats-private.h"
#include "driver-kvm/threads.h"
#include "lib/error.h"
#include "lib/json-peek.h"
#include "lib/model/domain-defaults.h"
#include "lib/model/domain-stats.h"
#include "lib/model/domain-threads.h"

static gboolean gone(GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is not running");
}

static gboolean sample_cpu(const Sample *sample, Params *params, GError **error)
{
    ProcTimes times;
    guint64 success, fail;

    if (!proc_times(sample->pid, 0, &times))
        return gone(error);
    proc_halt_polls(sample->pid, &success, &fail);
    params_ullong(params, times.user + times.system, "cpu.time");
    params_ullong(params, times.user, "cpu.user");
    params_ullong(params, times.system, "cpu.system");
    params_uint(params, 0, "cpu.cache.monitor.count");
    params_ullong(params, success, "cpu.haltpoll.success.time");
    params_ullong(params, fail, "cpu.haltpoll.fail.time");
    return TRUE;
}

/* --- threads --- */

static pid_t vcpu_thread(Guest *guest, guint index)
{
    g_mutex_lock(&guest->lock);
    const GArray *threads = guest->threads;
    pid_t thread = threads && index < threads->len ? g_array_index(threads, gint64, index) : 0;
    g_mutex_unlock(&guest->lock);
    return thread;
}

static void sample_one_vcpu(const Sample *sample, guint index, pid_t thread, Params *params)
{
    ProcTimes times;
    guint64 wait, delay;

    params_int(params, VIR_VCPU_RUNNING, "vcpu.%u.state", index);
    if (!proc_times(sample->pid, thread, &times))
        return;
    proc_waits(sample->pid, thread, &wait, &delay);
    params_ullong(params, times.user + times.system, "vcpu.%u.time", index);
    params_ullong(params, wait, "vcpu.%u.wait", index);
    params_ullong(params, delay, "vcpu.%u.delay", index);
}

static gboolean sample_vcpus(const Sample *sample, Params *params, GError **error)
{
    guint max = domain_max_vcpus(sample->live);

    params_uint(params, domain_vcpus(sample->live), "vcpu.current");
    params_uint(params, max, "vcpu.maximum");
    for (guint i = 0; i < max; i++) {
        pid_t thread = vcpu_thread(sample->guest, i);
        if (thread > 0)
            sample_one_vcpu(sample, i, thread, params);
    }
    return TRUE;
}

static gboolean sample_interfaces(const Sample *sample, Params *params, GError **error)
{
    domain_sample_interfaces(sample->live, params);
    return TRUE;
}

/* --- the monitor --- */

JsonNode *stats_ask(const Sample *sample, const char *command, JsonObject *arguments, GError **error)
{
    g_autoptr(Qmp) qmp = guest_qmp(sample->guest, error);
    g_autoptr(JsonObject) unused = arguments;
    gint64 left = sample->deadline - g_get_monotonic_time();

    if (!qmp)
        return NULL;
    return qmp_call(qmp, command, g_steal_pointer(&unused), MAX(left, 1), error);
}

/* In libvirt's order. FACTOR: what QEMU's bytes are divided by. */
static const struct {
    int tag;
    const char *member; /* of "stats"; NULL: "last-update" beside it */
    const char *field;
    guint factor;
} memory_figures[] = {
    {VIR_DOMAIN_MEMORY_STAT_SWAP_IN, "stat-swap-in", "balloon.swap_in", 1024},
    {VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, "stat-swap-out", "balloon.swap_out", 1024},
    {VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, "stat-major-faults", "balloon.major_fault", 1},
    {VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, "stat-minor-faults", "balloon.minor_fault", 1},
    {VIR_DOMAIN_MEMORY_STAT_UNUSED, "stat-free-memory", "balloon.unused", 1024},
    {VIR_DOMAIN_MEMORY_STAT_AVAILABLE, "stat-total-memory", "balloon.available", 1024},
    {VIR_DOMAIN_MEMORY_STAT_USABLE, "stat-available-memory", "balloon.usable", 1024},
    {VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, NULL, "balloon.last-update", 1},
    {VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, "stat-disk-caches", "balloon.disk_caches", 1024},
    {VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, "stat-htlb-pgalloc", "balloon.hugetlb_pgalloc", 1},
    {VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, "stat-htlb-pgfail", "balloon.hugetlb_pgfail", 1},
};

typedef void (*MemoryFunc)(int tag, const char *field, guint64 value, gpointer data);

/* Calls FN for each figure that the guest gave (it gives none before its driver runs), and for what the process takes. */
static gboolean each_memory_figure(const Sample *sample, MemoryFunc fn, gpointer data, GError **error)
{
    const Memballoon *balloon = balloon_of(sample->live);
    ProcTimes times;

    if (balloon) {
        g_autofree char *path = g_strconcat("/machine/peripheral/", balloon->alias->name, NULL);
        JsonObject *arguments = qmp_args("s:path", path, "s:property", "guest-stats", NULL);
        g_autoptr(JsonNode) answer = stats_ask(sample, "qom-get", arguments, error);
        JsonObject *object = json_peek_as_object(answer);
        if (!answer)
            return FALSE;
        for (guint i = 0; i < G_N_ELEMENTS(memory_figures); i++) {
            const char *member = memory_figures[i].member;
            gint64 value;
            /* what the guest does not tell is all ones */
            if (json_peek_int(member ? json_peek_object(object, "stats") : object, member ? member : "last-update", &value) &&
                value >= 0 && value != G_MAXINT64)
                fn(memory_figures[i].tag, memory_figures[i].field, value / memory_figures[i].factor, data);
        }
    }
    if (proc_times(sample->pid, 0, &times))
        fn(VIR_DOMAIN_MEMORY_STAT_RSS, "balloon.rss", times.rss, data);
    return TRUE;
}

static gboolean balloon_size(const Sample *sample, guint64 *ret_kib, GError **error)
{
    g_autoptr(Qmp) qmp = NULL;

    if (!balloon_of(sample->live)) {
        *ret_kib = sample->live->memory;
        return TRUE;
    }
    qmp = guest_qmp(sample->guest, error);
    return qmp && qmp_query_balloon(qmp, MAX(sample->deadline - g_get_monotonic_time(), 1), ret_kib, error);
}

static void add_param(int tag, const char *field, guint64 value, gpointer params)
{
    params_ullong(params, value, "%s", field);
}

static gboolean sample_balloon(const Sample *sample, Params *params, GError **error)
{
    guint64 kib;

    if (!balloon_size(sample, &kib, error))
        return FALSE;
    params_ullong(params, kib, "balloon.current");
    params_ullong(params, sample->live->memory, "balloon.maximum");
    return each_memory_figure(sample, add_param, params, error);
}

static gboolean sample_perf(const Sample *sample, Params *params, GError **error)
{
    perf_sample(sample->guest, params);
    return TRUE;
}

/* In QEMU's order, the last first, as libvirt tells them. */
static gboolean sample_iothreads(const Sample *sample, Params *params, GError **error)
{
    g_autoptr(GArray) ids = domain_iothread_ids(sample->live), threads = NULL;
    g_autoptr(Qmp) qmp = ids->len ? guest_qmp(sample->guest, error) : NULL;
    gint64 left = sample->deadline - g_get_monotonic_time();

    if (ids->len == 0)
        return TRUE;
    if (!qmp || !threads_query_iothreads(qmp, (guint64)MAX(left, 1), &threads, error))
        return FALSE;
    params_uint(params, threads->len, "iothread.count");
    for (guint i = 0; i < threads->len; i++) {
        const DriverIothread *one = &g_array_index(threads, DriverIothread, i);

        if (one->poll_max_ns < 0 || one->poll_grow < 0 || one->poll_shrink < 0)
            continue;
        params_ullong(params, (guint64)one->poll_max_ns, "iothread.%u.poll-max-ns", one->id);
        params_uint(params, (guint)one->poll_grow, "iothread.%u.poll-grow", one->id);
        params_uint(params, (guint)one->poll_shrink, "iothread.%u.poll-shrink", one->id);
    }
    return TRUE;
}

/* --- the slots --- */

static gboolean sample_groups(const Sample *sample, guint groups, Params *params, GError **error)
{
    static const struct {
        guint group;
        SampleFunc fn;
    } known[] = {
        {VIR_DOMAIN_STATS_CPU_TOTAL, sample_cpu},     {VIR_DOMAIN_STATS_BALLOON, sample_balloon},
        {VIR_DOMAIN_STATS_VCPU, sample_vcpus},        {VIR_DOMAIN_STATS_INTERFACE, sample_interfaces},
        {VIR_DOMAIN_STATS_BLOCK, stats_blocks},      {VIR_DOMAIN_STATS_PERF, sample_perf},
        {VIR_DOMAIN_STATS_IOTHREAD, sample_iothreads}, {VIR_DOMAIN_STATS_DIRTYRATE, stats_dirty_rate},
        {VIR_DOMAIN_STATS_VM, stats_accelerator},       {DRIVER_STATS_CHAINS, stats_chains},
    };

    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        if ((groups & known[i].group) && !known[i].fn(sample, params, error))
            return FALSE;
    return TRUE;
}

static void sample_clear(Sample *sample)
{
    guest_unref(sample->guest);
    domain_unref((Domain *)sample->live);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sample, sample_clear)

static gboolean sample_open(Sample *sample, gpointer self, Vm *vm, guint64 budget, GError **error)
{
    *sample = (Sample){.guest = guest_need(self, vm, error)};
    if (!sample->guest)
        return FALSE;
    sample->live = guest_live(sample->guest);
    g_mutex_lock(&sample->guest->lock);
    sample->pid = sample->guest->process.pid;
    g_mutex_unlock(&sample->guest->lock);
    sample->deadline = g_get_monotonic_time() + budget;
    return (sample->live && sample->pid > 0) || gone(error);
}

static gboolean stats_sample(gpointer self, Vm *vm, guint groups, guint64 budget, Params *params, GError **error)
{
    g_auto(Sample) sample = {0};

    return sample_open(&sample, self, vm, budget, error) && sample_groups(&sample, groups, params, error);
}

typedef struct {
    virDomainMemoryStatPtr stats;
    guint max, n;
} MemoryList;

static void add_stat(int tag, const char *field, guint64 value, gpointer data)
{
    MemoryList *list = data;

    if (list->n < list->max)
        list->stats[list->n++] = (virDomainMemoryStatStruct){tag, value};
}

static gboolean stats_memory(gpointer self, Vm *vm, guint64 budget, virDomainMemoryStatPtr stats, guint max, guint *ret_n,
                             GError **error)
{
    g_auto(Sample) sample = {0};
    MemoryList list = {stats, max, 0};
    guint64 kib;

    if (!sample_open(&sample, self, vm, budget, error) || !balloon_size(&sample, &kib, error))
        return FALSE;
    if (balloon_of(sample.live))
        add_stat(VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, NULL, kib, &list);
    if (!each_memory_figure(&sample, add_stat, &list, error))
        return FALSE;
    *ret_n = list.n;
    return TRUE;
}

static gboolean stats_threads(gpointer self, Vm *vm, pid_t *ret_main, pid_t *vcpus, guint max, guint *ret_n, GError **error)
{
    g_auto(Sample) sample = {0};

    if (!sample_open(&sample, self, vm, 0, error))
        return FALSE;
    guint n = MIN(max, domain_max_vcpus(sample.live));
    for (guint i = 0; i < n; i++)
        vcpus[i] = vcpu_thread(sample.guest, i);
    *ret_main = sample.pid;
    *ret_n = n;
    return TRUE;
}

static gboolean stats_measure_dirtying(gpointer self, Vm *vm, guint seconds, guint flags, guint64 budget, GError **error)
{
    g_auto(Sample) sample = {0};
    const char *mode = flags & VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING     ? "dirty-ring"
                       : flags & VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP ? "dirty-bitmap"
                                                                        : "page-sampling";
    g_autoptr(JsonNode) answer = NULL;

    if (!sample_open(&sample, self, vm, budget, error) || !stats_check_dirty_mode(sample.live, flags, error))
        return FALSE;
    answer = stats_ask(&sample, "calc-dirty-rate", qmp_args("i:calc-time", (gint64)seconds, "s:mode", mode, NULL), error);
    return answer != NULL;
}

const DriverStatsOps kvm_stats_ops = {
    .sample = stats_sample,
    .memory = stats_memory,
    .threads = stats_threads,
    .measure_dirtying = stats_measure_dirtying,
};
