/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What QEMU tells, in the order in which it tells it: the published state changes here and nowhere else while a guest
 * runs. Who wants a change (suspend, say) notes beforehand what the next STOP will mean, and sends the command.
 *
 * QEMU runs with -no-shutdown: a guest that powers off leaves it stopped, and we decide whether it ends or, after a
 * reboot by way of the power button, goes on.
 */
#include "driver-kvm/guest.h"

#include <string.h>

#include "driver-kvm/balloon.h"
#include "driver-kvm/power.h"
#include "lib/json-peek.h"

typedef void (*EventFunc)(Guest *guest, JsonObject *data);

static const DriverHost *host_of(Guest *guest)
{
    return guest->kvm->host;
}

static int state_of(Guest *guest)
{
    g_autoptr(VmView) view = host_of(guest)->view(guest->vm);

    return view->state;
}

static void emit_lifecycle(Guest *guest, int event, int detail)
{
    VmEvent what = {.id = VIR_DOMAIN_EVENT_ID_LIFECYCLE, .lifecycle = {event, detail}};

    host_of(guest)->emit(guest->vm, &what);
}

static void emit_simple(Guest *guest, int id)
{
    VmEvent what = {.id = id};

    host_of(guest)->emit(guest->vm, &what);
}

/* Takes the noted meaning of the next event; the one after means RESET again. */
static int take_reason(Guest *guest, int *reason, int reset)
{
    g_mutex_lock(&guest->lock);
    int taken = *reason;
    *reason = reset;
    g_mutex_unlock(&guest->lock);
    return taken;
}

/* --- running and not --- */

static int suspended_detail(int reason)
{
    static const int details[] = {
        [VIR_DOMAIN_PAUSED_MIGRATION] = VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED,
        [VIR_DOMAIN_PAUSED_FROM_SNAPSHOT] = VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT,
        [VIR_DOMAIN_PAUSED_IOERROR] = VIR_DOMAIN_EVENT_SUSPENDED_IOERROR,
        [VIR_DOMAIN_PAUSED_WATCHDOG] = VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG,
    };

    return reason >= 0 && reason < (int)G_N_ELEMENTS(details) ? details[reason] : VIR_DOMAIN_EVENT_SUSPENDED_PAUSED;
}

static void pause_for(Guest *guest, int reason)
{
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_PAUSED, reason);
    emit_lifecycle(guest, VIR_DOMAIN_EVENT_SUSPENDED, suspended_detail(reason));
}

static gboolean is_rebooting(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    gboolean rebooting = guest->fake_reboot;
    g_mutex_unlock(&guest->lock);
    return rebooting;
}

/* The stop that comes with a shutdown, an I/O error or a watchdog says nothing new. */
static void on_stop(Guest *guest, JsonObject *data)
{
    int reason = take_reason(guest, &guest->pause_reason, VIR_DOMAIN_PAUSED_UNKNOWN);

    if (state_of(guest) == VIR_DOMAIN_RUNNING && !is_rebooting(guest))
        pause_for(guest, reason);
}

static void on_resume(Guest *guest, JsonObject *data)
{
    int reason = take_reason(guest, &guest->run_reason, VIR_DOMAIN_RUNNING_UNPAUSED);

    if (state_of(guest) == VIR_DOMAIN_RUNNING)
        return;
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_RUNNING, reason);
    /* of a restored guest clients hear first that it has started: the daemon tells both */
    if (reason != VIR_DOMAIN_RUNNING_RESTORED)
        emit_lifecycle(guest, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
}

static void on_reset(Guest *guest, JsonObject *data)
{
    emit_simple(guest, VIR_DOMAIN_EVENT_ID_REBOOT);
}

/* --- the end, or not --- */

/* A guest that shall boot again after it powered off does so without a word to anybody. */
static gboolean boots_again(Guest *guest)
{
    g_autoptr(Domain) live = guest_live(guest);

    return live && (live->on_poweroff == LIFECYCLE_RESTART || live->on_poweroff == LIFECYCLE_RENAME_RESTART);
}

