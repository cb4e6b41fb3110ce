/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handler: a device changes. In a definition it is replaced as a whole; of a guest that runs that is the medium in a
 * drive, the link of a card, the password of a display and the size of a memory module.
 */
#include <string.h>

#include "daemon/core/vm-ops-update.h"
#include "daemon/core/record.h"
#include "lib/error.h"
#include "lib/model/domain-device-find.h"
#include "lib/model/domain-source.h"

/* --- disks --- */

static gboolean is_removable(const Disk *disk)
{
    return disk->device == DISK_DEVICE_CDROM || disk->device == DISK_DEVICE_FLOPPY;
}

/* A drive without a file in it is empty, whatever its type. */
static void settle_source(Disk *wanted)
{
    if (wanted->source && wanted->type == STORAGE_TYPE_FILE && !wanted->source->file)
        g_clear_pointer(&wanted->source, disk_source_free);
    if (!wanted->source)
        wanted->type = STORAGE_TYPE_FILE;
}

static gboolean same_source(const Disk *disk, const Disk *wanted)
{
    if (!disk->source || !wanted->source)
        return !disk->source && !wanted->source;
    return disk->type == wanted->type && !domain_device_difference(&disk_source_type, disk->source, wanted->source);
}

/* Nothing but the medium differs, and that may. */
static gboolean check_disk(const Disk *disk, const Disk *wanted, GError **error)
{
    g_autoptr(Disk) rest = disk_copy(wanted);
    const char *what;

    g_clear_pointer(&rest->source, disk_source_free);
    g_clear_pointer(&rest->backing_store, disk_backing_store_free);
    g_clear_pointer(&rest->driver, disk_driver_free);
    if (is_removable(disk)) { /* they are the medium's, wherever they stand */
        g_clear_pointer(&rest->auth, disk_auth_free);
        g_clear_pointer(&rest->encryption, storage_encryption_free);
    }
    rest->type = disk->type;
    rest->target->tray = DISK_TRAY_UNSET;
    what = domain_device_difference(&disk_type, disk, rest);
    if (what)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "cannot modify field '%s' of the disk",
                         what);
    return is_removable(disk) || same_source(disk, wanted) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "disk source can be changed only in removable drives");
}

static gboolean update_disk_live(Call *call, const Domain *live, const DomainDevice *device, gboolean force,
                                 GError **error)
{
    const DriverDeviceOps *ops = call->vm->instance->driver->device;
    Disk *wanted = device->device;
    const Disk *disk = domain_device_find(live, device, TRUE, NULL);

    if (!ops || !ops->set_medium)
        return ops_not_offered(call, error);
    if (!disk)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "disk '%s' not found", wanted->target->dev);
    settle_source(wanted);
    if (!domain_normalize_sources(wanted, error) || !check_disk(disk, wanted, error))
        return FALSE;
    return !is_removable(disk) || (vm_check_monitor(call->vm, error) &&
                                   ops->set_medium(call->vm->instance->self, call->vm, wanted, force, error));
}

/* --- cards --- */

static gboolean check_card(const Interface *card, const Interface *wanted, GError **error)
{
    g_autoptr(Interface) rest = interface_copy(wanted);
    const char *old = card->model ? card->model->type : NULL, *fresh = wanted->model ? wanted->model->type : NULL;
    const char *what;

    if (fresh && g_strcmp0(old, fresh) != 0)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED,
                         "cannot modify network device model from %s to %s", old ? old : "(null)", fresh);
    g_clear_pointer(&rest->link, interface_link_free);
    what = domain_device_difference(&interface_type, card, rest);
    return !what || error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "cannot modify field '%s' of '%s'",
                              what, card->mac->address);
}

static gboolean update_card_live(Call *call, const Domain *live, const DomainDevice *device, gboolean force,
                                 GError **error)
{
    const DriverDeviceOps *ops = call->vm->instance->driver->device;
    const Interface *wanted = device->device;
    const Interface *card = domain_device_find(live, device, TRUE, error);
    gboolean down = wanted->link && wanted->link->state == LINK_STATE_DOWN;

    if (!card)
        return FALSE;
    if (!ops || !ops->set_link)
        return ops_not_offered(call, error);
    return check_card(card, wanted, error) && vm_check_monitor(call->vm, error) &&
           ops->set_link(call->vm->instance->self, call->vm, card->mac->address, !down, error);
}

