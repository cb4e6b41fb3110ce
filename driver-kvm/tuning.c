/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the threads of a running guest run, and which I/O threads it has. */
#include "driver-kvm/guest.h"

#include "driver-kvm/perf.h"
#include "driver-kvm/qmp-commands.h"
#include "driver-kvm/threads.h"
#include "lib/error.h"

#define WAIT_MIN 1000

static gboolean find_iothread(Guest *guest, guint64 wait, guint id, DriverIothread *ret_thread, GError **error)
{
    g_autoptr(Qmp) qmp = guest_qmp(guest, error);
    g_autoptr(GArray) threads = NULL;

    if (!qmp || !threads_query_iothreads(qmp, wait, &threads, error))
        return FALSE;
    for (guint i = 0; i < threads->len; i++) {
        const DriverIothread *thread = &g_array_index(threads, DriverIothread, i);
        if (thread->id == id) {
            *ret_thread = *thread;
            return TRUE;
        }
    }
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "iothread %u not found", id);
}

static gboolean pin_emulator(Guest *guest, const CpuSet *cpus, GError **error)
{
    g_autoptr(Qmp) qmp = guest_qmp(guest, error);
    g_autoptr(GArray) iothreads = NULL;

    if (!qmp || !threads_query_iothreads(qmp, QMP_DEADLINE, &iothreads, error))
        return FALSE;
    g_mutex_lock(&guest->lock);
    pid_t pid = guest->process.pid;
    g_autoptr(GArray) vcpus = guest->threads ? g_array_copy(guest->threads) : NULL;
    g_mutex_unlock(&guest->lock);
    return threads_set_emulator(pid, vcpus, iothreads, cpus, error);
}

static pid_t vcpu_thread(Guest *guest, guint number)
{
    g_mutex_lock(&guest->lock);
    const GArray *threads = guest->threads;
    pid_t tid = threads && number < threads->len ? (pid_t)g_array_index(threads, gint64, number) : 0;
    g_mutex_unlock(&guest->lock);
    return tid;
}

static gboolean tuning_pin(gpointer self, Vm *vm, DriverThread kind, guint number, const CpuSet *cpus, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    DriverIothread thread = {0};
    pid_t tid;

    if (!guest)
        return FALSE;
    if (kind == DRIVER_THREAD_EMULATOR)
        return pin_emulator(guest, cpus, error);
    if (kind == DRIVER_THREAD_IOTHREAD && !find_iothread(guest, QMP_DEADLINE, number, &thread, error))
        return FALSE;
    tid = kind == DRIVER_THREAD_VCPU ? vcpu_thread(guest, number) : thread.tid;
    return tid <= 0 || threads_set_affinity(tid, cpus, error);
}

static gboolean tuning_iothreads(gpointer self, Vm *vm, guint64 budget, GArray **ret_threads, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    return qmp && threads_query_iothreads(qmp, MAX(budget, WAIT_MIN), ret_threads, error);
}

static gboolean tuning_add_iothread(gpointer self, Vm *vm, guint id, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;
    g_autofree char *name = g_strdup_printf("iothread%u", id);
    DriverIothread thread;

    return qmp && qmp_do(qmp, "object-add", qmp_args("s:qom-type", "iothread", "s:id", name, NULL), QMP_DEADLINE, error) &&
           find_iothread(guest, QMP_DEADLINE, id, &thread, error) && threads_place_iothread(live, &thread, error);
}

static gboolean tuning_del_iothread(gpointer self, Vm *vm, guint id, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;
    g_autofree char *name = g_strdup_printf("iothread%u", id);

    return qmp && qmp_do(qmp, "object-del", qmp_args("s:id", name, NULL), QMP_DEADLINE, error);
}

/* libvirt's name of a value and QEMU's. */
static const struct {
    const char *field, *property;
} values_known[] = {
    {VIR_DOMAIN_IOTHREAD_POLL_MAX_NS, "poll-max-ns"},
    {VIR_DOMAIN_IOTHREAD_POLL_GROW, "poll-grow"},
    {VIR_DOMAIN_IOTHREAD_POLL_SHRINK, "poll-shrink"},
    {VIR_DOMAIN_IOTHREAD_THREAD_POOL_MIN, "thread-pool-min"},
    {VIR_DOMAIN_IOTHREAD_THREAD_POOL_MAX, "thread-pool-max"},
};

static gint64 value_of(const Param *param)
{
    return param->type == VIR_TYPED_PARAM_ULLONG ? (gint64)param->value.ul
           : param->type == VIR_TYPED_PARAM_UINT ? (gint64)param->value.ui
                                                 : param->value.i;
}

static gboolean set_value(Qmp *qmp, const char *path, const char *property, gint64 value, GError **error)
{
    return qmp_qom_set_int(qmp, path, property, value, error);
}

/* QEMU refuses a least number of threads above the most: where the most grows, it goes first. */
static gboolean set_pool(Qmp *qmp, const char *path, const Params *values, GError **error)
{
    const Param *least = params_find(values, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MIN);
    const Param *most = params_find(values, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MAX);
    g_autoptr(JsonNode) now = least && most ? qmp_qom_get(qmp, path, "thread-pool-max", QMP_DEADLINE, error) : NULL;

    if (!least || !most)
        return TRUE;
    if (!now)
        return FALSE;
    return value_of(most) < json_node_get_int(now) || set_value(qmp, path, "thread-pool-max", value_of(most), error);
}

static gboolean tuning_set_iothread(gpointer self, Vm *vm, guint id, const Params *values, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;
    g_autofree char *path = g_strdup_printf("/objects/iothread%u", id);

    if (!qmp || !set_pool(qmp, path, values, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(values_known); i++) {
        const Param *param = params_find(values, values_known[i].field);
        if (param && !set_value(qmp, path, values_known[i].property, value_of(param), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean tuning_count_event(gpointer self, Vm *vm, PerfEventName event, gboolean on, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);

    return guest && perf_count(guest, event, on, error);
}

const DriverTuningOps kvm_tuning_ops = {
    .pin = tuning_pin,
    .iothreads = tuning_iothreads,
    .add_iothread = tuning_add_iothread,
    .del_iothread = tuning_del_iothread,
    .set_iothread = tuning_set_iothread,
    .count_event = tuning_count_event,
};
