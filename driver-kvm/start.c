/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A start is the list of steps in start_guest(). A step that fails just says so: the daemon then calls kill and cleanup, which
 * find by the guest's folder whatever the steps before have left.
 *
 * Nothing sleeps and nothing is polled for. QEMU inherits a listening socket to which we connect at once; what can
 * happen next (it greets, it dies, it is killed) wakes the waiting step.
 */
#include "driver-kvm/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "driver-kvm/argv.h"
#include "driver-kvm/balloon.h"
#include "driver-kvm/cgroup.h"
#include "driver-kvm/launch.h"
#include "driver-kvm/launch/contract.h"
#include "driver-kvm/qmp-commands.h"
#include "lib/error.h"
#include "lib/file.h"

#define LAUNCH_DEADLINE (15 * G_USEC_PER_SEC)
/* QEMU greets when the machine is made. That includes taking all memory, where it is preallocated. */
#define GREETING_DEADLINE (30 * G_USEC_PER_SEC)
#define GREETING_PER_GIB (G_USEC_PER_SEC)
#define RESTORE_DEADLINE (G_GUINT64_CONSTANT(3600) * G_USEC_PER_SEC)
#define LAST_WORDS_DEADLINE (G_USEC_PER_SEC)
#define LAST_WORDS_MAX 1000
#define LOG_SIZE (2 * 1024 * 1024)
#define LOG_COUNT 3

typedef struct {
    Kvm *kvm;
    Guest *guest;
    const DriverStart *options;
    Caps *caps;
    ArgvContext *context;
    Domain *live; /* as it is published; a reference */
    GPtrArray *argv;
    Launch *launch;
    int lock, listener;
    char *log;
    gsize log_from; /* where what QEMU says begins in it */
} Start;

static void start_clear(Start *start)
{
    guest_unref(start->guest);
    caps_unref(start->caps);
    argv_context_free(start->context);
    domain_unref(start->live);
    g_clear_pointer(&start->argv, g_ptr_array_unref);
    launch_free(start->launch);
    if (start->lock >= 0)
        close(start->lock);
    if (start->listener >= 0)
        close(start->listener);
    g_free(start->log);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Start, start_clear)

/* Changes the published definition. */
static gboolean edit_live(Start *start, VmEdit edit, gpointer data, GError **error)
{
    if (!guest_edit(start->guest, edit, data, error))
        return FALSE;
    domain_unref(start->live);
    start->live = guest_live(start->guest);
    return TRUE;
}

static gboolean step_caps(Start *start, GError **error)
{
    const char *emulator = start->live->devices->emulator;

    if (!emulator)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "the domain has no emulator");
    start->caps = caps_cache_get(start->kvm->caps, emulator, error);
    if (!start->caps)
        return FALSE;
    if (start->live->type == DOMAIN_TYPE_KVM && !caps_has_accel(start->caps, CAPS_KVM))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Emulator '%s' does not support virt type 'kvm'",
                         emulator);
    return TRUE;
}

/* --- the folder --- */

static gboolean make_private(Start *start, GError **error)
{
    const char *path = start->guest->private_dir;
    const ProcessIds *ids = user_ids(start->kvm->user);

    if (mkdir(path, 0700) < 0 || (ids && chown(path, ids->uid, ids->gid) < 0))
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot make folder '%s'", path);
    return TRUE;
}

/* Through the folder's descriptor: a socket's name may have 107 bytes at most. */
static int listen_below(const char *folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, name);
    gboolean ok = dir >= 0 && fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 4) == 0;
    int errnum = errno;
    if (dir >= 0)
        close(dir);
    if (!ok && fd >= 0)
        close(fd);
    errno = errnum;
    return ok ? fd : -1;
}

static gboolean step_folder(Start *start, GError **error)
{
    g_autofree char *lock = guest_path(start->guest, "lock");

    start->lock = file_lock(lock, error);
    if (start->lock < 0 || !make_private(start, error))
        return FALSE;
    start->listener = listen_below(start->guest->folder, "monitor.sock");
    return start->listener >= 0 || error_set_errno(error, VIR_FROM_QEMU, errno, "cannot make QEMU's monitor socket");
}

/* --- host resources --- */

/* Exchanges the contents and keeps each one's own count of references. */
static gboolean edit_replace(Domain *live, gpointer data, GError **error)
{
    Domain *prepared = data;
    Domain old = *live;
    gatomicrefcount refs = prepared->refs;

    *live = *prepared;
    *prepared = old;
    live->refs = old.refs;
    prepared->refs = refs;
    return TRUE;
}

