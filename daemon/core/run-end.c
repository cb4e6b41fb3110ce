/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a run ends, and what is left to do then. */
#include "daemon/core/event.h"
#include "daemon/core/hook.h"
#include "daemon/core/record.h"
#include "daemon/core/registry.h"
#include "daemon/core/run-parts.h"
#include "lib/log.h"

#define ANY_RUN 0

static void change_end(VmView *view, gpointer data)
{
    view->id = -1;
    view->run = 0;
    view->state = VIR_DOMAIN_SHUTOFF;
    view->reason = GPOINTER_TO_INT(data);
    view->state_since = g_get_real_time();
    view->autodestroy = view->updated = FALSE;
    view->responsive = TRUE;
    if (view->next)
        g_clear_pointer(&view->live, domain_unref);
}

/* What ran is shown to hooks when nobody else sees it any more. */
static void keep_ended(Vm *vm, const VmView *view)
{
    Domain *ended = view->live && hook_is_there(vm->instance) ? domain_copy(view->live) : NULL;
    if (ended)
        ended->id = -1;
    g_mutex_lock(&vm->lock);
    domain_unref(vm->ended);
    vm->ended = ended;
    g_mutex_unlock(&vm->lock);
}

static Domain *take_ended(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    Domain *ended = g_steal_pointer(&vm->ended);
    g_mutex_unlock(&vm->lock);
    return ended;
}

static void publish_end(Vm *vm, int reason)
{
    g_autoptr(VmView) view = vm_view(vm);
    keep_ended(vm, view);
    registry_drop_id(vm->instance->registry, vm, view->id);
    vm_publish(vm, change_end, GINT_TO_POINTER(reason));
}

static void release_owner(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    gpointer owner = g_steal_pointer(&vm->owner);
    GDestroyNotify release = vm->owner_release;
    g_mutex_unlock(&vm->lock);
    if (owner && release)
        release(owner);
}

void run_hide_if_transient(Vm *vm)
{
    registry_remove_transient(vm->instance->registry, vm);
}

/* Hidden before the end is published, for those who wait for that and then look; and after, if it was undefined just
 * then. */
static void publish_end_and_hide(Vm *vm, int reason)
{
    run_hide_if_transient(vm);
    publish_end(vm, reason);
    run_hide_if_transient(vm);
}

/* What is left of a run once its process is gone. */
static void clean_up(Vm *vm, RunExtent extent)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Domain) ended = take_ended(vm);
    if (ended)
        hook_vm_after(vm, ended, "stopped", "end");
    if (extent >= RUN_DRIVEN)
        vm->instance->driver->run->cleanup(vm->instance->self, vm);
    if (ended)
        hook_vm_after(vm, ended, "release", "end");
    if (extent >= RUN_RECORDED && !record_remove(vm, &error))
        vm_log(vm, LOG_ERR, "%s", error->message);
    release_owner(vm);
    run_set_phase(vm, VM_IDLE);
    registry_drop(vm->instance->registry, vm);
}

/* --- a run that never became one --- */

static void change_unresponsive(VmView *view, gpointer data)
{
    view->responsive = FALSE;
}

/* A process that cannot be ended (the kernel holds it, or nobody knows which it is) may still write to its disks: what
 * is known of it must not be forgotten. The domain stays, to be destroyed once more; its end is seen like any other. */
static void keep(Vm *vm)
{
    vm_publish(vm, change_unresponsive, NULL);
    run_become_running(vm);
}

static gboolean end_process(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    if (vm->instance->driver->run->kill(vm->instance->self, vm, FALSE, &error))
        return TRUE;
    vm_log(vm, LOG_ERR, "its process cannot be ended, so it counts as running: %s", error->message);
    return FALSE;
}

gboolean run_undo(Vm *vm, RunExtent extent, int reason)
{
    if (extent >= RUN_DRIVEN && !end_process(vm)) {
        keep(vm);
        return FALSE;
    }
    publish_end_and_hide(vm, reason);
    clean_up(vm, extent);
    return TRUE;
}

/* --- one that did --- */