static void shut_down(Guest *guest, gboolean by_guest)
{
    if (is_rebooting(guest) || (by_guest && boots_again(guest))) {
        power_reboot(guest);
        return;
    }
    g_mutex_lock(&guest->lock);
    gboolean again = guest->shut_down;
    guest->shut_down = TRUE;
    g_mutex_unlock(&guest->lock);
    if (again)
        return;
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_UNKNOWN);
    emit_lifecycle(guest, VIR_DOMAIN_EVENT_SHUTDOWN,
                   by_guest ? VIR_DOMAIN_EVENT_SHUTDOWN_GUEST : VIR_DOMAIN_EVENT_SHUTDOWN_HOST);
    power_end(guest);
}

static void on_shutdown(Guest *guest, JsonObject *data)
{
    shut_down(guest, json_peek_true(data, "guest"));
}

static void on_panicked(Guest *guest, JsonObject *data)
{
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
    emit_lifecycle(guest, VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED);
    power_crashed(guest);
}

/* --- sleep --- */

static void sleep_of(Guest *guest, int id, int detail)
{
    emit_simple(guest, id);
    if (state_of(guest) != VIR_DOMAIN_RUNNING)
        return;
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN);
    emit_lifecycle(guest, VIR_DOMAIN_EVENT_PMSUSPENDED, detail);
}

static void on_suspend(Guest *guest, JsonObject *data)
{
    sleep_of(guest, VIR_DOMAIN_EVENT_ID_PMSUSPEND, VIR_DOMAIN_EVENT_PMSUSPENDED_MEMORY);
}

static void on_suspend_disk(Guest *guest, JsonObject *data)
{
    sleep_of(guest, VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK, VIR_DOMAIN_EVENT_PMSUSPENDED_DISK);
}

static void on_wakeup(Guest *guest, JsonObject *data)
{
    emit_simple(guest, VIR_DOMAIN_EVENT_ID_PMWAKEUP);
    if (state_of(guest) != VIR_DOMAIN_PMSUSPENDED)
        return;
    host_of(guest)->set_state(guest->vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_WAKEUP);
    emit_lifecycle(guest, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_WAKEUP);
}

/* --- devices --- */

typedef struct {
    const char *word;
    int value;
} Word;

static int value_of(const Word *words, gsize n, const char *word, int otherwise)
{
    for (gsize i = 0; word && i < n; i++)
        if (g_str_equal(words[i].word, word))
            return words[i].value;
    return otherwise;
}

static void on_watchdog(Guest *guest, JsonObject *data)
{
    static const Word actions[] = {
        {"none", VIR_DOMAIN_EVENT_WATCHDOG_NONE},         {"pause", VIR_DOMAIN_EVENT_WATCHDOG_PAUSE},
        {"reset", VIR_DOMAIN_EVENT_WATCHDOG_RESET},       {"poweroff", VIR_DOMAIN_EVENT_WATCHDOG_POWEROFF},
        {"shutdown", VIR_DOMAIN_EVENT_WATCHDOG_SHUTDOWN}, {"debug", VIR_DOMAIN_EVENT_WATCHDOG_DEBUG},
        {"inject-nmi", VIR_DOMAIN_EVENT_WATCHDOG_INJECTNMI},
    };
    int action = value_of(actions, G_N_ELEMENTS(actions), json_peek_string(data, "action"), VIR_DOMAIN_EVENT_WATCHDOG_NONE);
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_WATCHDOG, .watchdog = {action}};

    host_of(guest)->emit(guest->vm, &event);
    if (action == VIR_DOMAIN_EVENT_WATCHDOG_PAUSE && state_of(guest) == VIR_DOMAIN_RUNNING)
        pause_for(guest, VIR_DOMAIN_PAUSED_WATCHDOG);
}

