/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The smallest complete driver: guests are processes that sleep. It takes domains of type 'test', so that documents need
 * nothing that only one hypervisor has. How a guest behaves is said by words in the definition's description:
 *
 *   start-ms=N     the start takes N ms            start-fail      it fails after the process was made
 *   start-hang     the start never ends by itself (10 s)
 *   crash-ms=N     the process ends N ms after the start, off-ms=N as if the guest had shut down
 *   hang           nothing that needs the monitor is answered: the first call waits 500 ms, then the guest is unresponsive
 *   deaf           shutting down and rebooting are not listened to
 *   reboot-anew    a reboot needs a new run
 *   kill-fail      cannot be killed gracefully
 *   kill-fail=N    the first N times it cannot be killed at all
 *   lost           the next daemon does not find it
 *   cleanup-ms=N   cleaning up takes N ms
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/model/domain-defaults.h"
#include "tests/fake/guest.h"

#define MONITOR_USEC (G_USEC_PER_SEC / 2)
#define HANG_USEC (10 * G_USEC_PER_SEC)
#define SAVE_MAGIC "fake guest\n"

__attribute__((visibility("default"))) extern const Driver DRIVER_ENTRY;

/* --- words of the description --- */

static char *find_word(const Domain *def, const char *word)
{
    g_auto(GStrv) words = g_strsplit_set(def->description ? def->description : "", " \n\t", -1);
    for (char **one = words; *one; one++)
        if (g_str_has_prefix(*one, word))
            return g_strdup(*one + strlen(word));
    return NULL;
}

static char *knob(Fake *fake, Vm *vm, const char *word)
{
    g_autoptr(VmView) view = fake->host->view(vm);
    return find_word(vm_view_def(view), word);
}

static gboolean has_knob(Fake *fake, Vm *vm, const char *word)
{
    g_autofree char *value = knob(fake, vm, word);
    return value != NULL;
}

static guint64 knob_number(Fake *fake, Vm *vm, const char *word)
{
    g_autofree char *value = knob(fake, vm, word);
    return value ? g_ascii_strtoull(value, NULL, 10) : 0;
}

static guint64 knob_usec(Fake *fake, Vm *vm, const char *word)
{
    return knob_number(fake, vm, word) * 1000;
}

/* --- definitions --- */

static gboolean fake_complete(gpointer self, Domain *def, DriverComplete when, GError **error)
{
    if (when == DRIVER_COMPLETE_START)
        return TRUE;
    if (def->type != DOMAIN_TYPE_TEST)
        return error_set(error, VIR_FROM_TEST, VIR_ERR_CONFIG_UNSUPPORTED, "only domains of type 'test' run here, not '%s'",
                         domain_type_to_string(def->type));
    return domain_normalize(def, error) && domain_imply(def, error);
}

static gboolean fake_version(gpointer self, guint64 *ret_version, GError **error)
{
    *ret_version = 1002003;
    return TRUE;
}

static gboolean fake_max_vcpus(gpointer self, const char *type, int *ret_max, GError **error)
{
    *ret_max = 32;
    return TRUE;
}

static gboolean fake_guests(gpointer self, XmlWriter *writer, GError **error)
{
    xml_writer_open(writer, "guest");
    xml_writer_element(writer, "os_type", "hvm");
    xml_writer_open(writer, "arch");
    xml_writer_attribute(writer, "name", "x86_64");
    xml_writer_element(writer, "wordsize", "64");
    xml_writer_open(writer, "domain");
    xml_writer_attribute(writer, "type", "test");
    xml_writer_close(writer);
    xml_writer_close(writer);
    xml_writer_close(writer);
    return TRUE;
}

/* --- state --- */

static void say(Fake *fake, Vm *vm, int event, int detail)
{
    VmEvent one = {.id = VIR_DOMAIN_EVENT_ID_LIFECYCLE, .lifecycle = {event, detail}};
    fake->host->emit(vm, &one);
}

static void say_reboot(Fake *fake, Vm *vm)
{
    VmEvent one = {.id = VIR_DOMAIN_EVENT_ID_REBOOT};
    fake->host->emit(vm, &one);
}

/* As if a monitor were asked. */
static gboolean ask_monitor(Fake *fake, Vm *vm, GError **error)
{
    if (!has_knob(fake, vm, "hang"))
        return TRUE;
    g_usleep(MONITOR_USEC);
    fake->host->set_responsive(vm, FALSE);
    return error_set(error, VIR_FROM_TEST, VIR_ERR_OPERATION_TIMEOUT, "the monitor did not answer");
}