/* Works on a copy: what it does takes time, and the published definition must not wait for it. */
static gboolean step_prepare(Start *start, GError **error)
{
    const Kvm *kvm = start->kvm;
    ArgvContext *context = argv_context_new(start->guest->private_dir);

    start->context = context;
    context->state_dir = g_strdup(kvm->host->paths->state);
    context->vnc_listen = g_strdup(kvm->host->config("kvm", "vnc_listen"));
    context->monitor_fd = LAUNCH_FIRST_FREE;
    context->first_fd = LAUNCH_FIRST_FREE + 1;
    context->incoming = start->options->restore_fd >= 0;
    context->sandbox = TRUE;
    context->touch_host = TRUE;
    g_autoptr(Domain) live = domain_copy(start->live);
    gboolean prepared = argv_prepare(live, start->caps, context, error);
    /* what was prepared must be known even if not all could be: it is released by the published definition */
    return edit_live(start, edit_replace, live, prepared ? error : NULL) && prepared;
}

static const char *source_path(StorageType type, const DiskSource *source)
{
    if (!source)
        return NULL;
    return type == STORAGE_TYPE_FILE ? source->file : type == STORAGE_TYPE_BLOCK ? source->dev : NULL;
}

static void add_disk(GPtrArray *paths, const Disk *disk)
{
    gboolean write = !disk->readonly && disk->device != DISK_DEVICE_CDROM;

    dac_paths_add(paths, source_path(disk->type, disk->source), write);
    for (const DiskBackingStore *store = disk->backing_store; store; store = store->backing_store)
        dac_paths_add(paths, source_path(store->type, store->source), FALSE);
}

static void add_os(GPtrArray *paths, const DomainOs *os)
{
    dac_paths_add(paths, os->kernel, FALSE);
    dac_paths_add(paths, os->initrd, FALSE);
    dac_paths_add(paths, os->dtb, FALSE);
    if (os->loader)
        dac_paths_add(paths, os->loader->path, os->loader->type == LOADER_TYPE_PFLASH && os->loader->readonly == TOGGLE_OFF);
    if (os->nvram)
        dac_paths_add(paths, os->nvram->source ? source_path(os->nvram->type, os->nvram->source) : os->nvram->path, TRUE);
}

static gboolean step_access(Start *start, GError **error)
{
    g_autoptr(GPtrArray) paths = dac_paths_new();
    const Domain *live = start->live;

    add_os(paths, live->os);
    for (guint i = 0; i < live->devices->disks->len; i++)
        add_disk(paths, live->devices->disks->pdata[i]);
    for (guint i = 0; i < live->devices->rngs->len; i++) {
        const Rng *rng = live->devices->rngs->pdata[i];
        if (rng->backend && rng->backend->model == RNG_BACKEND_MODEL_RANDOM)
            dac_paths_add(paths, rng->backend->value, FALSE);
    }
    return dac_take(start->kvm->dac, start->guest->folder, paths, error);
}

/* --- the launch --- */