/* QEMU names a disk by the device ("/machine/peripheral/virtio-disk0/virtio-backend"), by its node or not at all. */
static const Disk *find_disk(const Domain *live, JsonObject *data)
{
    const char *device = json_peek_string(data, "device"), *node = json_peek_string(data, "node-name");
    const char *path = json_peek_string(data, "qom-path"), *id = json_peek_string(data, "id");

    for (guint i = 0; live && i < live->devices->disks->len; i++) {
        const Disk *disk = live->devices->disks->pdata[i];
        if (!disk->alias || !disk->alias->name)
            continue;
        g_autofree char *drive = g_strconcat("drive-", disk->alias->name, NULL);
        g_autofree char *top = disk->source ? g_strdup_printf("libvirt-%u-format", disk->source->index) : NULL;
        g_autofree char *peripheral = g_strconcat("/machine/peripheral/", disk->alias->name, NULL);
        if (g_strcmp0(id, disk->alias->name) == 0 || g_strcmp0(device, drive) == 0 || (top && g_strcmp0(node, top) == 0) ||
            (path && (g_str_equal(path, peripheral) ||
                      (g_str_has_prefix(path, peripheral) && path[strlen(peripheral)] == '/'))))
            return disk;
    }
    return NULL;
}

static void on_io_error(Guest *guest, JsonObject *data)
{
    static const Word actions[] = {
        {"ignore", VIR_DOMAIN_EVENT_IO_ERROR_NONE},
        {"stop", VIR_DOMAIN_EVENT_IO_ERROR_PAUSE},
        {"report", VIR_DOMAIN_EVENT_IO_ERROR_REPORT},
    };
    g_autoptr(VmView) view = host_of(guest)->view(guest->vm);
    const Disk *disk = find_disk(view->live, data);
    int action = value_of(actions, G_N_ELEMENTS(actions), json_peek_string(data, "action"), VIR_DOMAIN_EVENT_IO_ERROR_NONE);
    const char *path = disk && disk->source ? disk->source->file ? disk->source->file : disk->source->dev : NULL;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON,
                     .io_error = {path ? path : "", disk ? disk->alias->name : "",
                                  json_peek_true(data, "nospace") ? "enospc" : "", action}};

    host_of(guest)->emit(guest->vm, &event);
    if (action == VIR_DOMAIN_EVENT_IO_ERROR_PAUSE && state_of(guest) == VIR_DOMAIN_RUNNING)
        pause_for(guest, VIR_DOMAIN_PAUSED_IOERROR);
}

typedef struct {
    const char *alias;
    DiskTray tray;
} TrayEdit;

static gboolean edit_tray(Domain *live, gpointer data, GError **error)
{
    const TrayEdit *edit = data;

    for (guint i = 0; i < live->devices->disks->len; i++) {
        Disk *disk = live->devices->disks->pdata[i];
        if (disk->alias && disk->target && g_strcmp0(disk->alias->name, edit->alias) == 0)
            disk->target->tray = edit->tray;
    }
    return TRUE;
}

static void on_tray(Guest *guest, JsonObject *data)
{
    g_autoptr(VmView) view = host_of(guest)->view(guest->vm);
    const Disk *disk = find_disk(view->live, data);
    gboolean open = json_peek_true(data, "tray-open");

    if (!disk)
        return;
    TrayEdit edit = {disk->alias->name, open ? DISK_TRAY_OPEN : DISK_TRAY_CLOSED};
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
                     .tray_change = {disk->alias->name,
                                     open ? VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN : VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE}};
    guest_edit(guest, edit_tray, &edit, NULL);
    host_of(guest)->emit(guest->vm, &event);
}

static void on_balloon(Guest *guest, JsonObject *data)
{
    gint64 bytes;

    if (!json_peek_int(data, "actual", &bytes) || bytes < 0)
        return;
    guint64 kib = (guint64)bytes / 1024;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, .balloon_change = {kib}};
    balloon_publish(guest, kib);
    host_of(guest)->emit(guest->vm, &event);
}

static void on_rtc(Guest *guest, JsonObject *data)
{
    gint64 offset;

    if (!json_peek_int(data, "offset", &offset))
        return;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_RTC_CHANGE, .rtc_change = {offset}};
    host_of(guest)->emit(guest->vm, &event);
}

typedef struct {
    const char *alias;
    ChannelState state;
    gboolean agent; /* set by the edit: it is the guest agent's */
} ChannelEdit;