/* A new reference, or NULL. Killing and figures come from other threads than cleanup. */
static Guest *guest_of(Fake *fake, Vm *vm)
{
    g_mutex_lock(&fake->lock);
    Guest *guest = fake->host->get_private(vm);
    if (guest)
        guest_ref(guest);
    g_mutex_unlock(&fake->lock);
    return guest;
}

/* GUEST is given away. */
static void keep_guest(Fake *fake, Vm *vm, Guest *guest)
{
    g_mutex_lock(&fake->lock);
    fake->host->set_private(vm, guest, guest ? guest_let_go : NULL);
    g_mutex_unlock(&fake->lock);
}

/* --- what happens by itself --- */

typedef struct {
    Guest *guest;
    int detail, reason;
    sd_event_source *timer;
} Later;

static void end_now(gpointer data)
{
    Later *later = data;
    guest_end(later->guest, later->detail, later->reason, 0); /* the end itself is seen as any other */
    sd_event_source_unref(later->timer);
    later->guest->fake->host->unref(later->guest->vm);
    guest_unref(later->guest);
    g_free(later);
}

typedef struct {
    Guest *guest;
    guint64 usec;
    int detail, reason;
} Plan;

static void arm(gpointer data)
{
    const Plan *plan = data;
    Later *later = g_new0(Later, 1);
    *later = (Later){guest_ref(plan->guest), plan->detail, plan->reason, NULL};
    plan->guest->fake->host->ref(plan->guest->vm);
    later->timer = loop_after(plan->guest->fake->host->loop, plan->usec, end_now, later);
}

static void end_later(Guest *guest, guint64 usec, int detail, int reason)
{
    Plan plan = {guest, usec, detail, reason};
    loop_call(guest->fake->host->loop, arm, &plan);
}

static void plan_end(Fake *fake, Vm *vm, Guest *guest)
{
    guint64 crash = knob_usec(fake, vm, "crash-ms="), off = knob_usec(fake, vm, "off-ms=");
    if (crash)
        end_later(guest, crash, VIR_DOMAIN_EVENT_STOPPED_FAILED, VIR_DOMAIN_SHUTOFF_CRASHED);
    if (off)
        end_later(guest, off, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, VIR_DOMAIN_SHUTOFF_SHUTDOWN);
}

/* --- start and end --- */

static gboolean read_saved(const DriverStart *options, GError **error)
{
    char magic[sizeof(SAVE_MAGIC)] = "";
    if (options->restore_fd < 0)
        return TRUE;
    if (read(options->restore_fd, magic, sizeof(magic) - 1) == sizeof(magic) - 1 && g_str_equal(magic, SAVE_MAGIC))
        return TRUE;
    return error_set(error, VIR_FROM_TEST, VIR_ERR_OPERATION_FAILED, "'%s' holds no fake guest", options->restore_name);
}

static gboolean wait_start(Fake *fake, Vm *vm, GError **error)
{
    g_autoptr(Guest) guest = guest_of(fake, vm);
    gboolean hangs = has_knob(fake, vm, "start-hang");
    guint64 usec = hangs ? HANG_USEC : knob_usec(fake, vm, "start-ms=");
    if (process_wait_gone(guest->pidfd, g_get_monotonic_time() + (gint64)usec))
        return error_set(error, VIR_FROM_TEST, VIR_ERR_INTERNAL_ERROR, "the process ended while it started");
    if (hangs)
        return error_set(error, VIR_FROM_TEST, VIR_ERR_OPERATION_TIMEOUT, "the start took too long");
    return !has_knob(fake, vm, "start-fail") ||
           error_set(error, VIR_FROM_TEST, VIR_ERR_INTERNAL_ERROR, "the start was told to fail");
}

