/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: how fast a disk may read and write. */
#include "daemon/core/record.h"
#include "daemon/core/vm-ops-tune.h"
#include "daemon/core/wire-params.h"
#include "lib/error.h"
#include "lib/model/disk-iotune.h"
#include "lib/model/domain-disk.h"
#include "lib/params-check.h"

static gboolean check_kind(const Disk *disk, GError **error)
{
    return disk->type != STORAGE_TYPE_VHOSTUSER ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "a block I/O throttling is not supported for vhostuser disk");
}

/* --- asking --- */

static const Disk *find_disk(const Domain *def, gboolean live, const char *name, GError **error)
{
    const Disk *disk = name ? domain_disk_find(def, name) : NULL;

    if (disk)
        return disk;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
              live ? "disk '%s' not found in domain" : "disk '%s' was not found in the domain config", name ? name : "(null)");
    return NULL;
}

/* What the live definition says is what the hypervisor was told: nobody has to be asked. */
gboolean remote_domain_get_block_io_tune(Call *call, const RemoteDomainGetBlockIoTuneArgs *args, RemoteDomainGetBlockIoTuneRet *ret,
                                         GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    const Domain *def = view ? ops_affected(vm, view, args->flags & ~(guint)VIR_TYPED_PARAM_STRING_OKAY, error) : NULL;
    g_autoptr(Params) params = params_new();

    ret->nparams = DISK_IOTUNE_FIELDS;
    if (!def || args->nparams == 0)
        return def != NULL;
    const Disk *disk = find_disk(def, def == view->live, args->disk, error);
    if (!disk || !check_kind(disk, error))
        return FALSE;
    const DriverDeviceOps *ops = vm->instance->driver->device;
    g_autofree char *group = def != view->live ? NULL : ops && ops->own_group ? ops->own_group(disk) : g_strdup("");
    disk_iotune_to_params(disk->iotune, group, params);
    ret->params = ops_some_params(params, args->nparams, &ret->n_params);
    ret->nparams = ret->n_params;
    return TRUE;
}

/* --- setting --- */

static gboolean check_params(const Params *params, GError **error)
{
    ParamKnown known[DISK_IOTUNE_FIELDS];
    gboolean is_text;

    for (guint i = 0; i < DISK_IOTUNE_FIELDS; i++) {
        known[i].field = disk_iotune_field(i, &is_text);
        known[i].type = is_text ? VIR_TYPED_PARAM_STRING : VIR_TYPED_PARAM_ULLONG;
    }
    return params_check(params, known, DISK_IOTUNE_FIELDS, error) && disk_iotune_check(params, error);
}

typedef struct {
    const char *name;
    const DiskIoTune *tune;
} Change;

static gboolean edit_limits(Domain *def, gpointer data, GError **error)
{
    const Change *change = data;
    Disk *disk = domain_disk_find(def, change->name);

    if (disk)
        disk_iotune_set(def, disk, change->tune);
    return TRUE;
}

static void tell(Vm *vm, const char *name, const Params *params)
{
    g_autoptr(Params) told = params_new();

    params_string(told, name, VIR_DOMAIN_TUNABLE_BLKDEV_DISK);
    for (guint i = 0; i < params_length(params); i++) {
        const Param *param = params_at(params, i);
        if (param->type == VIR_TYPED_PARAM_STRING)
            params_string(told, param->value.s, "blkdeviotune.%s", param->field);
        else
            params_ullong(told, param->value.ul, "blkdeviotune.%s", param->field);
    }
    ops_tell_tuned(vm, told);
}

static gboolean set_live(Call *call, const VmView *view, const char *name, const Params *params, GError **error)
{
    Vm *vm = call->vm;
    const DriverDeviceOps *ops = vm->instance->driver->device;
    const Disk *disk = find_disk(view->live, TRUE, name, error);

    if (!disk || !check_kind(disk, error))
        return FALSE;
    if (!ops || !ops->set_limits)
        return ops_not_offered(call, error);
    g_autoptr(DiskIoTune) tune = disk_iotune_merge(view->live, disk, params, TRUE, error);
    if (!tune || !vm_check_monitor(vm, error) || !ops->set_limits(vm->instance->self, vm, disk->target->dev, tune, error) ||
        !record_save(vm, error))
        return FALSE;
    if (params_length(params) > 0)
        tell(vm, name, params);
    return TRUE;
}

gboolean remote_domain_set_block_io_tune(Call *call, const RemoteDomainSetBlockIoTuneArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Params) params = wire_params_read(args->params, args->n_params);
    g_autoptr(DiskIoTune) tune = NULL;
    OpsAffect affect;

    if (!vm_check_present(vm, error) || !ops_affect(vm, view, args->flags, &affect, error) || !check_params(params, error))
        return FALSE;
    if (affect.config) {
        const Disk *disk = domain_disk_find(view->next, args->disk);
        if (!disk)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "missing persistent configuration for disk '%s'", args->disk);
        tune = check_kind(disk, error) ? disk_iotune_merge(view->next, disk, params, FALSE, error) : NULL;
        if (!tune)
            return FALSE;
    }
    if (affect.live && !set_live(call, view, args->disk, params, error))
        return FALSE;
    Change change = {args->disk, tune};
    OpsAffect config = {FALSE, affect.config};
    return ops_edit(vm, config, edit_limits, &change, error);
}
