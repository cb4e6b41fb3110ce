/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/side.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "driver-kvm/cgroup.h"
#include "driver-kvm/launch.h"
#include "lib/error.h"
#include "lib/file.h"

#define LAUNCH_DEADLINE (15 * G_USEC_PER_SEC)
#define LOG_SIZE (512 * 1024)
#define LOG_COUNT 1
#define POLITE (2 * G_USEC_PER_SEC)
#define KILL_PATIENCE (10 * G_USEC_PER_SEC)
#define ATTEMPTS 8 /* a program may have made copies of itself that hold its lock, too */

typedef struct {
    Guest *guest; /* which has us in its list */
    char *name;
    Process process;
    gboolean child; /* ours to wait for */
    gboolean stopped; /* by us; under the guest's lock */
    sd_event_source *death; /* loop only */
} Side;

static char *file_of(const Guest *guest, const char *name, const char *ending)
{
    return g_strconcat(guest->folder, "/side/", name, ending, NULL);
}

/* --- its end, on the loop --- */

static void log_end(Side *side)
{
    const DriverHost *host = side->guest->kvm->host;
    siginfo_t info = {0};
    g_autofree char *text = NULL;

    if (side->child && waitid(P_PIDFD, side->process.pidfd, &info, WEXITED | WNOHANG) < 0)
        return;
    g_mutex_lock(&side->guest->lock);
    gboolean expected = side->stopped || side->guest->gone || side->guest->doomed;
    g_mutex_unlock(&side->guest->lock);
    if (expected || (side->child && info.si_code == CLD_EXITED && info.si_status == 0))
        return; /* with QEMU's end they end by themselves */
    text = !side->child                    ? g_strdup_printf("the process of its %s has ended", side->name)
           : info.si_code == CLD_EXITED    ? g_strdup_printf("the process of its %s ended with status %d", side->name, info.si_status)
                                           : g_strdup_printf("the process of its %s was ended by signal %d", side->name, info.si_status);
    host->log(side->guest->vm, LOG_WARNING, text);
}

static int on_death(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    Side *side = data;

    side->death = sd_event_source_disable_unref(side->death);
    log_end(side);
    return 0;
}

static void watch(gpointer data)
{
    Side *side = data;

    sd_event_add_io(loop_event(side->guest->kvm->host->loop), &side->death, side->process.pidfd, EPOLLIN, on_death, side);
}

static void unwatch(gpointer data)
{
    Side *side = data;

    side->death = sd_event_source_disable_unref(side->death);
    if (side->child)
        waitid(P_PIDFD, side->process.pidfd, &(siginfo_t){0}, WEXITED | WNOHANG);
}

static void side_free(Side *side)
{
    loop_call(side->guest->kvm->host->loop, unwatch, side);
    close(side->process.pidfd);
    g_free(side->name);
    g_free(side);
}

/* Under the guest's lock. */
static Side *add(Guest *guest, const char *name, Process process, gboolean child)
{
    Side *side = g_new0(Side, 1);

    *side = (Side){.guest = guest, .name = g_strdup(name), .process = process, .child = child};
    guest->sides = g_slist_prepend(guest->sides, side);
    return side;
}

/* --- its beginning --- */

static void describe(Launch *launch, Guest *guest, const SideSpec *spec)
{
    g_autoptr(Domain) live = guest_live(guest);
    g_autofree char *pidfile = file_of(guest, spec->name, ".pid");
    g_autofree char *log = g_strdup_printf("%s/%s-%s.log", guest->kvm->host->paths->log, live->name, spec->name);
    const char *partition = live->resource ? live->resource->partition : NULL;
    g_autofree char *group = cgroup_make(partition, guest->kvm->host->uuid(guest->vm));
    g_autofree char *title = g_strjoinv(" ", (char **)spec->argv);

    launch_add(launch, "pidfile", "%s", pidfile);
    launch_add(launch, "umask", "077");
    launch_add(launch, "cwd", "/");
    if (group)
        launch_add(launch, "cgroup", "%s", group);
    launch_add(launch, "limit", "core 0 0");
    if (spec->ids) {
        launch_add(launch, "gid", "%u", spec->ids->gid);
        for (gsize i = 0; i < spec->ids->n_groups; i++)
            launch_add(launch, "group", "%u", spec->ids->groups[i]);
        launch_add(launch, "uid", "%u", spec->ids->uid);
    } else {
        launch_add(launch, "capabilities", "keep");
    }
    launch_add(launch, "env", "LC_ALL=C");
    launch_add(launch, "env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (guint i = 0; i < spec->n_fds; i++)
        launch_pass(launch, spec->fds[i].fd, spec->fds[i].number);
    for (guint i = 0; spec->argv[i]; i++)
        launch_add(launch, "arg", "%s", spec->argv[i]);
    launch_add(launch, "log", "1 %d %d a %s", LOG_SIZE, LOG_COUNT, log);
    launch_add(launch, "title", "%s\n", title);
}

/* As QEMU itself: a kill either prevents the process or finds it. */
static Side *launch_locked(Guest *guest, const SideSpec *spec, Launch *launch, GError **error)
{
    Process process;

    if (guest->doomed) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_ABORTED, "the domain was destroyed while it started");
        return NULL;
    }
    return launch_fork(launch, &process, error) ? add(guest, spec->name, process, TRUE) : NULL;
}

