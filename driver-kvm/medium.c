/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is changed of a running guest's devices: the medium in a drive, the limits of a disk, the link of a card, the password of a display.
 *
 * The new medium's nodes are made before the old one is touched, so that an image which QEMU cannot open costs nothing.
 * The nodes of the old one go last.
 */
#include "driver-kvm/guest.h"

#include <string.h>

#include "driver-kvm/block-secret.h"
#include "driver-kvm/block-volume.h"
#include "driver-kvm/block.h"
#include "driver-kvm/disk-limit.h"
#include "driver-kvm/disk-live.h"
#include "driver-kvm/graphics.h"
#include "driver-kvm/labels.h"
#include "driver-kvm/memory-live.h"
#include "driver-kvm/part-live.h"
#include "driver-kvm/plug.h"
#include "driver-kvm/qmp-commands.h"
#include "driver-kvm/start-private.h"
#include "driver-kvm/validate.h"
#include "lib/error.h"
#include "lib/model/disk-iotune.h"
#include "lib/model/domain-disk.h"
#include "lib/model/domain-source.h"

/* DISK with the medium of WANTED, looked at and numbered, and its secrets in CONTEXT; NULL with ERROR. */
static Disk *with_medium(const Guest *guest, const Domain *live, const Disk *disk, const Disk *wanted, ArgvContext *context, GError **error)
{
    g_autoptr(Caps) caps = caps_cache_get(guest->kvm->caps, live->devices->emulator, error);
    g_autoptr(Disk) fresh = disk_copy(disk);

    if (!caps)
        return NULL;
    disk_source_free(fresh->source);
    disk_backing_store_free(fresh->backing_store);
    disk_auth_free(fresh->auth);
    storage_encryption_free(fresh->encryption);
    fresh->backing_store = NULL;
    fresh->type = wanted->type;
    fresh->source = wanted->source ? disk_source_copy(wanted->source) : NULL;
    fresh->auth = wanted->auth ? disk_auth_copy(wanted->auth) : NULL;
    fresh->encryption = wanted->encryption ? storage_encryption_copy(wanted->encryption) : NULL;
    if (wanted->driver && wanted->driver->type != STORAGE_FORMAT_UNSET)
        fresh->driver->type = wanted->driver->type;
    if (!block_has_medium(fresh))
        return g_steal_pointer(&fresh);
    if (fresh->driver->type == STORAGE_FORMAT_UNSET) /* the drive was empty */
        fresh->driver->type = STORAGE_FORMAT_RAW;
    fresh->source->index = UNSET32;
    block_number_new(fresh, block_highest(live) + 1);
    if (!block_volume_find(fresh, context, error) || !domain_validate_source(fresh, error) || !validate_disk(live, fresh, caps, error) || !block_validate(fresh, error) ||
        !block_secret_take(fresh, context, error) || !block_prepare(fresh, context, error))
        return NULL;
    block_number_new(fresh, block_highest_of(fresh) + 1);
    return g_steal_pointer(&fresh);
}

static DomainDevice as_device(const Disk *disk)
{
    return (DomainDevice){"disk", &disk_type, offsetof(Devices, disks), FALSE, (gpointer)disk};
}

static gboolean insert(Qmp *qmp, const Disk *disk, GError **error)
{
    g_autofree char *top = block_top(disk);

    return (!top || qmp_do(qmp, "blockdev-insert-medium", qmp_args("s:id", disk->alias->name, "s:node-name", top, NULL),
                           QMP_DEADLINE, error)) &&
           qmp_do(qmp, "blockdev-close-tray", qmp_args("s:id", disk->alias->name, NULL), QMP_DEADLINE, error);
}

static gboolean exchange(Qmp *qmp, const Disk *old, const Disk *fresh, gboolean force, GError **error)
{
    const char *id = old->alias->name;

    if (!qmp_do(qmp, "blockdev-open-tray", qmp_args("s:id", id, "b:force", force, NULL), QMP_DEADLINE, error) ||
        !qmp_do(qmp, "blockdev-remove-medium", qmp_args("s:id", id, NULL), QMP_DEADLINE, error))
        return FALSE;
    if (insert(qmp, fresh, error))
        return TRUE;
    insert(qmp, old, NULL);
    return FALSE;
}

/* DATA: the disk as it is now; its contents and the live one's change places. */
static gboolean edit_disk(Domain *live, gpointer data, GError **error)
{
    Disk *fresh = data;
    Disk *disk = domain_disk_find(live, fresh->target->dev);

    if (!disk)
        return TRUE;
    Disk other = *disk;
    *disk = *fresh;
    *fresh = other;
    return TRUE;
}

