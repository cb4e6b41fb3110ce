/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A start is the list of steps in start_guest(). A step that fails just says so: the daemon then calls kill and cleanup, which
 * find by the guest's folder whatever the steps before have left.
 *
 * Nothing sleeps and nothing is polled for. QEMU inherits a listening socket to which we connect at once; what can
 * happen next (it greets, it dies, it is killed) wakes the waiting step.
 */
#include "driver-kvm/start-private.h"

#include <unistd.h>

#include "driver-kvm/balloon.h"
#include "driver-kvm/cpu-start.h"
#include "driver-kvm/labels.h"
#include "driver-kvm/memory-live.h"
#include "driver-kvm/part-live.h"
#include "driver-kvm/perf.h"
#include "driver-kvm/qmp-commands.h"
#include "driver-kvm/threads.h"
#include "driver-kvm/tsc.h"
#include "driver-kvm/vcpu-plug.h"
#include "lib/error.h"
#include "lib/file.h"

/* QEMU greets when the machine is made. That includes taking all memory, where it is preallocated. */
#define GREETING_DEADLINE (30 * G_USEC_PER_SEC)
#define GREETING_PER_GIB (G_USEC_PER_SEC)
#define RESTORE_DEADLINE (G_GUINT64_CONSTANT(3600) * G_USEC_PER_SEC)
#define LAST_WORDS_DEADLINE (G_USEC_PER_SEC)
#define LAST_WORDS_MAX 1000

gboolean start_edit(Start *start, VmEdit edit, gpointer data, GError **error)
{
    if (!guest_edit(start->guest, edit, data, error))
        return FALSE;
    domain_unref(start->live);
    start->live = guest_live(start->guest);
    return TRUE;
}

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

/* What the document asks of this host's hardware. */
static gboolean check_host(const Start *start, GError **error)
{
    if (!tsc_wanted(start->live))
        return TRUE;
    Tsc tsc = tsc_of_host();
    return tsc_check(start->live, &tsc, error);
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
    return labels_check(start->live, user_ids(start->kvm->user), error) && check_host(start, error);
}

/* --- the monitor --- */

/* What QEMU printed since this start. */
static char *last_words(Start *start)
{
    gsize length = 0;

    launch_drain(start->launch, g_get_monotonic_time() + LAST_WORDS_DEADLINE);
    g_autofree char *text = file_read(start->log, START_LOG_SIZE * 2, &length, NULL);
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

static gboolean edit_cpu(Domain *live, gpointer data, GError **error)
{
    return cpu_start_learn(live, data, error);
}

static gboolean learn_cpu(Start *start, Qmp *qmp, GError **error)
{
    CpuMade made;

    return cpu_start_ask(qmp, start->live, start->caps, &made, error) &&
           (!made.asked || start_edit(start, edit_cpu, &made, error));
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
        if (!answer || !start_edit(start, edit_learn, &lesson, error))
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
    gboolean restored = start->options->restore_fd >= 0;

    if (start->options->paused || restored) /* libvirt's word for whoever came in by a stream */
        start->kvm->host->set_state(guest->vm, VIR_DOMAIN_PAUSED,
                                    restored ? VIR_DOMAIN_PAUSED_MIGRATION : VIR_DOMAIN_PAUSED_USER);
    if (start->options->paused)
        return TRUE;
    /* From its first instruction on the guest cannot be made from its file again: the next daemon must keep it. */
    if (restored && !start->kvm->host->save_status(guest->vm, error))
        return FALSE;
    g_mutex_lock(&guest->lock);
    guest->run_reason = restored ? VIR_DOMAIN_RUNNING_RESTORED : VIR_DOMAIN_RUNNING_BOOTED;
    g_mutex_unlock(&guest->lock);
    return qmp_cont(qmp, error);
}

static gboolean step_run(Start *start, GError **error)
{
    g_autoptr(Qmp) qmp = guest_qmp(start->guest, NULL);

    if (!qmp)
        return explain(start, "qemu unexpectedly closed the monitor", error);
    g_autoptr(GError) cause = NULL;
    if (learn(start, qmp, &cause) && learn_cpu(start, qmp, &cause) && vcpu_plug_all(start->guest, qmp, &cause) &&
        threads_place(start->guest, qmp, &cause) && perf_count_all(start->guest, &cause) &&
        parts_run_commands(qmp, start->context, &cause) && set_actions(start, qmp, &cause) &&
        memory_learn(start->guest, qmp, &cause) && restore(start, qmp, &cause) &&
        balloon_set(start->guest, qmp, start->options->restore_fd >= 0, &cause) &&
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
    return step_caps(&start, error) &&      /* what can this QEMU do? */
           start_folder(&start, error) &&   /* the lock and the monitor's socket */
           start_prepare(&start, error) &&  /* taps, ports, images */
           start_firmware(&start, error) && /* its variables are there */
           start_access(&start, error) &&   /* QEMU's user may use the guest's files */
           start_sides(&start, error) &&    /* swtpm, virtiofsd */
           start_describe(&start, error) && /* command line and everything around it */
           start_launch(&start, error) &&   /* there is a process */
           step_monitor(&start, error) &&   /* it answers */
           step_run(&start, error);         /* it has told what only it knows, and runs */
}