static gboolean fake_start(gpointer self, Vm *vm, const DriverStart *options, GError **error)
{
    Fake *fake = self;
    g_autoptr(Guest) guest = read_saved(options, error) ? guest_start(fake, vm, error) : NULL;
    if (!guest)
        return FALSE;
    keep_guest(fake, vm, guest_ref(guest));
    if (!wait_start(fake, vm, error))
        return FALSE;
    if (options->paused) {
        fake->host->set_state(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
    } else {
        fake->host->set_state(vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
        say(fake, vm, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    }
    plan_end(fake, vm, guest);
    return TRUE;
}

static gboolean fake_kill(gpointer self, Vm *vm, gboolean graceful, GError **error)
{
    Fake *fake = self;
    if (g_atomic_int_add(&fake->kills, 1) < (gint)knob_number(fake, vm, "kill-fail="))
        return error_set(error, VIR_FROM_TEST, VIR_ERR_OPERATION_FAILED, "the process cannot be killed");
    if (graceful && has_knob(fake, vm, "kill-fail"))
        return error_set(error, VIR_FROM_TEST, VIR_ERR_OPERATION_FAILED, "the process does not end by itself");
    g_autoptr(Guest) known = guest_of(fake, vm);
    g_autoptr(Guest) found = known ? NULL : guest_find(fake, vm);
    Guest *guest = known ? known : found;
    if (!guest)
        return TRUE;
    g_autoptr(VmView) view = fake->host->view(vm);
    gboolean starting = view->state == VIR_DOMAIN_PAUSED && view->reason == VIR_DOMAIN_PAUSED_STARTING_UP;
    if (known && !starting && !process_is_gone(guest->pidfd))
        say(fake, vm, VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_HOST);
    gboolean gone = guest_end(guest, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED, 5);
    if (found)
        guest_forget(found);
    return gone || error_set(error, VIR_FROM_TEST, VIR_ERR_OPERATION_FAILED, "the process cannot be killed");
}

static void fake_cleanup(gpointer self, Vm *vm)
{
    Fake *fake = self;
    g_autoptr(Guest) guest = guest_of(fake, vm);
    g_usleep(knob_usec(fake, vm, "cleanup-ms="));
    if (guest)
        guest_forget(guest);
    keep_guest(fake, vm, NULL);
}

static gboolean fake_reconnect(gpointer self, Vm *vm, GHashTable *status, GError **error)
{
    Fake *fake = self;
    Guest *guest = has_knob(fake, vm, "lost") ? NULL : guest_find(fake, vm);
    if (!guest)
        return error_set(error, VIR_FROM_TEST, VIR_ERR_OPERATION_FAILED, "there is no process %s",
                         (const char *)g_hash_table_lookup(status, "pid"));
    keep_guest(fake, vm, guest);
    return TRUE; /* the recorded state is right: nothing but this driver changes it */
}

static void fake_status(gpointer self, Vm *vm, GHashTable *out)
{
    g_autoptr(Guest) guest = guest_of(self, vm);
    if (guest)
        g_hash_table_insert(out, g_strdup("pid"), g_strdup_printf("%d", guest->pid));
}

/* --- while it runs --- */

static gboolean fake_suspend(gpointer self, Vm *vm, GError **error)
{
    Fake *fake = self;
    if (!ask_monitor(fake, vm, error))
        return FALSE;
    fake->host->set_state(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
    say(fake, vm, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    return TRUE;
}

static gboolean fake_resume(gpointer self, Vm *vm, GError **error)
{
    Fake *fake = self;
    if (!ask_monitor(fake, vm, error))
        return FALSE;
    fake->host->set_state(vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
    say(fake, vm, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    return TRUE;
}

static gboolean refuse_agent(guint flags, guint agent, GError **error)
{
    return !(flags & agent) || flags != agent ||
           error_set(error, VIR_FROM_TEST, VIR_ERR_ARGUMENT_UNSUPPORTED, "a fake guest has no agent");
}

static gboolean fake_shutdown(gpointer self, Vm *vm, guint flags, GError **error)
{
    Fake *fake = self;
    if (!refuse_agent(flags, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT, error) || !ask_monitor(fake, vm, error))
        return FALSE;
    if (has_knob(fake, vm, "deaf"))
        return TRUE;
    g_autoptr(Guest) guest = guest_of(fake, vm);
    say(fake, vm, VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_GUEST);
    end_later(guest, 1000, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, VIR_DOMAIN_SHUTOFF_SHUTDOWN);
    return TRUE;
}

static gboolean fake_reboot(gpointer self, Vm *vm, guint flags, GError **error)
{
    Fake *fake = self;
    if (!refuse_agent(flags, VIR_DOMAIN_REBOOT_GUEST_AGENT, error) || !ask_monitor(fake, vm, error))
        return FALSE;
    g_autoptr(Guest) guest = guest_of(fake, vm);
    if (has_knob(fake, vm, "reboot-anew"))
        end_later(guest, 1000, HOST_STOPPED_REBOOT, VIR_DOMAIN_SHUTOFF_SHUTDOWN);
    else if (!has_knob(fake, vm, "deaf"))
        say_reboot(fake, vm);
    return TRUE;
}

static gboolean fake_reset(gpointer self, Vm *vm, GError **error)
{
    Fake *fake = self;
    if (!ask_monitor(fake, vm, error))
        return FALSE;
    say_reboot(fake, vm);
    return TRUE;
}

/* --- save, figures, memory --- */

static gboolean fake_save(gpointer self, Vm *vm, int fd, const char *path, GError **error)
{
    Fake *fake = self;
    if (!ask_monitor(fake, vm, error))
        return FALSE;
    if (write(fd, SAVE_MAGIC, strlen(SAVE_MAGIC)) != (ssize_t)strlen(SAVE_MAGIC))
        return error_set_errno(error, VIR_FROM_TEST, errno, "cannot write '%s'", path);
    g_autoptr(VmView) view = fake->host->view(vm);
    if (view->state == VIR_DOMAIN_RUNNING)
        fake->host->set_state(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE);
    return TRUE;
}

static gboolean fake_sample(gpointer self, Vm *vm, guint groups, guint64 budget, Params *params, GError **error)
{
    Fake *fake = self;
    g_autoptr(VmView) view = fake->host->view(vm);
    if (groups & VIR_DOMAIN_STATS_CPU_TOTAL) {
        params_ullong(params, 1000000, "cpu.time");
        params_ullong(params, 500000, "cpu.user");
        params_ullong(params, 500000, "cpu.system");
    }
    if (!(groups & VIR_DOMAIN_STATS_BALLOON))
        return TRUE;
    if (has_knob(fake, vm, "hang")) {
        g_usleep(MIN(budget, MONITOR_USEC));
        return error_set(error, VIR_FROM_TEST, VIR_ERR_OPERATION_TIMEOUT, "the monitor did not answer");
    }
    params_ullong(params, vm_view_def(view)->current_memory, "balloon.current");
    params_ullong(params, vm_view_def(view)->memory, "balloon.maximum");
    return TRUE;
}

static gboolean edit_memory(Domain *live, gpointer data, GError **error)
{
    live->current_memory = *(const guint64 *)data;
    return TRUE;
}

static gboolean fake_set_memory(gpointer self, Vm *vm, guint64 kib, GError **error)
{
    Fake *fake = self;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, .balloon_change = {kib}};
    if (!ask_monitor(fake, vm, error) || !fake->host->edit_live(vm, edit_memory, &kib, error))
        return FALSE;
    fake->host->emit(vm, &event);
    return TRUE;
}

/* --- the driver --- */

static gpointer fake_open(const DriverHost *host, GError **error)
{
    Fake *fake = g_new0(Fake, 1);
    fake->host = host;
    g_mutex_init(&fake->lock);
    return fake;
}

static const char *const domain_types[] = {"test", NULL};

static const DriverNodeOps node_ops = {
    .version = fake_version,
    .max_vcpus = fake_max_vcpus,
    .guests = fake_guests,
};

static const DriverDefinitionOps definition_ops = {
    .complete = fake_complete,
};

static const DriverRunOps run_ops = {
    .start = fake_start,
    .kill = fake_kill,
    .cleanup = fake_cleanup,
    .reconnect = fake_reconnect,
    .status = fake_status,
    .suspend = fake_suspend,
    .resume = fake_resume,
    .shutdown = fake_shutdown,
    .reboot = fake_reboot,
    .reset = fake_reset,
};

static const DriverSaveOps save_ops = {
    .save = fake_save,
};

static const DriverStatsOps stats_ops = {
    .sample = fake_sample,
};

static const DriverResizeOps resize_ops = {
    .set_memory = fake_set_memory,
};

const Driver DRIVER_ENTRY = {
    .build = DRIVER_BUILD,
    .name = "fake",
    .scheme = "fake",
    .type = "Fake",
    .domain_types = domain_types,
    .error_domain = VIR_FROM_TEST,
    .open = fake_open,
    .close = g_free,
    .node = &node_ops,
    .definition = &definition_ops,
    .run = &run_ops,
    .save = &save_ops,
    .stats = &stats_ops,
    .resize = &resize_ops,
};