static gboolean medium_set(gpointer self, Vm *vm, const Disk *wanted, gboolean force, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;
    const Disk *old = live ? domain_disk_find(live, wanted->target->dev) : NULL;
    g_autoptr(ArgvContext) context = old ? start_context(guest) : NULL;
    g_autoptr(Disk) fresh = old ? with_medium(guest, live, old, wanted, context, error) : NULL;
    DomainDevice coming = as_device(fresh), going = as_device(old);
    g_autoptr(Qmp) qmp = fresh && start_access_device(guest, &coming, error) ? guest_qmp(guest, error) : NULL;
    g_autoptr(GPtrArray) parts = parts_new(), before = parts_new();

    if (fresh && fresh->iotune && block_has_medium(fresh))
        disk_limit(fresh, context);
    if (!qmp || !block_build(fresh, context, parts, error) || !block_build(old, context, before, error) ||
        !parts_make(qmp, parts, NULL, error)) {
        if (fresh)
            start_access_end(guest, &coming);
        return FALSE;
    }
    if (!exchange(qmp, old, fresh, force, error)) {
        parts_undo(qmp, parts, parts->len);
        start_access_end(guest, &coming);
        return FALSE;
    }
    parts_undo(qmp, before, before->len);
    if (!guest_edit(guest, edit_disk, fresh, error))
        return FALSE;
    start_access_end(guest, &going);
    return parts_run_commands(qmp, context, error);
}

typedef struct {
    const char *mac;
    gboolean up;
} Link;

static Interface *find_card(const Domain *def, const char *mac)
{
    for (guint i = 0; i < def->devices->interfaces->len; i++) {
        Interface *card = g_ptr_array_index(def->devices->interfaces, i);

        if (card->mac && g_strcmp0(card->mac->address, mac) == 0)
            return card;
    }
    return NULL;
}

static gboolean edit_link(Domain *live, gpointer data, GError **error)
{
    const Link *link = data;
    Interface *card = find_card(live, link->mac);

    if (!card)
        return TRUE;
    if (!card->link)
        card->link = interface_link_new();
    card->link->state = link->up ? LINK_STATE_UP : LINK_STATE_DOWN;
    return TRUE;
}

static gboolean link_set(gpointer self, Vm *vm, const char *mac, gboolean up, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;
    const Interface *card = live ? find_card(live, mac) : NULL;
    g_autoptr(Qmp) qmp = card && card->alias ? guest_qmp(guest, error) : NULL;
    Link link = {mac, up};

    return qmp && qmp_do(qmp, "set_link", qmp_args("s:name", card->alias->name, "b:up", up, NULL), QMP_DEADLINE, error) &&
           guest_edit(guest, edit_link, &link, error);
}

typedef struct {
    const char *target;
    const DiskIoTune *tune;
} Limits;

static gboolean edit_limits(Domain *live, gpointer data, GError **error)
{
    const Limits *limits = data;
    Disk *disk = domain_disk_find(live, limits->target);

    if (disk)
        disk_iotune_set(live, disk, limits->tune);
    return TRUE;
}

/* An empty drive has no limits in QEMU; they come with its next medium. Others of the group are told as well: in QEMU one without
 * limits leaves the group, which goes on with those it had. */
static gboolean limits_set(gpointer self, Vm *vm, const char *target, const DiskIoTune *tune, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;
    g_autoptr(Qmp) qmp = live ? guest_qmp(guest, error) : NULL;
    g_autoptr(ArgvContext) context = argv_context_new(NULL);
    g_autoptr(Domain) wanted = qmp ? domain_copy(live) : NULL;
    Limits limits = {target, tune};

    if (!wanted || !edit_limits(wanted, &limits, error))
        return FALSE;
    for (guint i = 0; i < wanted->devices->disks->len; i++) {
        const Disk *disk = wanted->devices->disks->pdata[i];
        gboolean shared = disk->iotune && tune->group_name && g_strcmp0(disk->iotune->group_name, tune->group_name) == 0;

        if ((shared || g_strcmp0(disk->target->dev, target) == 0) && block_has_medium(disk))
            disk_limit(disk, context);
    }
    return parts_run_commands(qmp, context, error) && guest_edit(guest, edit_limits, &limits, error);
}

/* DATA: the display as it is wanted. */
static gboolean edit_password(Domain *live, gpointer data, GError **error)
{
    const Graphics *wanted = data;

    for (guint i = 0; i < live->devices->graphics->len; i++) {
        Graphics *graphics = live->devices->graphics->pdata[i];

        if (graphics->type != wanted->type)
            continue;
        g_free(graphics->passwd);
        g_free(graphics->passwd_valid_to);
        graphics->passwd = g_strdup(wanted->passwd);
        graphics->passwd_valid_to = g_strdup(wanted->passwd_valid_to);
        graphics->connected = wanted->connected;
        break;
    }
    return TRUE;
}

static gboolean password_set(gpointer self, Vm *vm, const Graphics *wanted, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;
    g_autoptr(ArgvContext) context = guest ? argv_context_new(guest->private_dir) : NULL;

    if (!qmp)
        return FALSE;
    graphics_set_password(wanted, graphics_type_to_string(wanted->type), context);
    return parts_run_commands(qmp, context, error) && guest_edit(guest, edit_password, (gpointer)wanted, error);
}

const DriverDeviceOps kvm_device_ops = {
    .set_medium = medium_set,
    .set_link = link_set,
    .resize = disk_resize,
    .disk_errors = disk_errors,
    .set_threshold = disk_threshold,
    .set_limits = limits_set,
    .own_group = disk_limit_group,
    .update_memory = memory_update,
    .set_password = password_set,
    .attach = plug_attach,
    .detach = unplug_detach,
};