static gboolean wants_restart(const Domain *def, int detail)
{
    if (detail == HOST_STOPPED_REBOOT)
        return def->on_reboot != LIFECYCLE_DESTROY && def->on_reboot != LIFECYCLE_PRESERVE;
    if (detail == VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN)
        return def->on_poweroff == LIFECYCLE_RESTART || def->on_poweroff == LIFECYCLE_RENAME_RESTART;
    if (detail == VIR_DOMAIN_EVENT_STOPPED_CRASHED)
        return def->on_crash == CRASH_ACTION_RESTART || def->on_crash == CRASH_ACTION_RENAME_RESTART ||
               def->on_crash == CRASH_ACTION_COREDUMP_RESTART;
    return FALSE;
}

/* What a transient domain is started with again: what it ran with, without what only a run has. */
static Domain *definition_again(const VmView *view, GError **error)
{
    if (view->next)
        return domain_ref(view->next);
    g_autofree char *text = model_format_text(&domain_type, view->live, MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE);
    return model_parse_text(&domain_type, text, MODEL_PARSE_INACTIVE, NULL, error);
}

static void restart(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Domain) definition = definition_again(view, &error);
    RunStart how = RUN_START_INIT;
    how.definition = definition;
    if (definition && run_start(vm, &how, &error))
        return;
    vm_log(vm, LOG_ERR, "it cannot be started again: %s", error->message);
    run_hide_if_transient(vm);
}

gboolean run_settle(Vm *vm, gboolean *ret_again)
{
    g_mutex_lock(&vm->lock);
    while (vm->phase == VM_ENDING)
        g_cond_wait(&vm->changed, &vm->lock);
    gboolean ended = vm->phase == VM_ENDED;
    gboolean again = vm->end.again;
    g_mutex_unlock(&vm->lock);
    if (!ended)
        return FALSE;
    clean_up(vm, RUN_DRIVEN);
    if (ret_again)
        *ret_again = again;
    return TRUE;
}

void run_finish_end(Vm *vm)
{
    gboolean again;
    if (run_settle(vm, &again) && again)
        restart(vm);
}

static void finish_end(gpointer data)
{
    g_autoptr(Vm) vm = data;
    run_finish_end(vm);
}

static void finish_held_end(gpointer data)
{
    g_autoptr(Vm) vm = data;
    run_finish_end(vm);
    registry_drop(vm->instance->registry, vm);
}

static void set_ended(Vm *vm, gboolean again)
{
    g_mutex_lock(&vm->lock);
    vm->end.again = again;
    vm->phase = VM_ENDED;
    g_cond_broadcast(&vm->changed);
    g_mutex_unlock(&vm->lock);
}

/* The caller has set the phase to ENDING, and found END in the same moment. */
static void end_run(Vm *vm, VmEnd end)
{
    g_autoptr(VmView) view = vm_view(vm);
    /* what was saved just now is what it goes on from, when somebody wants that */
    gboolean again = !end.wanted && !view->managed_save && wants_restart(vm_view_def(view), end.detail);
    if (again)
        publish_end(vm, end.reason);
    else
        publish_end_and_hide(vm, end.reason);
    event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_STOPPED,
                         end.detail == HOST_STOPPED_REBOOT ? (int)VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN : end.detail);
    /* What begins again keeps its name meanwhile; what only ends gives it up with its cleanup, for somebody may undefine it
     * and define another at once. */
    if (again)
        registry_hold(vm->instance->registry, vm);
    set_ended(vm, again);
    queue_push_front(vm->queue, again ? finish_held_end : finish_end, vm_ref(vm));
}

void run_stopped_at(Vm *vm, guint64 run, int detail, int reason)
{
    g_mutex_lock(&vm->lock);
    gboolean meant = run == ANY_RUN || run == vm->view->run;
    gboolean mine = meant && vm->phase == VM_RUNNING;
    if (mine || (meant && vm->phase == VM_STARTING))
        vm->end = vm->wanted_end.noted ? vm->wanted_end : (VmEnd){.noted = TRUE, .detail = detail, .reason = reason};
    if (mine)
        vm->phase = VM_ENDING;
    VmEnd end = vm->end;
    g_mutex_unlock(&vm->lock);
    if (mine)
        end_run(vm, end);
}

void run_stopped(Vm *vm, int detail, int reason)
{
    run_stopped_at(vm, ANY_RUN, detail, reason);
}

void run_become_running(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    VmEnd end = vm->end;
    vm->phase = end.noted ? VM_ENDING : VM_RUNNING;
    g_mutex_unlock(&vm->lock);
    if (end.noted)
        end_run(vm, end);
}