static gboolean edit_channel(Domain *live, gpointer data, GError **error)
{
    ChannelEdit *edit = data;

    for (guint i = 0; i < live->devices->channels->len; i++) {
        Chardev *channel = live->devices->channels->pdata[i];
        if (!channel->alias || !channel->target || g_strcmp0(channel->alias->name, edit->alias) != 0)
            continue;
        channel->target->state = edit->state;
        edit->agent = g_strcmp0(channel->target->name, "org.qemu.guest_agent.0") == 0;
    }
    return TRUE;
}

static void on_channel(Guest *guest, JsonObject *data)
{
    gboolean open = json_peek_true(data, "open");
    ChannelEdit edit = {json_peek_string(data, "id"), open ? CHANNEL_STATE_CONNECTED : CHANNEL_STATE_DISCONNECTED, FALSE};

    if (!edit.alias || !guest_edit(guest, edit_channel, &edit, NULL) || !edit.agent)
        return;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                     .agent = {open ? VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
                                    : VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
                               VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL}};
    host_of(guest)->emit(guest->vm, &event);
}

static void on_deleted(Guest *guest, JsonObject *data)
{
    const char *alias = json_peek_string(data, "device");

    if (!alias)
        return;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, .device = {alias}};
    host_of(guest)->emit(guest->vm, &event);
}

static void on_memory_failure(Guest *guest, JsonObject *data)
{
    static const Word recipients[] = {
        {"hypervisor", VIR_DOMAIN_EVENT_MEMORY_FAILURE_RECIPIENT_HYPERVISOR},
        {"guest", VIR_DOMAIN_EVENT_MEMORY_FAILURE_RECIPIENT_GUEST},
    };
    static const Word actions[] = {
        {"ignore", VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_IGNORE},
        {"inject", VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_INJECT},
        {"fatal", VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_FATAL},
        {"reset", VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_RESET},
    };
    JsonObject *flags = json_peek_object(data, "flags");
    int recipient = value_of(recipients, G_N_ELEMENTS(recipients), json_peek_string(data, "recipient"), -1);
    int action = value_of(actions, G_N_ELEMENTS(actions), json_peek_string(data, "action"), -1);
    guint set = (json_peek_true(flags, "action-required") ? VIR_DOMAIN_MEMORY_FAILURE_ACTION_REQUIRED : 0) |
                (json_peek_true(flags, "recursive") ? VIR_DOMAIN_MEMORY_FAILURE_RECURSIVE : 0);

    if (recipient < 0 || action < 0)
        return;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE, .memory_failure = {recipient, action, set}};
    host_of(guest)->emit(guest->vm, &event);
}

/* --- graphics --- */

static int family_of(JsonObject *address)
{
    static const Word families[] = {
        {"ipv4", VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_IPV4},
        {"ipv6", VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_IPV6},
        {"unix", VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_UNIX},
    };

    return value_of(families, G_N_ELEMENTS(families), json_peek_string(address, "family"),
                    VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_IPV4);
}

static const char *text_of(JsonObject *object, const char *name)
{
    const char *text = json_peek_string(object, name);

    return text ? text : "";
}

/* VNC says "service", SPICE "port". */
static const char *service_of(JsonObject *address)
{
    const char *service = json_peek_string(address, "service");

    return service ? service : text_of(address, "port");
}

static void graphics(Guest *guest, JsonObject *data, int phase)
{
    JsonObject *local = json_peek_object(data, "server"), *remote = json_peek_object(data, "client");
    const char *dname = json_peek_string(remote, "x509_dname"), *sasl = json_peek_string(remote, "sasl_username");
    const char *identities[5] = {NULL};
    guint n = 0;

    if (dname) {
        identities[n++] = "x509dname";
        identities[n++] = dname;
    }
    if (sasl) {
        identities[n++] = "saslUsername";
        identities[n++] = sasl;
    }
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_GRAPHICS,
                     .graphics = {phase, family_of(local), family_of(remote), text_of(local, "host"), service_of(local),
                                  text_of(remote, "host"), service_of(remote), text_of(local, "auth"), identities}};
    host_of(guest)->emit(guest->vm, &event);
}

static void on_graphics_connected(Guest *guest, JsonObject *data)
{
    graphics(guest, data, VIR_DOMAIN_EVENT_GRAPHICS_CONNECT);
}

