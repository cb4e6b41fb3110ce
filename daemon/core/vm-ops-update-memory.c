/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A memory module changes: one that runs in how much of it the guest shall have, one of the definition in anything. */
#include "daemon/core/record.h"
#include "daemon/core/vm-ops-update.h"
#include "lib/error.h"

typedef struct {
    const Driver *driver;
    gpointer self;
    const MemoryDevice *wanted;
} Change;

/* In the place of the module with the same address. */
static gboolean edit_memory(Domain *def, gpointer data, GError **error)
{
    const Change *change = data;
    GPtrArray *modules = def->devices->memories;

    for (guint i = 0; change->wanted->address && i < modules->len; i++) {
        MemoryDevice *module = modules->pdata[i];

        if (!module->address || !address_equal(module->address, change->wanted->address))
            continue;
        modules->pdata[i] = memory_device_copy(change->wanted);
        memory_device_free(module);
        return change->driver->definition->complete(change->self, def, DRIVER_COMPLETE_DEFINE, error);
    }
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "memory not found");
}

gboolean update_memory(Call *call, const XmlNode *node, const VmView *view, OpsAffect affect, GError **error)
{
    const DriverInstance *instance = call->vm->instance;
    const DriverDeviceOps *ops = instance->driver->device;
    g_autoptr(MemoryDevice) wanted = model_parse(&memory_device_type, node, 0, NULL, error);
    g_autoptr(MemoryDevice) kept = wanted ? model_parse(&memory_device_type, node, MODEL_PARSE_INACTIVE, NULL, error) : NULL;
    g_autoptr(Domain) trial = affect.config ? domain_copy(view->next) : NULL;
    Change change = {instance->driver, instance->self, kept};
    OpsAffect config = {FALSE, affect.config};

    if (!kept || (trial && !edit_memory(trial, &change, error)))
        return FALSE;
    if (affect.live && (!ops || !ops->update_memory))
        return ops_not_offered(call, error);
    if (affect.live && !(vm_check_monitor(call->vm, error) && ops->update_memory(instance->self, call->vm, wanted, error) &&
                         record_save(call->vm, error)))
        return FALSE;
    return ops_edit(call->vm, config, edit_memory, &change, error);
}
