/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's process: everything it is told and given, and the launcher that becomes it. */
#include "driver-kvm/start-private.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "driver-kvm/cgroup.h"
#include "lib/error.h"
#include "lib/model/domain-threads.h"
#include "lib/sysfs.h"

#define LAUNCH_DEADLINE (15 * G_USEC_PER_SEC)
#define LOG_COUNT 3

static void add_environment(Start *start, GString *title)
{
    g_autoptr(GPtrArray) all = argv_environment(start->context);

    for (guint i = 0; i < all->len; i++) {
        launch_add(start->launch, "env", "%s", (const char *)all->pdata[i]);
        argv_append_word(title, all->pdata[i]);
        g_string_append(title, " \\\n");
    }
}

static void add_ids(Start *start)
{
    const ProcessIds *ids = user_ids(start->kvm->user);

    if (!ids)
        return;
    launch_add(start->launch, "gid", "%u", ids->gid);
    for (gsize i = 0; i < ids->n_groups; i++)
        launch_add(start->launch, "group", "%u", ids->groups[i]);
    launch_add(start->launch, "uid", "%u", ids->uid);
}

/* Pages that must stay in memory: all; as many as the guest may have at most; or, for a device that reads them by itself, the guest's and some for QEMU. */
static void add_limits(Start *start)
{
    const Domain *live = start->live;

    launch_add(start->launch, "limit", "core 0 0");
    if (live->memory_backing && live->memory_backing->locked) {
        launch_add(start->launch, "limit", "memlock unlimited unlimited");
    } else if (live->memtune && live->memtune->hard_limit != UNSET64) {
        guint64 bytes = live->memtune->hard_limit * 1024;
        launch_add(start->launch, "limit", "memlock %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, bytes, bytes);
    } else if (live->devices->hostdevs->len > 0) {
        guint64 bytes = (live->memory + 1024 * 1024) * 1024;
        launch_add(start->launch, "limit", "memlock %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, bytes, bytes);
    }
}

/* Before the program makes threads: they inherit it. */
static void add_placement(Start *start)
{
    const Domain *live = start->live;
    const NumatuneMemory *memory = live->numatune ? live->numatune->memory : NULL;
    const char *text = domain_emulator_cpus(live);
    g_autoptr(CpuSet) said = text ? cpuset_parse(text, NULL) : sysfs_cpuset("", "/sys/devices/system/cpu/online");
    g_autofree char *cpus = said ? cpuset_format(said) : NULL;
    g_autoptr(CpuSet) nodes = memory && memory->nodeset ? cpuset_parse(memory->nodeset, NULL) : NULL;
    g_autofree char *list = nodes ? cpuset_format(nodes) : NULL;

    if (cpus && *cpus)
        launch_add(start->launch, "cpus", "%s", cpus);
    /* what is restrictive is up to control groups */
    if (list && *list && memory->mode != NUMATUNE_MODE_RESTRICTIVE)
        launch_add(start->launch, "memory", "%s %s", numatune_mode_to_string(memory->mode), list);
}

static void add_log(Start *start, const char *title)
{
    g_autofree char *file = g_strconcat(start->live->name, ".log", NULL);
    struct stat st;

    start->log = g_build_filename(start->kvm->host->paths->log, file, NULL);
    start->log_from = (stat(start->log, &st) == 0 ? st.st_size : 0) + strlen(title) + 1;
    launch_add(start->launch, "log", "1 %d %d a %s", START_LOG_SIZE, LOG_COUNT, start->log);
    launch_add(start->launch, "title", "%s\n", title);
}

static GString *title_new(const Start *start)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");
    guint64 version = caps_version(start->caps);
    struct utsname host;
    GString *title = g_string_new(NULL);

    uname(&host);
    g_string_printf(title, "%s.%03d+0000: starting up, qemu version: %u.%u.%u%s, kernel: %s, hostname: %s\n", time,
                    g_date_time_get_microsecond(now) / 1000, (guint)(version / 1000000), (guint)(version / 1000 % 1000),
                    (guint)(version % 1000), caps_package(start->caps), host.release, host.nodename);
    return title;
}

gboolean start_describe(Start *start, GError **error)
{
    Guest *guest = start->guest;
    g_autofree char *pidfile = guest_path(guest, "pid");
    const char *partition = start->live->resource ? start->live->resource->partition : NULL;
    g_autoptr(GString) title = title_new(start);

    if (!cgroup_check(partition, error))
        return FALSE;
    g_autofree char *group = cgroup_make(partition, start->kvm->host->uuid(guest->vm));
    if (!argv_build(start->live, start->caps, start->context, &start->argv, error))
        return FALSE;
    start->launch = launch_new(start->kvm->host->paths->launcher, g_steal_fd(&start->lock));
    launch_add(start->launch, "pidfile", "%s", pidfile);
    launch_add(start->launch, "umask", "002");
    launch_add(start->launch, "cwd", "/");
    if (group)
        launch_add(start->launch, "cgroup", "%s", group);
    add_limits(start);
    add_placement(start);
    add_ids(start);
    add_environment(start, title);
    launch_pass(start->launch, start->listener, start->context->monitor_fd);
    for (guint i = 0; i < start->context->fds->len; i++) {
        const ArgvFd *fd = &g_array_index(start->context->fds, ArgvFd, i);
        launch_pass(start->launch, fd->fd, fd->number);
    }
    for (guint i = 0; i < start->argv->len && start->argv->pdata[i]; i++) {
        launch_add(start->launch, "arg", "%s", (const char *)start->argv->pdata[i]);
        argv_append_word(title, start->argv->pdata[i]);
    }
    add_log(start, title->str);
    return TRUE;
}

/* Under the guest's lock, so that a kill either prevents the process or finds it. */
static gboolean fork_locked(Start *start, GError **error)
{
    Guest *guest = start->guest;
    Process process;

    if (guest->doomed)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_ABORTED, "the domain was destroyed while it started");
    if (!launch_fork(start->launch, &process, error))
        return FALSE;
    guest_set_process(guest, process, TRUE);
    return TRUE;
}

gboolean start_launch(Start *start, GError **error)
{
    g_mutex_lock(&start->guest->lock);
    gboolean forked = fork_locked(start, error);
    g_mutex_unlock(&start->guest->lock);
    if (!forked || !guest_watch(start->guest, error))
        return FALSE;
    return launch_wait(start->launch, g_get_monotonic_time() + LAUNCH_DEADLINE, error);
}
