/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/threads.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "driver-kvm/qmp-commands.h"
#include "lib/error.h"
#include "lib/json-peek.h"
#include "lib/model/domain-threads.h"
#include "lib/sysfs.h"

#define IOTHREAD_PREFIX "iothread"

gboolean threads_query_iothreads(Qmp *qmp, guint64 wait, GArray **ret_threads, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call(qmp, "query-iothreads", NULL, wait, error);
    JsonArray *list = json_peek_as_array(answer);

    if (!answer)
        return FALSE;
    GArray *threads = g_array_new(FALSE, FALSE, sizeof(DriverIothread));
    for (guint i = 0; i < json_peek_length(list); i++) {
        JsonObject *one = json_peek_object_at(list, i);
        const char *id = json_peek_string(one, "id");
        DriverIothread thread = {.poll_max_ns = -1, .poll_grow = -1, .poll_shrink = -1};
        gint64 tid;
        if (!id || !g_str_has_prefix(id, IOTHREAD_PREFIX) || !json_peek_int(one, "thread-id", &tid) || tid <= 0)
            continue;
        thread.id = (guint)g_ascii_strtoull(id + strlen(IOTHREAD_PREFIX), NULL, 10);
        thread.tid = (pid_t)tid;
        json_peek_int(one, "poll-max-ns", &thread.poll_max_ns);
        json_peek_int(one, "poll-grow", &thread.poll_grow);
        json_peek_int(one, "poll-shrink", &thread.poll_shrink);
        g_array_append_val(threads, thread);
    }
    *ret_threads = threads;
    return TRUE;
}

/* --- where --- */

gboolean threads_set_affinity(pid_t tid, const CpuSet *cpus, GError **error)
{
    gsize size = CPU_ALLOC_SIZE(CPUSET_MAX);
    cpu_set_t *mask = CPU_ALLOC(CPUSET_MAX);
    int done, why;

    CPU_ZERO_S(size, mask);
    for (int cpu = cpuset_next(cpus, -1); cpu >= 0; cpu = cpuset_next(cpus, cpu))
        CPU_SET_S(cpu, size, mask);
    done = sched_setaffinity(tid, size, mask);
    why = errno;
    CPU_FREE(mask);
    return done == 0 || error_set_errno(error, VIR_FROM_QEMU, why, "cannot set CPU affinity on process %d", (int)tid);
}

static gboolean is_named(pid_t tid, const GArray *vcpus, const GArray *iothreads)
{
    for (guint i = 0; vcpus && i < vcpus->len; i++)
        if (g_array_index(vcpus, gint64, i) == tid)
            return TRUE;
    for (guint i = 0; i < iothreads->len; i++)
        if (g_array_index(iothreads, DriverIothread, i).tid == tid)
            return TRUE;
    return FALSE;
}

gboolean threads_set_emulator(pid_t pid, const GArray *vcpus, const GArray *iothreads, const CpuSet *cpus, GError **error)
{
    g_autofree char *folder = g_strdup_printf("/proc/%d/task", (int)pid);
    g_autoptr(GArray) tasks = sysfs_numbered("", folder, "");

    if (!threads_set_affinity(pid, cpus, error))
        return FALSE;
    for (guint i = 0; i < tasks->len; i++) {
        pid_t tid = (pid_t)g_array_index(tasks, guint, i);
        if (!is_named(tid, vcpus, iothreads))
            threads_set_affinity(tid, cpus, NULL); /* threads come and go */
    }
    return TRUE;
}

/* TEXT: NULL where nobody said: then it is the whole host, and no matter if that cannot be had. */
static gboolean place(pid_t tid, const char *text, GError **error)
{
    g_autoptr(CpuSet) cpus = text ? cpuset_parse(text, error) : sysfs_cpuset("", "/sys/devices/system/cpu/online");

    if (!text) {
        if (cpus)
            threads_set_affinity(tid, cpus, NULL);
        return TRUE;
    }
    return cpus && threads_set_affinity(tid, cpus, error);
}

/* --- how --- */

static int policy_of(Scheduler scheduler)
{
    switch (scheduler) {
    case SCHEDULER_BATCH:
        return SCHED_BATCH;
    case SCHEDULER_IDLE:
        return SCHED_IDLE;
    case SCHEDULER_FIFO:
        return SCHED_FIFO;
    case SCHEDULER_RR:
        return SCHED_RR;
    default:
        return SCHED_OTHER;
    }
}

