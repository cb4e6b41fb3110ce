/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/managed-save.h"

#include "daemon/core/saved-run.h"
#include "daemon/core/store.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/save-header.h"

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

/* Its save never ended: the guest was not stopped by it, and what it was doing then is lost. */
static gboolean start_afresh(Vm *vm, const GError *why, ManagedSaveStart start, gpointer data, GError **error)
{
    RunStart how = RUN_START_INIT;

    if (!managed_save_remove(vm, error))
        return FALSE;
    vm_log(vm, LOG_WARNING, "it boots, since its managed save cannot be restored: %s", why->message);
    return start(vm, &how, data, error);
}

gboolean managed_save_start(Vm *vm, gboolean bypass_cache, ManagedSaveStart start, gpointer data, GError **error)
{
    g_autofree char *path = store_managed_save_path(vm);
    g_autoptr(GError) cause = NULL;
    g_autoptr(SavedRun) saved = saved_run_open(vm->instance, path, NULL, bypass_cache, &cause);
    RunStart how = RUN_START_INIT;
    if (!saved && save_header_is_unfinished(cause))
        return start_afresh(vm, cause, start, data, error);
    if (!saved) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    saved_run_apply(saved, &how);
    if (!start(vm, &how, data, error))
        return FALSE;
    /* The guest runs, and its disks with it: what is left must not be started from again, so somebody has to know. */
    g_autoptr(GError) left = NULL;
    if (!managed_save_remove(vm, &left))
        vm_log(vm, LOG_ERR, "%s", left->message);
    return TRUE;
}
