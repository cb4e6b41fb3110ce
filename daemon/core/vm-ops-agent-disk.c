/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: the guest's file systems, by its agent. */
#include "daemon/core/agent-disk.h"

#include "daemon/core/agent-ask.h"

/* --- whose disk it is --- */

static gboolean same_place(const Address *address, JsonObject *pci)
{
    gint64 domain, bus, slot, function;
    return address && address->type == ADDRESS_TYPE_PCI && json_peek_int(pci, "domain", &domain) &&
           json_peek_int(pci, "bus", &bus) && json_peek_int(pci, "slot", &slot) && json_peek_int(pci, "function", &function) &&
           address->domain == domain && address->bus == bus && address->slot == slot && address->function == function;
}

static const Controller *find_controller(const Domain *live, JsonObject *pci)
{
    const GPtrArray *controllers = live->devices->controllers;
    for (guint i = 0; i < controllers->len; i++) {
        const Controller *controller = controllers->pdata[i];
        if (same_place(controller->address, pci))
            return controller;
    }
    return NULL;
}

static gboolean on_controller(const Disk *disk, const Controller *controller, JsonObject *device)
{
    static const struct {
        ControllerType controller;
        DiskBus bus;
    } buses[] = {
        {CONTROLLER_TYPE_SCSI, DISK_BUS_SCSI},
        {CONTROLLER_TYPE_SATA, DISK_BUS_SATA},
        {CONTROLLER_TYPE_IDE, DISK_BUS_IDE},
    };
    const Address *address = disk->address;
    gint64 bus, target, unit;
    gboolean fits = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(buses); i++)
        fits = fits || (buses[i].controller == controller->type && disk->target && buses[i].bus == disk->target->bus);
    return fits && address && address->type == ADDRESS_TYPE_DRIVE && address->controller == controller->index &&
           json_peek_int(device, "bus", &bus) && json_peek_int(device, "target", &target) &&
           json_peek_int(device, "unit", &unit) && address->bus == bus && address->target == target && address->unit == unit;
}

const char *agent_disk_target(const Domain *live, JsonObject *device)
{
    JsonObject *pci = json_peek_object(device, "pci-controller");
    const Controller *controller = pci ? find_controller(live, pci) : NULL;
    for (guint i = 0; pci && i < live->devices->disks->len; i++) {
        const Disk *disk = live->devices->disks->pdata[i];
        if (disk->target && (same_place(disk->address, pci) || (controller && on_controller(disk, controller, device))))
            return disk->target->dev;
    }
    return NULL;
}

/* --- handlers --- */

static void add_aliases(const Domain *live, JsonArray *disks, RemoteDomainFsinfo *info)
{
    info->dev_aliases = g_new0(char *, json_peek_length(disks));
    for (guint i = 0; i < json_peek_length(disks); i++) {
        const char *target = agent_disk_target(live, json_peek_object_at(disks, i));
        if (target)
            info->dev_aliases[info->n_dev_aliases++] = g_strdup(target);
    }
}

static gboolean add_file_system(const Domain *live, JsonObject *one, RemoteDomainFsinfo *info)
{
    const char *mountpoint = json_peek_string(one, "mountpoint"), *name = json_peek_string(one, "name");
    const char *type = json_peek_string(one, "type");
    if (!mountpoint || !name || !type)
        return FALSE;
    info->mountpoint = g_strdup(mountpoint);
    info->name = g_strdup(name);
    info->fstype = g_strdup(type);
    add_aliases(live, json_peek_array(one, "disk"), info);
    return TRUE;
}

gboolean remote_domain_get_fsinfo(Call *call, const RemoteDomainGetFsinfoArgs *args, RemoteDomainGetFsinfoRet *ret,
                                  GError **error)
{
    static const char command[] = "guest-get-fsinfo";
    Vm *vm = call->vm;
    if (!agent_offered(call, error) || !vm_check_active(vm, error) || !agent_ready(call, error))
        return FALSE;
    g_autoptr(JsonNode) answer = agent_ask(vm, command, NULL, error);
    g_autoptr(VmView) view = vm_view(vm);
    JsonArray *list = json_peek_as_array(answer);
    if (!answer)
        return FALSE;
    if (!list)
        return agent_foreign(vm, command, error);
    ret->info = g_new0(RemoteDomainFsinfo, json_peek_length(list));
    for (guint i = 0; i < json_peek_length(list); i++) {
        ret->n_info = i + 1;
        if (!add_file_system(vm_view_def(view), json_peek_object_at(list, i), &ret->info[i]))
            return agent_foreign(vm, command, error);
    }
    ret->ret = ret->n_info;
    return TRUE;
}

gboolean remote_domain_fsfreeze(Call *call, const RemoteDomainFsfreezeArgs *args, RemoteDomainFsfreezeRet *ret,
                                GError **error)
{
    Vm *vm = call->vm;
    JsonObject *arguments = NULL;
    gint64 n;
    if (!agent_offered(call, error) || !vm_check_active(vm, error) || !agent_ready(call, error))
        return FALSE;
    if (args->n_mountpoints) {
        JsonArray *list = json_array_new();
        for (guint i = 0; i < args->n_mountpoints; i++)
            json_array_add_string_element(list, args->mountpoints[i]);
        arguments = json_object_new();
        json_object_set_array_member(arguments, "mountpoints", list);
    }
    if (!agent_ask_number(vm, args->n_mountpoints ? "guest-fsfreeze-freeze-list" : "guest-fsfreeze-freeze", arguments, &n, error))
        return FALSE;
    ret->filesystems = CLAMP(n, 0, G_MAXINT32);
    return TRUE;
}

gboolean remote_domain_fsthaw(Call *call, const RemoteDomainFsthawArgs *args, RemoteDomainFsthawRet *ret, GError **error)
{
    Vm *vm = call->vm;
    gint64 n;
    if (!agent_offered(call, error))
        return FALSE;
    if (args->n_mountpoints)
        return error_set(error, vm->instance->from, VIR_ERR_ARGUMENT_UNSUPPORTED, "specifying mountpoints is not supported");
    if (!vm_check_active(vm, error) || !agent_ready(call, error) ||
        !agent_ask_number(vm, "guest-fsfreeze-thaw", NULL, &n, error))
        return FALSE;
    ret->filesystems = CLAMP(n, 0, G_MAXINT32);
    return TRUE;
}

gboolean remote_domain_fstrim(Call *call, const RemoteDomainFstrimArgs *args, GError **error)
{
    Vm *vm = call->vm;
    if (!agent_offered(call, error))
        return FALSE;
    if (args->mount_point)
        return error_set(error, vm->instance->from, VIR_ERR_ARGUMENT_UNSUPPORTED,
                         "Specifying mount point is not supported for now");
    if (!agent_ready(call, error))
        return FALSE;
    JsonObject *arguments = json_object_new();
    json_object_set_int_member(arguments, "minimum", MIN(args->minimum, (guint64)G_MAXINT64));
    return agent_do(vm, "guest-fstrim", arguments, error);
}