static gboolean check_priority(Scheduler scheduler, gint32 priority, GError **error)
{
    int policy = policy_of(scheduler);
    int low = sched_get_priority_min(policy), high = sched_get_priority_max(policy);

    return (policy != SCHED_FIFO && policy != SCHED_RR) || (priority >= low && priority <= high) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Scheduler priority %d out of range [%d, %d]", priority,
                     low, high);
}

static gboolean schedule(pid_t tid, Scheduler scheduler, gint32 priority, GError **error)
{
    int policy = policy_of(scheduler);
    struct sched_param param = {.sched_priority = policy == SCHED_FIFO || policy == SCHED_RR ? priority : 0};

    if (policy == SCHED_OTHER)
        return TRUE;
    return sched_setscheduler(tid, policy, &param) == 0 ||
           error_set_errno(error, VIR_FROM_QEMU, errno, "Cannot set scheduler parameters for pid %d", (int)tid);
}

/* In a definition that was normalized each has one number. */
static gboolean is_number(const char *text, guint number)
{
    return g_ascii_strtoull(text, NULL, 10) == number;
}

gboolean threads_check(const Domain *live, GError **error)
{
    const Cputune *tune = live->cputune;

    if (!tune)
        return TRUE;
    if (tune->emulatorsched && !check_priority(tune->emulatorsched->scheduler, tune->emulatorsched->priority, error))
        return FALSE;
    for (guint i = 0; i < tune->vcpuscheds->len; i++) {
        const VcpuSched *one = tune->vcpuscheds->pdata[i];
        if (!check_priority(one->scheduler, one->priority, error))
            return FALSE;
    }
    for (guint i = 0; i < tune->iothreadscheds->len; i++) {
        const IothreadSched *one = tune->iothreadscheds->pdata[i];
        if (!check_priority(one->scheduler, one->priority, error))
            return FALSE;
    }
    return TRUE;
}

/* --- both --- */

gboolean threads_place_vcpu(const Domain *live, guint vcpu, pid_t tid, GError **error)
{
    if (!place(tid, domain_vcpu_cpus(live, vcpu), error))
        return FALSE;
    for (guint i = 0; live->cputune && i < live->cputune->vcpuscheds->len; i++) {
        const VcpuSched *one = live->cputune->vcpuscheds->pdata[i];
        if (is_number(one->vcpus, vcpu))
            return schedule(tid, one->scheduler, one->priority, error);
    }
    return TRUE;
}

gboolean threads_place_iothread(const Domain *live, const DriverIothread *thread, GError **error)
{
    if (!place(thread->tid, domain_iothread_cpus(live, thread->id), error))
        return FALSE;
    for (guint i = 0; live->cputune && i < live->cputune->iothreadscheds->len; i++) {
        const IothreadSched *one = live->cputune->iothreadscheds->pdata[i];
        if (is_number(one->iothreads, thread->id))
            return schedule(thread->tid, one->scheduler, one->priority, error);
    }
    return TRUE;
}

static gboolean place_emulator(const Domain *live, pid_t pid, GError **error)
{
    const EmulatorSched *sched = live->cputune ? live->cputune->emulatorsched : NULL;

    return place(pid, domain_emulator_cpus(live), error) && (!sched || schedule(pid, sched->scheduler, sched->priority, error));
}

static gboolean place_vcpus(Guest *guest, const Domain *live, GError **error)
{
    g_mutex_lock(&guest->lock);
    g_autoptr(GArray) threads = guest->threads ? g_array_copy(guest->threads) : NULL;
    g_mutex_unlock(&guest->lock);
    for (guint i = 0; threads && i < threads->len; i++) {
        pid_t tid = (pid_t)g_array_index(threads, gint64, i);
        /* where all processors share one thread, it is the emulator's to say where that is */
        if (tid > 0 && !threads_place_vcpu(live, i, tid, error))
            return FALSE;
    }
    return TRUE;
}

gboolean threads_place(Guest *guest, Qmp *qmp, GError **error)
{
    g_autoptr(Domain) live = guest_live(guest);
    g_autoptr(GArray) iothreads = NULL;

    g_mutex_lock(&guest->lock);
    pid_t pid = guest->process.pid;
    g_mutex_unlock(&guest->lock);
    if (pid <= 0 || !place_emulator(live, pid, error) || !place_vcpus(guest, live, error))
        return FALSE;
    if (live->iothreads == UNSET32 || live->iothreads == 0)
        return TRUE;
    if (!threads_query_iothreads(qmp, QMP_DEADLINE, &iothreads, error))
        return FALSE;
    for (guint i = 0; i < iothreads->len; i++)
        if (!threads_place_iothread(live, &g_array_index(iothreads, DriverIothread, i), error))
            return FALSE;
    return TRUE;
}
