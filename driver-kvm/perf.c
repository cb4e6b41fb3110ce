/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/perf.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/error.h"

/* What the kernel calls them. The resource monitoring of some processors (cmt, mbmt, mbml) was in kernels before 4.14 only. */
static const struct {
    PerfEventName event;
    guint32 type;
    guint64 config;
} counters[] = {
    {PERF_EVENT_NAME_CPU_CYCLES, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    {PERF_EVENT_NAME_INSTRUCTIONS, PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    {PERF_EVENT_NAME_CACHE_REFERENCES, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES},
    {PERF_EVENT_NAME_CACHE_MISSES, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    {PERF_EVENT_NAME_BRANCH_INSTRUCTIONS, PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS},
    {PERF_EVENT_NAME_BRANCH_MISSES, PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
    {PERF_EVENT_NAME_BUS_CYCLES, PERF_TYPE_HARDWARE, PERF_COUNT_HW_BUS_CYCLES},
    {PERF_EVENT_NAME_STALLED_CYCLES_FRONTEND, PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND},
    {PERF_EVENT_NAME_STALLED_CYCLES_BACKEND, PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_BACKEND},
    {PERF_EVENT_NAME_REF_CPU_CYCLES, PERF_TYPE_HARDWARE, PERF_COUNT_HW_REF_CPU_CYCLES},
    {PERF_EVENT_NAME_CPU_CLOCK, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK},
    {PERF_EVENT_NAME_TASK_CLOCK, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
    {PERF_EVENT_NAME_PAGE_FAULTS, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
    {PERF_EVENT_NAME_CONTEXT_SWITCHES, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES},
    {PERF_EVENT_NAME_CPU_MIGRATIONS, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS},
    {PERF_EVENT_NAME_PAGE_FAULTS_MIN, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN},
    {PERF_EVENT_NAME_PAGE_FAULTS_MAJ, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ},
    {PERF_EVENT_NAME_ALIGNMENT_FAULTS, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_ALIGNMENT_FAULTS},
    {PERF_EVENT_NAME_EMULATION_FAULTS, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_EMULATION_FAULTS},
};

static int open_counter(pid_t pid, guint index)
{
    struct perf_event_attr attributes = {.size = sizeof attributes, .type = counters[index].type,
                                         .config = counters[index].config, .inherit = 1, .disabled = 1};
    int fd = (int)syscall(SYS_perf_event_open, &attributes, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    int why;

    if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_ENABLE) == 0)
        return fd;
    why = errno;
    close(fd);
    errno = why;
    return -1;
}

static void close_counter(gpointer data)
{
    close(GPOINTER_TO_INT(data));
}

static gboolean start_counting(Guest *guest, PerfEventName event, GError **error)
{
    const char *name = perf_event_name_to_string(event);
    int fd;

    for (guint i = 0; i < G_N_ELEMENTS(counters); i++) {
        if (counters[i].event != event)
            continue;
        if ((fd = open_counter(guest->process.pid, i)) < 0)
            return error_set_errno(error, VIR_FROM_PERF, errno, "unable to open host cpu perf event for %s", name);
        g_hash_table_insert(guest->counters, GINT_TO_POINTER(event), GINT_TO_POINTER(fd));
        return TRUE;
    }
    return error_set(error, VIR_FROM_PERF, VIR_ERR_ARGUMENT_UNSUPPORTED, "unable to enable host cpu perf event for %s", name);
}

gboolean perf_count(Guest *guest, PerfEventName event, gboolean on, GError **error)
{
    gboolean done = TRUE;

    g_mutex_lock(&guest->lock);
    if (!guest->counters)
        guest->counters = g_hash_table_new_full(NULL, NULL, NULL, close_counter);
    if (!on)
        g_hash_table_remove(guest->counters, GINT_TO_POINTER(event));
    else if (!g_hash_table_contains(guest->counters, GINT_TO_POINTER(event)))
        done = start_counting(guest, event, error);
    g_mutex_unlock(&guest->lock);
    return done;
}

gboolean perf_count_all(Guest *guest, GError **error)
{
    g_autoptr(Domain) live = guest_live(guest);

    for (guint i = 0; live && live->perf && i < live->perf->events->len; i++) {
        const PerfEvent *event = live->perf->events->pdata[i];
        if (event->enabled == TOGGLE_ON && !perf_count(guest, event->name, TRUE, error))
            return FALSE;
    }
    return TRUE;
}

void perf_sample(Guest *guest, Params *params)
{
    g_mutex_lock(&guest->lock);
    for (PerfEventName event = 1; guest->counters && event <= PERF_EVENT_NAME_EMULATION_FAULTS; event++) {
        gpointer fd;
        guint64 value;
        if (g_hash_table_lookup_extended(guest->counters, GINT_TO_POINTER(event), NULL, &fd) &&
            read(GPOINTER_TO_INT(fd), &value, sizeof value) == sizeof value)
            params_ullong(params, value, "perf.%s", perf_event_name_to_string(event));
    }
    g_mutex_unlock(&guest->lock);
}
