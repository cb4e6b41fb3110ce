/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers: domains come, change their definition, and go.
 *
 * A document is parsed and completed on the caller's thread (it may be hostile and take long), then the pair of name and
 * UUID is claimed, and what changes the domain runs in its queue. Two who claim the same pair meet there: the second finds
 * what the first has made, or, when that was undefined in between, brings it back.
 */
#include <errno.h>
#include <string.h>

#include "daemon/core/event.h"
#include "daemon/core/managed-save.h"
#include "daemon/core/registry.h"
#include "daemon/core/run.h"
#include "daemon/core/store.h"
#include "daemon/core/vm-document.h"
#include "daemon/core/vm-ops.h"
#include "lib/log.h"
#include "lib/patient.h"

typedef gboolean (*Change)(Vm *vm, gpointer data, GError **error);

typedef struct {
    Vm *vm;
    Change change;
    gpointer data;
    gboolean ok;
    GError *error;
} Turn;

static void take_turn(gpointer data)
{
    Turn *turn = data;
    turn->ok = turn->change(turn->vm, turn->data, &turn->error);
}

/* VM is claimed for CALL. */
static gboolean run_turn(Call *call, Vm *vm, Change change, gpointer data, GError **error)
{
    Turn turn = {.vm = vm, .change = change, .data = data};
    g_autoptr(VmView) view = vm_view(vm);
    LogContext context = {.domain = vm_view_def(view)->name};
    call->vm = vm_ref(vm);
    if (!vm_check_guest(vm, error))
        return FALSE;
    log_context_enter(&context);
    gboolean ran = queue_run(vm->queue, take_turn, &turn, error);
    log_context_leave(&context);
    if (turn.error)
        g_propagate_error(error, turn.error);
    return ran && turn.ok;
}

static gboolean is_removed(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    gboolean removed = vm->removed;
    g_mutex_unlock(&vm->lock);
    return removed;
}

/* It may have been renamed since it was claimed. */
static gboolean check_name(Vm *vm, const VmView *view, const Domain *definition, GError **error)
{
    const char *name = vm_view_def(view)->name;
    return is_removed(vm) || g_str_equal(name, definition->name) ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED, "domain '%s' is already defined with uuid %s", name,
                     vm->uuid_text);
}

/* --- define --- */

static void change_defined(VmView *view, gpointer data)
{
    domain_unref(view->next);
    view->next = domain_ref(data);
    g_clear_pointer(&view->former, domain_unref);
    if (view->id < 0)
        g_clear_pointer(&view->live, domain_unref); /* of a run that has ended */
}

static void change_fresh(VmView *view, gpointer data)
{
    view->state = VIR_DOMAIN_SHUTOFF;
    view->reason = VIR_DOMAIN_SHUTOFF_UNKNOWN;
    view->autostart = FALSE;
    view->managed_save = GPOINTER_TO_INT(data);
}

static void make_fresh(Vm *vm)
{
    g_autofree char *save = store_managed_save_path(vm);
    vm_publish(vm, change_fresh, GINT_TO_POINTER(g_file_test(save, G_FILE_TEST_EXISTS)));
}

static gboolean define_now(Vm *vm, gpointer data, GError **error)
{
    Domain *definition = data;
    g_autoptr(VmView) view = vm_view(vm);
    gboolean fresh = is_removed(vm);
    gboolean update = !fresh && view->next;
    if (!check_name(vm, view, definition, error) || (!update && !store_set_autostart(vm, FALSE, error)) ||
        !store_save(vm, definition, error))
        return FALSE;
    vm_publish(vm, change_defined, definition);
    if (fresh)
        make_fresh(vm);
    registry_list(vm->instance->registry, vm);
    event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_DEFINED,
                         update ? VIR_DOMAIN_EVENT_DEFINED_UPDATED : VIR_DOMAIN_EVENT_DEFINED_ADDED);
    return TRUE;
}

static gboolean define(Call *call, const char *xml, guint flags, RemoteNonnullDomain *ret, GError **error)
{
    Registry *registry = call->instance->registry;
    gboolean validate = flags & VIR_DOMAIN_DEFINE_VALIDATE;
    g_autoptr(Domain) definition = vm_document_read(call->instance, xml, validate, error);
    Vm *vm = definition ? registry_claim(registry, definition, TRUE, error) : NULL;
    if (!vm)
        return FALSE;
    gboolean ok = run_turn(call, vm, define_now, definition, error) && ops_reply_domain(vm, ret);
    registry_release(registry, vm);
    return ok;
}

gboolean remote_domain_define_xml(Call *call, const RemoteDomainDefineXmlArgs *args, RemoteDomainDefineXmlRet *ret,
                                  GError **error)
{
    return define(call, args->xml, 0, &ret->dom, error);
}

gboolean remote_domain_define_xml_flags(Call *call, const RemoteDomainDefineXmlFlagsArgs *args,
                                        RemoteDomainDefineXmlFlagsRet *ret, GError **error)
{
    return define(call, args->xml, args->flags, &ret->dom, error);
}

/* --- create --- */

typedef struct {
    Call *call;
    RunStart *how;
    guint flags;
} Create;

static gboolean create_now(Vm *vm, gpointer data, GError **error)
{
    const Create *create = data;
    g_autoptr(VmView) view = vm_view(vm);
    if (view->id >= 0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain '%s' is already active",
                         create->how->definition->name);
    return check_name(vm, view, create->how->definition, error) &&
           ops_start(create->call, vm, create->how, create->flags, error);
}