gboolean side_start(Guest *guest, const SideSpec *spec, GError **error)
{
    g_autofree char *folder = guest_path(guest, "side");
    g_autofree char *path = file_of(guest, spec->name, ".lock");

    if (!file_make_folder(folder, 0700, error))
        return FALSE;
    int lock = file_lock(path, error);
    if (lock < 0)
        return FALSE;
    g_autoptr(Launch) launch = launch_new(guest->kvm->host->paths->launcher, lock);
    describe(launch, guest, spec);
    g_mutex_lock(&guest->lock);
    Side *side = launch_locked(guest, spec, launch, error);
    g_mutex_unlock(&guest->lock);
    if (!side)
        return FALSE;
    loop_call(guest->kvm->host->loop, watch, side);
    return launch_wait(launch, g_get_monotonic_time() + LAUNCH_DEADLINE, error);
}

/* --- those of an earlier daemon --- */

typedef void (*NameFunc)(Guest *guest, const char *name);

static void each_name(Guest *guest, NameFunc fn)
{
    g_autofree char *folder = guest_path(guest, "side");
    GDir *dir = g_dir_open(folder, 0, NULL);

    for (const char *file; dir && (file = g_dir_read_name(dir));)
        if (g_str_has_suffix(file, ".lock")) {
            g_autofree char *name = g_strndup(file, strlen(file) - strlen(".lock"));
            fn(guest, name);
        }
    if (dir)
        g_dir_close(dir);
}

static gboolean find_process(const Guest *guest, const char *name, Process *ret_process, GError **error)
{
    g_autofree char *lock = file_of(guest, name, ".lock");
    g_autofree char *pid = file_of(guest, name, ".pid");

    return guest_find_holder(lock, pid, ret_process, error);
}

static void find_one(Guest *guest, const char *name)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) cause = NULL;
    Process process;

    if (find_process(guest, name, &process, &cause)) {
        g_mutex_lock(&guest->lock);
        Side *side = add(guest, name, process, FALSE);
        g_mutex_unlock(&guest->lock);
        loop_call(guest->kvm->host->loop, watch, side);
        return;
    }
    text = cause ? g_strdup(error_detail(cause)) : g_strdup_printf("the process of its %s has ended", name);
    guest->kvm->host->log(guest->vm, LOG_WARNING, text);
}

void side_find(Guest *guest)
{
    each_name(guest, find_one);
}

/* --- the end --- */

static void end_process(int pidfd)
{
    process_signal(pidfd, SIGTERM);
    if (process_wait_gone(pidfd, g_get_monotonic_time() + POLITE))
        return;
    process_signal(pidfd, SIGKILL);
    process_wait_gone(pidfd, g_get_monotonic_time() + KILL_PATIENCE);
}

/* Until nobody holds the lock, which is the proof. */
static void end_one(Guest *guest, const char *name)
{
    g_autoptr(GError) cause = NULL;
    Process process;

    for (guint i = 0; i < ATTEMPTS && find_process(guest, name, &process, &cause); i++) {
        end_process(process.pidfd);
        close(process.pidfd);
    }
    if (cause)
        guest->kvm->host->log(guest->vm, LOG_ERR, error_detail(cause));
}

/* Out of the list; NULL: it is not there. */
static Side *take(Guest *guest, const char *name)
{
    Side *found = NULL;

    g_mutex_lock(&guest->lock);
    for (GSList *at = guest->sides; at && !found; at = at->next)
        if (g_str_equal(((Side *)at->data)->name, name))
            found = at->data;
    guest->sides = g_slist_remove(guest->sides, found);
    if (found)
        found->stopped = TRUE;
    g_mutex_unlock(&guest->lock);
    return found;
}

void side_stop(Guest *guest, const char *name)
{
    g_autofree char *lock = file_of(guest, name, ".lock");
    g_autofree char *pid = file_of(guest, name, ".pid");
    Side *side = take(guest, name);

    if (access(lock, F_OK) == 0)
        end_one(guest, name);
    g_clear_pointer(&side, side_free);
    unlink(pid);
    unlink(lock);
}

static GSList *take_all(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    GSList *sides = g_steal_pointer(&guest->sides);
    g_mutex_unlock(&guest->lock);
    return sides;
}

void side_forget(Guest *guest)
{
    g_slist_free_full(take_all(guest), (GDestroyNotify)side_free);
}

void side_end(Guest *guest)
{
    GSList *sides = take_all(guest);

    for (GSList *at = sides; at; at = at->next)
        end_process(((Side *)at->data)->process.pidfd);
    each_name(guest, end_one);
    g_slist_free_full(sides, (GDestroyNotify)side_free);
}
