/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers: devices come and go, of a guest that runs, of its definition, or of both.
 *
 * What is to become of the definition is tried first, then the guest is changed, then the definition is written: so
 * that of two faults the definition's is told, as by libvirtd, and nothing has changed when it is.
 */
#include <string.h>

#include "daemon/core/record.h"
#include "daemon/core/vm-ops.h"
#include "lib/error.h"
#include "lib/model/domain-device-find.h"
#include "lib/model/domain-interface.h"

enum { ATTACH_LIVE = 1, ATTACH_CONFIG = 2, DETACH_LIVE = 4, DETACH_CONFIG = 8, EVERY = 15 };

/* What libvirtd offers of each kind; a kind that is not here can neither come nor go. */
static const struct {
    const char *name;
    guint offered;
} kinds[] = {
    {"disk", EVERY},       {"interface", EVERY}, {"controller", EVERY},
    {"filesystem", EVERY}, {"hostdev", EVERY},   {"redirdev", EVERY},
    {"channel", EVERY},    {"console", EVERY},   {"serial", EVERY},
    {"parallel", EVERY},   {"rng", EVERY},       {"memory", EVERY},
    {"shmem", EVERY},      {"watchdog", EVERY},  {"input", EVERY},
    {"vsock", EVERY},      {"lease", EVERY},     {"sound", ATTACH_CONFIG | DETACH_CONFIG},
};

static gboolean check_offered(const DomainDevice *device, guint what, GError **error)
{
    const char *when = what & (ATTACH_LIVE | DETACH_LIVE) ? "live" : "persistent";
    const char *verb = what & (ATTACH_LIVE | ATTACH_CONFIG) ? "attach" : "detach";

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].name, device->name) == 0 && (kinds[i].offered & what))
            return TRUE;
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "%s %s of device '%s' is not supported", when,
                     verb, device->name);
}

typedef struct {
    const DriverInstance *instance;
    const DomainDevice *device;
    const char *alias; /* in place of `device` */
} Change;

static gboolean complete(const Change *change, Domain *def, GError **error)
{
    return change->instance->driver->definition->complete(change->instance->self, def, DRIVER_COMPLETE_DEFINE, error);
}

static gboolean edit_attach(Domain *def, gpointer data, GError **error)
{
    const Change *change = data;

    if (!check_offered(change->device, ATTACH_CONFIG, error) || !domain_device_check_new(def, change->device, error))
        return FALSE;
    domain_device_add(def, change->device);
    if (change->device->type == &memory_device_type) {
        guint64 size = ((const MemoryDevice *)change->device->device)->target->size;

        def->current_memory += def->current_memory == def->memory ? size : 0;
        def->memory += size;
    }
    return complete(change, def, error);
}

/* The device of DEF that CHANGE means, which may go; NULL with ERROR. */
static gpointer pick(const Change *change, const Domain *def, gboolean live, DomainDevice *ret_kind, GError **error)
{
    guint what = live ? DETACH_LIVE : DETACH_CONFIG;
    gpointer held;

    if (!change->alias) {
        *ret_kind = *change->device;
        return check_offered(change->device, what, error) ? domain_device_find(def, change->device, live, error) : NULL;
    }
    held = domain_device_by_alias(def, change->alias, ret_kind);
    if (!held)
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "no device found with alias %s", change->alias);
    return held && check_offered(ret_kind, what, error) ? held : NULL;
}

static gboolean edit_detach(Domain *def, gpointer data, GError **error)
{
    const Change *change = data;
    DomainDevice kind;
    gpointer held = pick(change, def, FALSE, &kind, error);

    if (!held)
        return FALSE;
    if (kind.type == &memory_device_type)
        def->memory -= MIN(def->memory, ((const MemoryDevice *)held)->target->size);
    def->current_memory = MIN(def->current_memory, def->memory);
    domain_device_drop(def, &kind, held);
    return complete(change, def, error);
}

/* A drive whose medium is exchanged by bringing it once more; older clients do that. */
static gboolean is_medium(const Domain *live, const DomainDevice *device)
{
    const Disk *disk = device->device;

    return device->type == &disk_type && (disk->device == DISK_DEVICE_CDROM || disk->device == DISK_DEVICE_FLOPPY) &&
           domain_device_find(live, device, TRUE, NULL);
}