gboolean ops_create(Call *call, RunStart *how, guint flags, RemoteNonnullDomain *ret, GError **error)
{
    Registry *registry = call->instance->registry;
    Vm *vm = registry_claim(registry, how->definition, FALSE, error);
    if (!vm)
        return FALSE;
    Create create = {call, how, flags};
    gboolean ok = run_turn(call, vm, create_now, &create, error) && (!ret || ops_reply_domain(vm, ret));
    registry_release(registry, vm);
    return ok;
}

gboolean remote_domain_create_xml(Call *call, const RemoteDomainCreateXmlArgs *args, RemoteDomainCreateXmlRet *ret,
                                  GError **error)
{
    gboolean validate = args->flags & VIR_DOMAIN_START_VALIDATE;
    g_autoptr(Domain) definition = vm_document_read(call->instance, args->xml_desc, validate, error);
    RunStart how = RUN_START_INIT;
    how.definition = definition;
    return definition && ops_create(call, &how, args->flags, &ret->dom, error);
}

/* --- undefine --- */

static gboolean remove_saved(Vm *vm, const VmView *view, guint flags, GError **error)
{
    if (!view->managed_save)
        return TRUE;
    if (!(flags & VIR_DOMAIN_UNDEFINE_MANAGED_SAVE))
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID,
                         "Refusing to undefine while domain managed save image exists");
    return managed_save_remove(vm, error);
}

/* What the driver keeps beside the document: firmware variables, the state of a TPM. */
static gboolean remove_kept(Vm *vm, const VmView *view, guint flags, GError **error)
{
    const DriverDefinitionOps *definition = vm->instance->driver->definition;
    return !definition->undefine || definition->undefine(vm->instance->self, vm, view->next, flags, error);
}

/* It may have ended while the disk was written. DATA: whether it runs. */
static void change_undefined(VmView *view, gpointer data)
{
    gboolean *runs = data;
    *runs = view->id >= 0;
    view->autostart = FALSE;
    if (*runs)
        view->former = g_steal_pointer(&view->next);
    else
        view->live = g_steal_pointer(&view->next); /* whoever still holds it sees what it was */
}

static gboolean undefine(Vm *vm, guint flags, GError **error)
{
    run_finish_end(vm);
    g_autoptr(VmView) view = vm_view(vm);
    if ((flags & VIR_DOMAIN_UNDEFINE_NVRAM) && (flags & VIR_DOMAIN_UNDEFINE_KEEP_NVRAM))
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "cannot both keep and delete nvram");
    if ((flags & VIR_DOMAIN_UNDEFINE_TPM) && (flags & VIR_DOMAIN_UNDEFINE_KEEP_TPM))
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "cannot both keep and delete TPM");
    if (!vm_check_present(vm, error))
        return FALSE;
    if (!view->next)
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "cannot undefine transient domain");
    if (!remove_saved(vm, view, flags, error) || !remove_kept(vm, view, flags, error) || !store_remove(vm, error))
        return FALSE;
    gboolean runs;
    vm_publish(vm, change_undefined, &runs);
    if (!runs)
        registry_remove(vm->instance->registry, vm);
    event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED);
    return TRUE;
}

gboolean remote_domain_undefine(Call *call, const RemoteDomainUndefineArgs *args, GError **error)
{
    return undefine(call->vm, 0, error);
}

gboolean remote_domain_undefine_flags(Call *call, const RemoteDomainUndefineFlagsArgs *args, GError **error)
{
    return undefine(call->vm, args->flags, error);
}

/* --- rename --- */

static gboolean check_renaming(Vm *vm, const VmView *view, const char *name, GError **error)
{
    if (!vm_check_present(vm, error))
        return FALSE;
    if (view->id >= 0)
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "cannot rename active domain");
    if (!view->next)
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "cannot rename a transient domain");
    if (view->managed_save)
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID,
                         "domain with a managed saved state can't be renamed");
    if (!name || name[0] == '\0')
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "a domain needs a name");
    if (g_str_equal(view->next->name, name))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "Can't rename domain to itself");
    return TRUE;
}

/* The rules for names are those of a definition. */
static gboolean rename_reserved(Vm *vm, const VmView *view, const char *name, GError **error)
{
    if (strchr(name, '/'))
        return error_set(error, vm->instance->from, VIR_ERR_XML_ERROR, "name %s cannot contain '/'", name);
    if (strchr(name, '\n'))
        return error_set(error, VIR_FROM_XML, VIR_ERR_XML_DETAIL, "invalid char in name: %s", "\n");
    g_autoptr(Domain) next = domain_copy(view->next);
    g_free(next->name);
    next->name = g_strdup(name);
    if (!store_save(vm, next, error))
        return FALSE;
    event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_RENAMED);
    vm_publish_next(vm, g_steal_pointer(&next));
    event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_RENAMED);
    return TRUE;
}

gboolean remote_domain_rename(Call *call, const RemoteDomainRenameArgs *args, RemoteDomainRenameRet *ret, GError **error)
{
    Registry *registry = call->instance->registry;
    g_autoptr(VmView) view = vm_view(call->vm);
    if (!check_renaming(call->vm, view, args->new_name, error) ||
        !registry_rename_begin(registry, call->vm, args->new_name, error))
        return FALSE;
    gboolean ok = rename_reserved(call->vm, view, args->new_name, error);
    registry_rename_end(registry, call->vm, ok);
    return ok;
}
