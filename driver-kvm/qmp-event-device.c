/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What QEMU tells of devices, of the host's end of them and of who looks at them. */
#include "driver-kvm/qmp-event.h"

#include <string.h>

#include "driver-kvm/balloon.h"
#include "driver-kvm/block.h"
#include "driver-kvm/channel.h"
#include "driver-kvm/memory-live.h"
#include "driver-kvm/plug.h"
#include "driver-kvm/vcpu-plug.h"
#include "lib/json-peek.h"
#include "lib/model/domain-disk.h"

static const DriverHost *host_of(Guest *guest)
{
    return guest->kvm->host;
}

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
    if (action == VIR_DOMAIN_EVENT_WATCHDOG_PAUSE && qmp_event_state(guest) == VIR_DOMAIN_RUNNING)
        qmp_event_pause(guest, VIR_DOMAIN_PAUSED_WATCHDOG);
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
    const char *path = disk && disk->type != STORAGE_TYPE_NETWORK ? disk_path(disk) : NULL;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON,
                     .io_error = {path ? path : "", disk ? disk->alias->name : "",
                                  json_peek_true(data, "nospace") ? "enospc" : "", action}};

    host_of(guest)->emit(guest->vm, &event);
    if (action == VIR_DOMAIN_EVENT_IO_ERROR_PAUSE && qmp_event_state(guest) == VIR_DOMAIN_RUNNING)
        qmp_event_pause(guest, VIR_DOMAIN_PAUSED_IOERROR);
}

/* Told of the disk, unless the image's number was named, and of the image. */
static void on_threshold(Guest *guest, JsonObject *data)
{
    g_autoptr(VmView) view = host_of(guest)->view(guest->vm);
    gint64 threshold, excess;
    DiskImage image;
    guint index;

    if (!json_peek_int(data, "write-threshold", &threshold) || !json_peek_int(data, "amount-exceeded", &excess) || !view->live || !block_storage_index(json_peek_string(data, "node-name"), &index) ||
        !domain_disk_image_at(view->live, index, &image))
        return;
    const char *target = image.disk->target->dev;
    const char *path = image.type == STORAGE_TYPE_NETWORK ? NULL : disk_image_path(&image);
    g_autofree char *numbered = g_strdup_printf("%s[%u]", target, index);
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD,
                     .block_threshold = {target, path, (guint64)threshold, (guint64)excess}};

    if (image.top && image.source->threshold_by_index != TOGGLE_ON)
        host_of(guest)->emit(guest->vm, &event);
    event.block_threshold.dev = numbered;
    host_of(guest)->emit(guest->vm, &event);
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

static void on_channel(Guest *guest, JsonObject *data)
{
    const char *alias = json_peek_string(data, "id");

    if (alias)
        channel_tell(guest, alias, json_peek_true(data, "open"), VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL);
}

static void on_deleted(Guest *guest, JsonObject *data)
{
    const char *alias = json_peek_string(data, "device");

    if (alias && !vcpu_gone(guest, alias))
        unplug_gone(guest, alias);
}

static void refuse_unplug(Guest *guest, const char *alias)
{
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, .device = {alias}};

    if (!alias)
        return;
    unplug_refused(guest, alias);
    host_of(guest)->emit(guest->vm, &event);
}

static void on_unplug_error(Guest *guest, JsonObject *data)
{
    refuse_unplug(guest, json_peek_string(data, "device"));
}

/* What the guest's system answers to a request of its board: by ACPI's numbers of _OST. */
static void on_answer_of_acpi(Guest *guest, JsonObject *data)
{
    enum { EJECT = 3, EJECT_OF_ITS_OWN = 0x103, FAILED = 1, FIRST_REFUSAL = 0x80, LAST_REFUSAL = 0x83 };
    JsonObject *info = json_peek_object(data, "info");
    gint64 source, status;

    if (!info || !json_peek_int(info, "source", &source) || !json_peek_int(info, "status", &status))
        return;
    if ((source == EJECT || source == EJECT_OF_ITS_OWN) &&
        (status == FAILED || (status >= FIRST_REFUSAL && status <= LAST_REFUSAL)) &&
        g_strcmp0(json_peek_string(info, "slot-type"), "DIMM") == 0)
        refuse_unplug(guest, json_peek_string(info, "device"));
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

static void on_memory_size(Guest *guest, JsonObject *data)
{
    const char *alias = json_peek_string(data, "id");
    gint64 bytes;

    if (!alias || !json_peek_int(data, "size", &bytes) || bytes < 0)
        return;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE, .memory_device_size = {alias, (guint64)bytes / 1024}};
    memory_publish(guest, alias, (guint64)bytes);
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

/* VNC says "service", SPICE "port". */
static const char *service_of(JsonObject *address)
{
    const char *service = json_peek_string(address, "service");

    return service ? service : qmp_event_text(address, "port");
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
                     .graphics = {phase, family_of(local), family_of(remote), qmp_event_text(local, "host"), service_of(local),
                                  qmp_event_text(remote, "host"), service_of(remote), qmp_event_text(local, "auth"), identities}};
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

const QmpEventRow qmp_event_devices[] = {
    {"WATCHDOG", on_watchdog},
    {"BLOCK_IO_ERROR", on_io_error},
    {"BLOCK_WRITE_THRESHOLD", on_threshold},
    {"DEVICE_TRAY_MOVED", on_tray},
    {"BALLOON_CHANGE", on_balloon},
    {"RTC_CHANGE", on_rtc},
    {"VSERPORT_CHANGE", on_channel},
    {"DEVICE_DELETED", on_deleted},
    {"DEVICE_UNPLUG_GUEST_ERROR", on_unplug_error},
    {"ACPI_DEVICE_OST", on_answer_of_acpi},
    {"MEMORY_FAILURE", on_memory_failure},
    {"MEMORY_DEVICE_SIZE_CHANGE", on_memory_size},
    {"VNC_CONNECTED", on_graphics_connected},
    {"VNC_INITIALIZED", on_graphics_initialized},
    {"VNC_DISCONNECTED", on_graphics_disconnected},
    {"SPICE_CONNECTED", on_graphics_connected},
    {"SPICE_INITIALIZED", on_graphics_initialized},
    {"SPICE_DISCONNECTED", on_graphics_disconnected},
    {NULL, NULL},
};