static gboolean attach_live(Call *call, const DomainDevice *device, const Domain *live, GError **error)
{
    const DriverInstance *instance = call->vm->instance;
    const DriverDeviceOps *ops = instance->driver->device;

    if (!ops || !ops->attach)
        return ops_not_offered(call, error);
    if (!check_offered(device, ATTACH_LIVE, error) || !vm_check_monitor(call->vm, error))
        return FALSE;
    if (is_medium(live, device) && ops->set_medium)
        return ops->set_medium(instance->self, call->vm, device->device, FALSE, error) && record_save(call->vm, error);
    return ops->attach(instance->self, call->vm, device, error) && record_save(call->vm, error);
}

/* What is drawn by lot, as a card's address is, is the same in the guest and in the definition. */
static gboolean parse_new(const XmlNode *node, DomainDevice *ret_device, GError **error)
{
    return domain_device_parse(node, MODEL_PARSE_INACTIVE, ret_device, error) &&
           (ret_device->type != &interface_type || domain_complete_interface(ret_device->device, error));
}

static gboolean attach(Call *call, const char *xml, guint flags, GError **error)
{
    g_autoptr(XmlDocument) document = xml_parse(xml, "device", error);
    g_autoptr(VmView) view = vm_view(call->vm);
    g_auto(DomainDevice) kept = {NULL};
    OpsAffect affect;

    if (!document || !vm_check_present(call->vm, error) || !ops_affect(call->vm, view, flags, &affect, error) ||
        !parse_new(xml_root(document), &kept, error))
        return FALSE;
    Change change = {call->vm->instance, &kept, NULL};
    g_autoptr(Domain) trial = affect.config ? domain_copy(view->next) : NULL;
    if (trial && !edit_attach(trial, &change, error))
        return FALSE;
    if (affect.live && !attach_live(call, &kept, view->live, error))
        return FALSE;
    OpsAffect config = {FALSE, affect.config};
    return ops_edit(call->vm, config, edit_attach, &change, error);
}

gboolean remote_domain_attach_device(Call *call, const RemoteDomainAttachDeviceArgs *args, GError **error)
{
    return attach(call, args->xml, VIR_DOMAIN_AFFECT_LIVE, error);
}

gboolean remote_domain_attach_device_flags(Call *call, const RemoteDomainAttachDeviceFlagsArgs *args, GError **error)
{
    return attach(call, args->xml, args->flags, error);
}

/* --- going --- */

static gboolean detach_live(Call *call, const Change *change, const Domain *live, GError **error)
{
    const DriverInstance *instance = call->vm->instance;
    const DriverDeviceOps *ops = instance->driver->device;
    DomainDevice kind;

    if (!ops || !ops->detach)
        return ops_not_offered(call, error);
    gpointer held = pick(change, live, TRUE, &kind, error);
    kind.device = held;
    return held && vm_check_monitor(call->vm, error) &&
           ops->detach(instance->self, call->vm, &kind, domain_device_alias(&kind, held), error) &&
           record_save(call->vm, error);
}

static gboolean detach(Call *call, Change *change, guint flags, GError **error)
{
    g_autoptr(VmView) view = vm_view(call->vm);
    OpsAffect affect;

    change->instance = call->vm->instance;
    if (!vm_check_present(call->vm, error) || !ops_affect(call->vm, view, flags, &affect, error))
        return FALSE;
    g_autoptr(Domain) trial = affect.config ? domain_copy(view->next) : NULL;
    if (trial && !edit_detach(trial, change, error))
        return FALSE;
    if (affect.live && !detach_live(call, change, view->live, error))
        return FALSE;
    OpsAffect config = {FALSE, affect.config};
    return ops_edit(call->vm, config, edit_detach, change, error);
}

static gboolean detach_xml(Call *call, const char *xml, guint flags, GError **error)
{
    g_autoptr(XmlDocument) document = xml_parse(xml, "device", error);
    g_auto(DomainDevice) device = {NULL};
    Change change = {.device = &device};

    return document && domain_device_parse(xml_root(document), MODEL_PARSE_INACTIVE, &device, error) &&
           detach(call, &change, flags, error);
}

gboolean remote_domain_detach_device(Call *call, const RemoteDomainDetachDeviceArgs *args, GError **error)
{
    return detach_xml(call, args->xml, VIR_DOMAIN_AFFECT_LIVE, error);
}

gboolean remote_domain_detach_device_flags(Call *call, const RemoteDomainDetachDeviceFlagsArgs *args, GError **error)
{
    return detach_xml(call, args->xml, args->flags, error);
}

gboolean remote_domain_detach_device_alias(Call *call, const RemoteDomainDetachDeviceAliasArgs *args, GError **error)
{
    Change change = {.alias = args->alias};

    return detach(call, &change, args->flags, error);
}
