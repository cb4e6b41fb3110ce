/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers: running domains go into files.
 *
 * A save decides at one point: when the file has its name. Before it, whatever fails leaves the domain as it was (the
 * guest goes on if it ran); after it, the domain ends. A kill of the daemon between the two leaves the file and a paused
 * guest: the record says so before there is a file, and the next daemon decides for one of them (run-adopt.c).
 */
#include "daemon/core/document-limit.h"
#include "daemon/core/host.h"
#include "daemon/core/managed-save.h"
#include "daemon/core/record.h"
#include "daemon/core/save-file.h"
#include "daemon/core/saved-run.h"
#include "daemon/core/store.h"
#include "daemon/core/vm-document.h"
#include "daemon/core/vm-job.h"
#include "daemon/core/vm-ops.h"
#include "daemon/core/vm-save.h"
#include "lib/log.h"
#include "lib/model/domain-abi.h"
#include "lib/model/domain-migratable.h"

typedef struct {
    const char *path;
    const char *new_xml; /* NULL: the running definition */
    guint flags;         /* virDomainSaveRestoreFlags */
} Save;

/* The document that goes into the file. To free. */
static char *document(Vm *vm, const VmView *view, const char *new_xml, GError **error)
{
    if (!new_xml)
        return domain_migratable_text(view->live, host_paths()->run);
    g_autoptr(Domain) replacement = vm_document_read(vm->instance, new_xml, FALSE, error);
    if (!replacement || !domain_abi_check(view->live, replacement, error))
        return NULL;
    return domain_migratable_text(replacement, host_paths()->run);
}

static gboolean is_running(const VmView *view)
{
    return view->state == VIR_DOMAIN_RUNNING;
}

/* The state that the restored guest is to have. */
static gboolean runs_after(const VmView *view, guint flags)
{
    if (flags & VM_SAVE_STATE_FLAGS)
        return flags & VIR_DOMAIN_SAVE_RUNNING;
    return is_running(view);
}

static gboolean write_file(Vm *vm, SaveFile *file, GError **error)
{
    const DriverInstance *instance = vm->instance;
    if (!vm_job_enter(vm, error))
        return FALSE;
    if (!instance->driver->save->save(instance->self, vm, save_file_fd(file), save_file_path(file), error)) {
        if (!vm_job_explain(vm, error))
            save_file_explain(file, error);
        return FALSE;
    }
    return vm_job_done(vm, error) && record_save(vm, error) && save_file_commit(file, error);
}

/* The file for SAVE, with XML in its head. */
static SaveFile *open_file(const VmView *view, const Save *save, const char *xml, GError **error)
{
    g_autoptr(SaveHeader) header = save_header_new(xml, NULL, runs_after(view, save->flags), error);
    if (!header)
        return NULL;
    g_autoptr(GByteArray) partial = save_header_encode(header, TRUE), whole = save_header_encode(header, FALSE);
    const SaveFileHow how = {
        .partial = partial,
        .whole = whole,
        .bypass_cache = (save->flags & VIR_DOMAIN_SAVE_BYPASS_CACHE) != 0,
        .patience = SAVE_FILE_PATIENCE,
    };
    return save_file_new(save->path, &how, error);
}

/* The guest goes on after a save that failed. */
static void go_on(Vm *vm, const VmView *before)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VmView) now = vm_view(vm);
    const Driver *driver = vm->instance->driver;
    if (!is_running(before) || now->id != before->id)
        return;
    vm_publish_went_on(vm, VIR_DOMAIN_RUNNING_SAVE_CANCELED); /* where it failed before the guest was paused */
    if (is_running(now) || !driver->run->resume)
        return;
    if (!driver->run->resume(vm->instance->self, vm, &error))
        log_line(LOG_ERR, "the guest stays paused after its save failed: %s", error->message);
}

static gboolean write_whole(Vm *vm, const VmView *view, const Save *save, GError **error)
{
    g_autofree char *xml = document(vm, view, save->new_xml, error);
    g_autoptr(SaveFile) file = xml && document_limit_check(xml, view->live->name, 0, error)
                                   ? open_file(view, save, xml, error)
                                   : NULL;
    return file && write_file(vm, file, error);
}

static gboolean save_to_file(Vm *vm, const VmView *view, const Save *save, GError **error)
{
    vm_job_begin(vm, VIR_DOMAIN_JOB_OPERATION_SAVE, TRUE);
    gboolean written = write_whole(vm, view, save, error);
    vm_job_end(vm);
    if (written)
        return TRUE;
    go_on(vm, view);
    return FALSE;
}

/* It is saved; a guest that has ended by itself meanwhile is saved as well. */
static gboolean end_saved(Vm *vm, const VmView *saved, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (run_kill(vm, FALSE, VIR_DOMAIN_EVENT_STOPPED_SAVED, VIR_DOMAIN_SHUTOFF_SAVED, &cause))
        return TRUE;
    g_autoptr(VmView) now = vm_view(vm);
    if (now->id != saved->id)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static gboolean can_save(Call *call, GError **error)
{
    const DriverSaveOps *ops = call->instance->driver->save;
    return ops && ops->save ? vm_check_monitor(call->vm, error) : ops_not_offered(call, error);
}

static gboolean save(Call *call, const Save *save, GError **error)
{
    Vm *vm = call->vm;
    if (!can_save(call, error) || !vm_save_check_flags(save->flags, error))
        return FALSE;
    g_autoptr(VmView) view = vm_view(vm);
    return save_to_file(vm, view, save, error) && end_saved(vm, view, error);
}

gboolean remote_domain_save(Call *call, const RemoteDomainSaveArgs *args, GError **error)
{
    const Save what = {.path = args->to};
    return save(call, &what, error);
}

gboolean remote_domain_save_flags(Call *call, const RemoteDomainSaveFlagsArgs *args, GError **error)
{
    const Save what = {args->to, args->dxml, args->flags};
    return save(call, &what, error);
}

gboolean remote_domain_save_params(Call *call, const RemoteDomainSaveParamsArgs *args, GError **error)
{
    Save what = {.flags = args->flags};
    return vm_save_params(args->params, args->n_params, &what.path, &what.new_xml, error) && save(call, &what, error);
}

/* --- managed save --- */

gboolean vm_save_managed(Vm *vm, guint flags, GError **error)
{
    if (!vm_check_monitor(vm, error))
        return FALSE;
    g_autoptr(VmView) view = vm_view(vm);
    if (!view->next)
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID,
                         "cannot do managed save for transient domain");
    g_autofree char *path = store_managed_save_path(vm);
    const Save what = {.path = path, .flags = flags};
    if (!save_to_file(vm, view, &what, error))
        return FALSE;
    managed_save_made(vm);
    return end_saved(vm, view, error);
}

gboolean remote_domain_managed_save(Call *call, const RemoteDomainManagedSaveArgs *args, GError **error)
{
    return can_save(call, error) && vm_save_check_flags(args->flags, error) && vm_save_managed(call->vm, args->flags, error);
}

gboolean remote_domain_managed_save_remove(Call *call, const RemoteDomainManagedSaveRemoveArgs *args, GError **error)
{
    return vm_check_present(call->vm, error) && managed_save_remove(call->vm, error);
}
