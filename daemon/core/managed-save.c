/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/managed-save.h"

#include "daemon/core/saved-run.h"
#include "daemon/core/store.h"
#include "lib/file.h"
#include "lib/log.h"

static void change_saved(VmView *view, gpointer data)
{
    view->managed_save = GPOINTER_TO_INT(data);
}

void managed_save_made(Vm *vm)
{
    vm_publish(vm, change_saved, GINT_TO_POINTER(TRUE));
}

gboolean managed_save_remove(Vm *vm, GError **error)
{
    g_autofree char *path = store_managed_save_path(vm);
    if (!file_remove(path, error))
        return FALSE;
    vm_publish(vm, change_saved, GINT_TO_POINTER(FALSE));
    return TRUE;
}

gboolean managed_save_start(Vm *vm, gboolean bypass_cache, ManagedSaveStart start, gpointer data, GError **error)
{
    g_autofree char *path = store_managed_save_path(vm);
    g_autoptr(SavedRun) saved = saved_run_open(vm->instance, path, NULL, bypass_cache, error);
    RunStart how = RUN_START_INIT;
    if (!saved)
        return FALSE;
    saved_run_apply(saved, &how);
    if (!start(vm, &how, data, error))
        return FALSE;
    /* The guest runs, and its disks with it: what is left must not be started from again, so somebody has to know. */
    g_autoptr(GError) left = NULL;
    if (!managed_save_remove(vm, &left))
        vm_log(vm, LOG_ERR, "%s", left->message);
    return TRUE;
}
