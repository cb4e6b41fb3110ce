/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handler: a device changes. So far that is the medium in a drive, the link of a card and the size of a memory module. */
#include <string.h>

#include "daemon/core/vm-ops-update.h"
#include "lib/error.h"

static gboolean refuse(GError **error, const char *what, const char *name)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "cannot modify field '%s' of '%s'", what, name);
}

/* --- disks --- */

static Disk *find_disk(const Domain *def, const Disk *wanted)
{
    for (guint i = 0; i < def->devices->disks->len; i++) {
        Disk *disk = g_ptr_array_index(def->devices->disks, i);

        if (g_strcmp0(disk->target->dev, wanted->target->dev) == 0 &&
            (wanted->target->bus == DISK_BUS_UNSET || wanted->target->bus == disk->target->bus))
            return disk;
    }
    return NULL;
}

/* The drive that WANTED means can have another medium. */
static gboolean check_disk(const Domain *def, const Disk *wanted, GError **error)
{
    const Disk *disk = find_disk(def, wanted);

    if (!disk)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "disk '%s' not found", wanted->target->dev);
    if (disk->device != wanted->device)
        return refuse(error, "device", disk->target->dev);
    return disk->device == DISK_DEVICE_CDROM || disk->device == DISK_DEVICE_FLOPPY ||
           refuse(error, "source", disk->target->dev);
}

static gboolean edit_disk(Domain *def, gpointer data, GError **error)
{
    const Disk *wanted = data;
    Disk *disk = find_disk(def, wanted);

    if (!disk)
        return TRUE;
    disk_source_free(disk->source);
    disk->source = wanted->source ? disk_source_copy(wanted->source) : NULL;
    disk_backing_store_free(disk->backing_store);
    disk->backing_store = NULL;
    disk->type = wanted->type;
    if (wanted->driver && wanted->driver->type != STORAGE_FORMAT_UNSET && disk->driver)
        disk->driver->type = wanted->driver->type;
    return TRUE;
}

static gboolean update_disk(Call *call, const XmlNode *node, const VmView *view, OpsAffect affect, gboolean force, GError **error)
{
    const DriverDeviceOps *ops = call->vm->instance->driver->device;
    g_autoptr(Disk) wanted = model_parse(&disk_type, node, MODEL_PARSE_INACTIVE, NULL, error);
    OpsAffect config = {FALSE, affect.config};

    if (!wanted)
        return FALSE;
    if (affect.live && (!ops || !ops->set_medium))
        return ops_not_offered(call, error);
    /* A drive without a file in it is empty, whatever its type. */
    if (wanted->source && wanted->type == STORAGE_TYPE_FILE && !wanted->source->file)
        g_clear_pointer(&wanted->source, disk_source_free);
    if (!wanted->source)
        wanted->type = STORAGE_TYPE_FILE;
    if ((affect.config && !check_disk(view->next, wanted, error)) || (affect.live && !check_disk(view->live, wanted, error)))
        return FALSE;
    if (affect.live && !(vm_check_monitor(call->vm, error) &&
                         ops->set_medium(call->vm->instance->self, call->vm, wanted, force, error)))
        return FALSE;
    return ops_edit(call->vm, config, edit_disk, wanted, error);
}

/* --- cards --- */

static Interface *find_card(const Domain *def, const char *mac)
{
    for (guint i = 0; mac && i < def->devices->interfaces->len; i++) {
        Interface *card = g_ptr_array_index(def->devices->interfaces, i);

        if (card->mac && g_strcmp0(card->mac->address, mac) == 0)
            return card;
    }
    return NULL;
}

static gboolean is_down(const Interface *card)
{
    return card->link && card->link->state == LINK_STATE_DOWN;
}

typedef struct {
    char *first; /* what differs and may not */
} Difference;

static gboolean note_difference(const char *path, gpointer data)
{
    Difference *difference = data;

    if (g_str_has_prefix(path, "link") || g_str_has_prefix(path, "alias"))
        return TRUE;
    difference->first = g_strdup(path);
    return FALSE;
}

/* WANTED differs from a card of DEF in its link only. What it does not say of address and target is as it was. */
static gboolean check_card(const Domain *def, Interface *wanted, GError **error)
{
    const char *mac = wanted->mac ? wanted->mac->address : NULL;
    const Interface *card = find_card(def, mac);
    g_autoptr(Interface) filled = interface_copy(wanted);
    Difference difference = {NULL};

    if (!card)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_DEVICE_MISSING, "no device matching MAC address %s found",
                         mac ? mac : "(none)");
    if (!filled->address && card->address)
        filled->address = address_copy(card->address);
    if (!filled->target && card->target)
        filled->target = interface_target_copy(card->target);
    if (!filled->model && card->model)
        filled->model = interface_model_copy(card->model);
    model_compare(&interface_type, card, filled, MODEL_COMPARE_ALL, note_difference, &difference);
    if (!difference.first)
        return TRUE;
    refuse(error, difference.first, mac);
    g_free(difference.first);
    return FALSE;
}

static gboolean edit_card(Domain *def, gpointer data, GError **error)
{
    const Interface *wanted = data;
    Interface *card = find_card(def, wanted->mac->address);

    if (!card)
        return TRUE;
    interface_link_free(card->link);
    card->link = wanted->link ? interface_link_copy(wanted->link) : NULL;
    return TRUE;
}

static gboolean update_card(Call *call, const XmlNode *node, const VmView *view, OpsAffect affect, GError **error)
{
    const DriverDeviceOps *ops = call->vm->instance->driver->device;
    g_autoptr(Interface) wanted = model_parse(&interface_type, node, 0, NULL, error);
    OpsAffect config = {FALSE, affect.config};

    if (!wanted)
        return FALSE;
    if (affect.live && (!ops || !ops->set_link))
        return ops_not_offered(call, error);
    if ((affect.config && !check_card(view->next, wanted, error)) || (affect.live && !check_card(view->live, wanted, error)))
        return FALSE;
    if (affect.live && !(vm_check_monitor(call->vm, error) &&
                         ops->set_link(call->vm->instance->self, call->vm, wanted->mac->address, !is_down(wanted), error)))
        return FALSE;
    return ops_edit(call->vm, config, edit_card, wanted, error);
}

gboolean remote_domain_update_device_flags(Call *call, const RemoteDomainUpdateDeviceFlagsArgs *args, GError **error)
{
    g_autoptr(XmlDocument) document = xml_parse(args->xml, "device_definition", error);
    g_autoptr(VmView) view = vm_view(call->vm);
    OpsAffect affect;

    if (!document || !vm_check_present(call->vm, error) ||
        !ops_affect(call->vm, view, args->flags & ~(guint)VIR_DOMAIN_DEVICE_MODIFY_FORCE, &affect, error))
        return FALSE;
    const char *name = xml_name(xml_root(document));
    if (strcmp(name, "disk") == 0)
        return update_disk(call, xml_root(document), view, affect, args->flags & VIR_DOMAIN_DEVICE_MODIFY_FORCE, error);
    if (strcmp(name, "interface") == 0)
        return update_card(call, xml_root(document), view, affect, error);
    if (strcmp(name, "memory") == 0)
        return update_memory(call, xml_root(document), view, affect, error);
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "live update of device '%s' is not supported", name);
}