static void on_graphics_initialized(Guest *guest, JsonObject *data)
{
    graphics(guest, data, VIR_DOMAIN_EVENT_GRAPHICS_INITIALIZE);
}

static void on_graphics_disconnected(Guest *guest, JsonObject *data)
{
    graphics(guest, data, VIR_DOMAIN_EVENT_GRAPHICS_DISCONNECT);
}

/* --- jobs --- */

static void on_migration(Guest *guest, JsonObject *data)
{
    const char *status = text_of(data, "status");

    if (g_str_equal(status, "completed"))
        guest_set_job(guest, &guest->migration, JOB_DONE, NULL);
    else if (g_str_equal(status, "failed") || g_str_equal(status, "cancelled"))
        guest_set_job(guest, &guest->migration, JOB_FAILED, NULL);
}

static void on_dump(Guest *guest, JsonObject *data)
{
    gboolean good = g_str_equal(text_of(json_peek_object(data, "result"), "status"), "completed");

    guest_set_job(guest, &guest->dump, good ? JOB_DONE : JOB_FAILED, json_peek_string(data, "error"));
    power_dumped(guest);
}

static const struct {
    const char *name;
    EventFunc fn;
} handlers[] = {
    {"STOP", on_stop},
    {"RESUME", on_resume},
    {"RESET", on_reset},
    {"SHUTDOWN", on_shutdown},
    {"GUEST_PANICKED", on_panicked},
    {"SUSPEND", on_suspend},
    {"SUSPEND_DISK", on_suspend_disk},
    {"WAKEUP", on_wakeup},
    {"WATCHDOG", on_watchdog},
    {"BLOCK_IO_ERROR", on_io_error},
    {"DEVICE_TRAY_MOVED", on_tray},
    {"BALLOON_CHANGE", on_balloon},
    {"RTC_CHANGE", on_rtc},
    {"VSERPORT_CHANGE", on_channel},
    {"DEVICE_DELETED", on_deleted},
    {"MEMORY_FAILURE", on_memory_failure},
    {"VNC_CONNECTED", on_graphics_connected},
    {"VNC_INITIALIZED", on_graphics_initialized},
    {"VNC_DISCONNECTED", on_graphics_disconnected},
    {"SPICE_CONNECTED", on_graphics_connected},
    {"SPICE_INITIALIZED", on_graphics_initialized},
    {"SPICE_DISCONNECTED", on_graphics_disconnected},
    {"MIGRATION", on_migration},
    {"DUMP_COMPLETED", on_dump},
};

void guest_on_event(const char *name, JsonObject *data, gint64 when, gpointer guest)
{
    for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++)
        if (g_str_equal(handlers[i].name, name)) {
            handlers[i].fn(guest, data);
            return;
        }
}

/* --- after an absence --- */

/* What QEMU's word for its state means to a client that saw the guest run. */
static void on_state(JsonNode *answer, const GError *error, gpointer data)
{
    static const struct {
        const char *status;
        int state, reason;
    } meanings[] = {
        {"paused", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN},
        {"prelaunch", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN},
        {"io-error", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR},
        {"watchdog", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG},
        {"internal-error", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN},
        {"suspended", VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN},
        {"guest-panicked", VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED},
    };
    g_autoptr(Guest) guest = data;
    const char *status = json_peek_string(json_peek_as_object(answer), "status");
    int now = state_of(guest);

    if (!status)
        return;
    if (g_str_equal(status, "running") && now != VIR_DOMAIN_RUNNING)
        host_of(guest)->set_state(guest->vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
    if (g_str_equal(status, "shutdown"))
        shut_down(guest, TRUE); /* nobody was there to end it, or to boot it again */
    for (gsize i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (g_str_equal(meanings[i].status, status) && meanings[i].state != now)
            host_of(guest)->set_state(guest->vm, meanings[i].state, meanings[i].reason);
}

void guest_ask_state(Guest *guest)
{
    g_autoptr(Qmp) qmp = guest_qmp(guest, NULL);

    if (qmp)
        qmp_send(qmp, "query-status", NULL, -1, QMP_DEADLINE, on_state, guest_ref(guest));
}