static void add_environment(Start *start, GString *title)
{
    static const char *const subfolders[][2] = {
        {"XDG_DATA_HOME", "/.local/share"}, {"XDG_CACHE_HOME", "/.cache"}, {"XDG_CONFIG_HOME", "/.config"}, {"HOME", ""}};
    const char *home = start->guest->private_dir;
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
    const QemuCommandline *extra = start->live->commandline;

    g_ptr_array_add(all, g_strdup("LC_ALL=C"));
    g_ptr_array_add(all, g_strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
    for (guint i = 0; i < G_N_ELEMENTS(subfolders); i++)
        g_ptr_array_add(all, g_strdup_printf("%s=%s%s", subfolders[i][0], home, subfolders[i][1]));
    for (guint i = 0; extra && i < extra->envs->len; i++) {
        const QemuEnv *env = extra->envs->pdata[i];
        g_ptr_array_add(all, g_strdup_printf("%s=%s", env->name, env->value ? env->value : ""));
    }
    for (guint i = 0; i < all->len; i++) {
        launch_add(start->launch, "env", "%s", (const char *)all->pdata[i]);
        g_string_append_printf(title, "%s \\\n", (const char *)all->pdata[i]);
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

/* Pages that must stay in memory: all, or, for a device that reads them by itself, the guest's and some for QEMU. */
static void add_limits(Start *start)
{
    const Domain *live = start->live;

    launch_add(start->launch, "limit", "core 0 0");
    if (live->memory_backing && live->memory_backing->locked) {
        launch_add(start->launch, "limit", "memlock unlimited unlimited");
    } else if (live->devices->hostdevs->len > 0) {
        guint64 bytes = (live->memory + 1024 * 1024) * 1024;
        launch_add(start->launch, "limit", "memlock %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, bytes, bytes);
    }
}

static void add_log(Start *start, const char *title)
{
    g_autofree char *file = g_strconcat(start->live->name, ".log", NULL);
    struct stat st;

    start->log = g_build_filename(start->kvm->host->paths->log, file, NULL);
    start->log_from = (stat(start->log, &st) == 0 ? st.st_size : 0) + strlen(title) + 1;
    launch_add(start->launch, "log", "1 %d %d a %s", LOG_SIZE, LOG_COUNT, start->log);
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

static gboolean step_describe(Start *start, GError **error)
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
    add_ids(start);
    add_environment(start, title);
    launch_pass(start->launch, start->listener, start->context->monitor_fd);
    for (guint i = 0; i < start->context->fds->len; i++) {
        const ArgvFd *fd = &g_array_index(start->context->fds, ArgvFd, i);
        launch_pass(start->launch, fd->fd, fd->number);
    }
    for (guint i = 0; i < start->argv->len && start->argv->pdata[i]; i++) {
        launch_add(start->launch, "arg", "%s", (const char *)start->argv->pdata[i]);
        g_string_append_printf(title, "%s%s", i > 0 ? " " : "", (const char *)start->argv->pdata[i]);
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

static gboolean step_launch(Start *start, GError **error)
{
    g_mutex_lock(&start->guest->lock);
    gboolean forked = fork_locked(start, error);
    g_mutex_unlock(&start->guest->lock);
    if (!forked || !guest_watch(start->guest, error))
        return FALSE;
    return launch_wait(start->launch, g_get_monotonic_time() + LAUNCH_DEADLINE, error);
}

/* --- the monitor --- */

/* What QEMU printed since this start. */
static char *last_words(Start *start)
{
    gsize length = 0;

    launch_drain(start->launch, g_get_monotonic_time() + LAST_WORDS_DEADLINE);
    g_autofree char *text = file_read(start->log, LOG_SIZE * 2, &length, NULL);
    if (!text)
        return NULL;
    gsize from = length >= start->log_from ? start->log_from : 0; /* the log may have been renamed under us */
    if (length - from > LAST_WORDS_MAX)
        from = length - LAST_WORDS_MAX;
    return g_strchomp(g_utf8_make_valid(text + from, length - from));
}

static gboolean explain(Start *start, const char *what, GError **error)
{
    Guest *guest = start->guest;

    g_mutex_lock(&guest->lock);
    gboolean doomed = guest->doomed;
    g_autofree char *why = g_strdup(guest->lost_why);
    g_mutex_unlock(&guest->lock);
    if (doomed)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_ABORTED, "the domain was destroyed while it started");
    g_autofree char *words = last_words(start);
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s: %s", what, words && *words ? words : why ? why : "");
}

static gboolean step_monitor(Start *start, GError **error)
{
    guint64 wait = GREETING_DEADLINE + start->live->memory / (1024 * 1024) * GREETING_PER_GIB;
    g_autoptr(GError) cause = NULL;

    if (!guest_connect(start->guest, wait, error))
        return FALSE;
    if (guest_wait_ready(start->guest, g_get_monotonic_time() + wait, &cause))
        return TRUE;
    if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    return explain(start, "process exited while connecting to monitor", error);
}

typedef struct {
    const char *command;
    JsonNode *answer;
} Lesson;

static gboolean edit_learn(Domain *live, gpointer data, GError **error)
{
    const Lesson *lesson = data;

    return argv_learn(live, lesson->command, lesson->answer, error);
}

static gboolean learn(Start *start, Qmp *qmp, GError **error)
{
    for (guint i = 0; argv_questions[i]; i++) {
        g_autoptr(JsonNode) answer = qmp_call(qmp, argv_questions[i], NULL, QMP_DEADLINE, error);
        Lesson lesson = {argv_questions[i], answer};
        if (!answer || !edit_live(start, edit_learn, &lesson, error))
            return FALSE;
    }
    g_autoptr(GArray) threads = NULL;
    if (!qmp_query_cpus(qmp, &threads, error))
        return FALSE;
    g_mutex_lock(&start->guest->lock);
    start->guest->threads = g_steal_pointer(&threads);
    g_mutex_unlock(&start->guest->lock);
    return TRUE;
}

/* --- before the guest runs --- */

static gboolean run_commands(Start *start, Qmp *qmp, GError **error)
{
    for (guint i = 0; i < start->context->commands->len; i++) {
        JsonObject *command = start->context->commands->pdata[i];
        JsonNode *arguments = json_object_get_member(command, "arguments");
        g_autoptr(JsonNode) answer = qmp_call(qmp, json_object_get_string_member(command, "execute"),
                                              arguments ? json_object_ref(json_node_get_object(arguments)) : NULL,
                                              QMP_DEADLINE, error);
        if (!answer)
            return FALSE;
    }
    return TRUE;
}

/* A reboot that shall end the guest: QEMU makes a shutdown of it. */
static gboolean set_actions(Start *start, Qmp *qmp, GError **error)
{
    if (start->live->on_reboot != LIFECYCLE_DESTROY || !caps_has_command(start->caps, "set-action"))
        return TRUE;
    return qmp_do(qmp, "set-action", qmp_args("s:reboot", "shutdown", NULL), QMP_DEADLINE, error);
}

static gboolean restore(Start *start, Qmp *qmp, GError **error)
{
    Guest *guest = start->guest;

    if (start->options->restore_fd < 0)
        return TRUE;
    guest_set_job(guest, &guest->migration, JOB_UNDER_WAY, NULL);
    g_autoptr(JsonObject) capability = qmp_args("s:capability", "events", "b:state", TRUE, NULL);
    JsonArray *capabilities = json_array_new();
    JsonObject *arguments = json_object_new();
    json_array_add_object_element(capabilities, json_object_ref(capability));
    json_object_set_array_member(arguments, "capabilities", capabilities);
    if (!qmp_do(qmp, "migrate-set-capabilities", arguments, QMP_DEADLINE, error) ||
        !qmp_getfd(qmp, "restore", start->options->restore_fd, error) ||
        !qmp_do(qmp, "migrate-incoming", qmp_args("s:uri", "fd:restore", NULL), QMP_DEADLINE, error))
        return FALSE;
    g_autoptr(GError) cause = NULL;
    if (guest_wait_job(guest, &guest->migration, g_get_monotonic_time() + RESTORE_DEADLINE, &cause))
        return TRUE;
    g_autofree char *what = g_strdup_printf("cannot restore the guest from '%s'", start->options->restore_name);
    return explain(start, what, error);
}

static gboolean has_agent_channel(const Domain *live)
{
    for (guint i = 0; i < live->devices->channels->len; i++) {
        const Chardev *channel = live->devices->channels->pdata[i];
        if (channel->target && channel->target->type == CHARDEV_TARGET_TYPE_VIRTIO &&
            g_strcmp0(channel->target->name, "org.qemu.guest_agent.0") == 0)
            return TRUE;
    }
    return FALSE;
}

static void tell_agent(Start *start)
{
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                     .agent = {VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
                               VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED}};

    if (has_agent_channel(start->live))
        start->kvm->host->emit(start->guest->vm, &event);
}

/* The state is published when QEMU tells that it runs, which is before it answers. */
static gboolean go(Start *start, Qmp *qmp, GError **error)
{
    Guest *guest = start->guest;

    if (start->options->paused) {
        start->kvm->host->set_state(guest->vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
        return TRUE;
    }
    g_mutex_lock(&guest->lock);
    guest->run_reason = start->options->restore_fd >= 0 ? VIR_DOMAIN_RUNNING_RESTORED : VIR_DOMAIN_RUNNING_BOOTED;
    g_mutex_unlock(&guest->lock);
    return qmp_cont(qmp, error);
}

static gboolean step_run(Start *start, GError **error)
{
    g_autoptr(Qmp) qmp = guest_qmp(start->guest, NULL);

    if (!qmp)
        return explain(start, "qemu unexpectedly closed the monitor", error);
    g_autoptr(GError) cause = NULL;
    if (learn(start, qmp, &cause) && run_commands(start, qmp, &cause) && set_actions(start, qmp, &cause) &&
        restore(start, qmp, &cause) && balloon_set(start->guest, qmp, start->options->restore_fd >= 0, &cause) &&
        balloon_learn(start->guest, qmp, &cause)) {
        tell_agent(start);
        if (go(start, qmp, &cause))
            return TRUE;
    }
    if (error_is(cause, VIR_ERR_OPERATION_FAILED) && !qmp_is_responsive(qmp))
        return explain(start, "qemu unexpectedly closed the monitor", error);
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

gboolean start_guest(gpointer self, Vm *vm, const DriverStart *options, GError **error)
{
    g_auto(Start) start = {.kvm = self, .options = options, .lock = -1, .listener = -1};

    start.guest = guest_obtain(self, vm);
    g_mutex_lock(&start.guest->lock);
    start.guest->ours = TRUE;
    g_mutex_unlock(&start.guest->lock);
    start.live = guest_live(start.guest);
    return step_caps(&start, error) &&     /* what can this QEMU do? */
           step_folder(&start, error) &&   /* the lock and the monitor's socket */
           step_prepare(&start, error) &&  /* taps, ports, images */
           step_access(&start, error) &&   /* QEMU's user may use the guest's files */
           step_describe(&start, error) && /* command line and everything around it */
           step_launch(&start, error) &&   /* there is a process */
           step_monitor(&start, error) &&  /* it answers */
           step_run(&start, error);        /* it has told what only it knows, and runs */
}