static gboolean update_display_live(Call *call, const Domain *live, const DomainDevice *device, gboolean force,
                                    GError **error)
{
    return update_graphics_live(call, live, device->device, error);
}

/* --- definitions --- */

static gpointer find_disk(const Domain *def, const DomainDevice *device, GError **error)
{
    gpointer held = domain_device_find(def, device, FALSE, NULL);

    if (!held)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "target %s doesn't exist.",
                  ((const Disk *)device->device)->target->dev);
    return held;
}

static gpointer find_card(const Domain *def, const DomainDevice *device, GError **error)
{
    return domain_device_find(def, device, FALSE, error);
}

static gpointer find_display(const Domain *def, const DomainDevice *device, GError **error)
{
    const Graphics *wanted = device->device;

    for (guint i = 0; i < def->devices->graphics->len; i++)
        if (((const Graphics *)def->devices->graphics->pdata[i])->type == wanted->type)
            return def->devices->graphics->pdata[i];
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "cannot find existing graphics type '%s' device to modify",
              graphics_type_to_string(wanted->type));
    return NULL;
}

static const struct {
    const char *name;
    gpointer (*find)(const Domain *def, const DomainDevice *device, GError **error);
    gboolean (*live)(Call *call, const Domain *live, const DomainDevice *device, gboolean force, GError **error);
} kinds[] = {
    {"disk", find_disk, update_disk_live},
    {"interface", find_card, update_card_live},
    {"graphics", find_display, update_display_live},
};

typedef struct {
    const DriverInstance *instance;
    const DomainDevice *device;
    gsize kind;
} Change;

static gboolean edit_replace(Domain *def, gpointer data, GError **error)
{
    const Change *change = data;
    gpointer held = kinds[change->kind].find(def, change->device, error);
    const DriverInstance *instance = change->instance;

    if (!held)
        return FALSE;
    domain_device_replace(def, change->device, held);
    return instance->driver->definition->complete(instance->self, def, DRIVER_COMPLETE_DEFINE, error);
}

static gboolean update(Call *call, gsize kind, const XmlNode *node, const VmView *view, OpsAffect affect,
                       gboolean force, GError **error)
{
    g_auto(DomainDevice) device = {NULL};
    g_autoptr(Domain) trial = affect.config ? domain_copy(view->next) : NULL;
    OpsAffect config = {FALSE, affect.config};
    Change change = {call->vm->instance, &device, kind};

    if (!domain_device_parse(node, MODEL_PARSE_INACTIVE, &device, error) ||
        (trial && !edit_replace(trial, &change, error)))
        return FALSE;
    g_auto(DomainDevice) wanted = {NULL};
    if (affect.live && !(domain_device_parse(node, MODEL_PARSE_INACTIVE, &wanted, error) &&
                         kinds[kind].live(call, view->live, &wanted, force, error) && record_save(call->vm, error)))
        return FALSE;
    return ops_edit(call->vm, config, edit_replace, &change, error);
}

static gboolean refuse(const XmlNode *node, OpsAffect affect, GError **error)
{
    g_auto(DomainDevice) device = {NULL};

    if (!domain_device_parse(node, MODEL_PARSE_INACTIVE, &device, error))
        return FALSE;
    if (affect.config)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED,
                         "persistent update of device '%s' is not supported", device.name);
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "live update of device '%s' is not supported",
                     device.name);
}

gboolean remote_domain_update_device_flags(Call *call, const RemoteDomainUpdateDeviceFlagsArgs *args, GError **error)
{
    g_autoptr(XmlDocument) document = xml_parse(args->xml, "device", error);
    g_autoptr(VmView) view = vm_view(call->vm);
    gboolean force = (args->flags & VIR_DOMAIN_DEVICE_MODIFY_FORCE) != 0;
    OpsAffect affect;

    if (!document || !vm_check_present(call->vm, error) ||
        !ops_affect(call->vm, view, args->flags & ~(guint)VIR_DOMAIN_DEVICE_MODIFY_FORCE, &affect, error))
        return FALSE;
    const char *name = xml_name(xml_root(document));
    if (strcmp(name, "memory") == 0)
        return update_memory(call, xml_root(document), view, affect, error);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return update(call, i, xml_root(document), view, affect, force, error);
    return refuse(xml_root(document), affect, error);
}
