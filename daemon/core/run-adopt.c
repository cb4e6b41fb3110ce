/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs that an earlier daemon began.
 *
 * A managed save's file and a run: who saves writes "paused for a save" into the record before the file gets its name, and
 * whoever lets the guest go on takes the file away before. So a file beside such a record is the guest as it stands, and a
 * file beside any other record is of an earlier life: somebody was killed after he had started the guest from it. One of
 * the two is left, never both:
 *
 *   the guest stands paused for a save   it goes on, the file goes: that save was not acknowledged
 *   it is gone                           the file stays: the save was all but acknowledged, or it was
 *   any other record                     the file goes
 *
 * That a guest stands paused for a save is also known where the kill came before that was written: the driver writes down
 * beforehand what it is about to pause a guest for.
 *
 * Who starts a guest from the file writes down that it is there, paused, before its first instruction: a kill before that
 * leaves a half-made run and the file, one after it the guest and, soon, no file.
 *
 * Where the guest does not answer, it stands as it is, with its file, until it is resumed or ended.
 */
#include "daemon/core/event.h"
#include "daemon/core/hook.h"
#include "daemon/core/managed-save.h"
#include "daemon/core/record.h"
#include "daemon/core/registry.h"
#include "daemon/core/run-parts.h"
#include "lib/log.h"

typedef struct {
    Vm *vm;
    GHashTable *entries;
    gboolean half;   /* killed in the middle of the start */
    gboolean saving; /* or of a save */
    gboolean dumping;
} Adopt;

static void change_adopt(VmView *view, gpointer data)
{
    const Status *status = data;
    domain_unref(view->live);
    view->live = domain_ref(status->domain);
    view->id = status->domain->id;
    view->run = run_new_number();
    view->state = status->state;
    view->reason = status->reason;
    view->state_since = status->since;
    view->autodestroy = status->autodestroy == TOGGLE_ON;
}

/* What clients have done to the run. */
static void recall(Vm *vm, const Status *status)
{
    gint64 timeout;
    g_mutex_lock(&vm->lock);
    if (status->agenttimeout && g_ascii_string_to_signed(status->agenttimeout, 10, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK,
                                                         G_MAXINT, &timeout, NULL))
        vm->agent_timeout = (int)timeout;
    vm->taints = status->taints == UNSET32 ? 0 : status->taints;
    g_mutex_unlock(&vm->lock);
}

static gboolean has_save(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);
    return view->managed_save;
}

static void drop_save(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    if (has_save(vm) && !managed_save_remove(vm, &error))
        vm_log(vm, LOG_ERR, "%s", error->message);
}

/* How the run of a guest that is not there any more has ended. */
typedef struct {
    int detail, reason;
    gboolean told;
} Ending;

static Ending ending_of(const Adopt *adopt)
{
    if (adopt->half)
        return (Ending){VIR_DOMAIN_EVENT_STOPPED_FAILED, VIR_DOMAIN_SHUTOFF_FAILED, FALSE};
    if (adopt->saving && has_save(adopt->vm))
        return (Ending){VIR_DOMAIN_EVENT_STOPPED_SAVED, VIR_DOMAIN_SHUTOFF_SAVED, TRUE};
    return (Ending){VIR_DOMAIN_EVENT_STOPPED_FAILED, VIR_DOMAIN_SHUTOFF_CRASHED, TRUE};
}

/* There is no such guest any more. */
static void give_up(const Adopt *adopt, const GError *error)
{
    Vm *vm = adopt->vm;
    const Ending ending = ending_of(adopt);
    if (adopt->half)
        vm_log(vm, LOG_NOTICE, "it was half started when the daemon ended: what there was is removed");
    else
        vm_log(vm, LOG_WARNING, "it ended while no daemon was there: %s", error->message);
    if (!adopt->half && !adopt->saving)
        drop_save(vm);
    if (run_undo(vm, RUN_DRIVEN, ending.reason) && ending.told)
        event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_STOPPED, ending.detail);
}

/* The guest is there. Who paused it to save or dump it will not let it go on. */
static void go_on(const Adopt *adopt)
{
    Vm *vm = adopt->vm;
    const DriverRunOps *ops = vm->instance->driver->run;
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(GError) error = NULL;
    gboolean interrupted = (adopt->saving || adopt->dumping) && view->state == VIR_DOMAIN_PAUSED;
    gboolean goes_on = interrupted && view->responsive && ops->resume;
    if (!adopt->saving || goes_on)
        drop_save(vm);
    if (!goes_on || has_save(vm))
        return;
    vm_log(vm, LOG_NOTICE, "it was being %s when the daemon ended, and goes on", adopt->saving ? "saved" : "dumped");
    if (!ops->resume(vm->instance->self, vm, &error))
        vm_log(vm, LOG_ERR, "it stays paused: %s", error->message);
}

static void end_orphan(gpointer data)
{
    g_autoptr(Vm) vm = data;
    g_autoptr(GError) error = NULL;
    if (!run_kill(vm, FALSE, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED, &error))
        vm_log(vm, LOG_ERR, "it cannot be destroyed: %s", error->message);
}

/* The connection that it was to end with ended with the daemon. */
static void destroy_orphan(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    if (pool_push(POOL_CONTROL, end_orphan, vm_ref(vm), &error))
        return;
    vm_log(vm, LOG_ERR, "it cannot be destroyed: %s", error->message);
    vm_unref(vm);
}

static void adopted(Adopt *adopt)
{
    Vm *vm = adopt->vm;
    g_autoptr(GError) error = NULL;
    g_autoptr(VmView) view = vm_view(vm);
    adopt->saving |= view->state == VIR_DOMAIN_PAUSED && view->reason == VIR_DOMAIN_PAUSED_SAVE;
    adopt->dumping |= view->state == VIR_DOMAIN_PAUSED && view->reason == VIR_DOMAIN_PAUSED_DUMP;
    if (!record_save(vm, &error))
        vm_log(vm, LOG_ERR, "%s", error->message);
    go_on(adopt);
    hook_vm_after(vm, view->live, "reconnect", "begin");
    run_become_running(vm);
    if (view->autodestroy)
        destroy_orphan(vm);
}

static void adopt_now(gpointer data)
{
    Adopt *adopt = data;
    g_autoptr(Vm) vm = adopt->vm;
    g_autoptr(GError) error = NULL;
    const DriverInstance *instance = vm->instance;
    if (!adopt->half && instance->driver->run->reconnect(instance->self, vm, adopt->entries, &error))
        adopted(adopt);
    else
        give_up(adopt, error);
    g_hash_table_unref(adopt->entries);
    g_free(adopt);
}

void run_adopt(Vm *vm, Status *status)
{
    Registry *registry = vm->instance->registry;
    registry_hold(registry, vm);
    registry_adopt_id(registry, vm, status->domain->id);
    run_set_phase(vm, VM_STARTING);
    recall(vm, status);
    vm_publish(vm, change_adopt, status);
    registry_list(registry, vm);

    Adopt *adopt = g_new0(Adopt, 1);
    gboolean paused = status->state == VIR_DOMAIN_PAUSED;
    *adopt = (Adopt){
        .vm = vm_ref(vm),
        .entries = record_entries(status),
        .half = paused && status->reason == VIR_DOMAIN_PAUSED_STARTING_UP,
        .saving = paused && status->reason == VIR_DOMAIN_PAUSED_SAVE,
        .dumping = paused && status->reason == VIR_DOMAIN_PAUSED_DUMP,
    };
    queue_push_front(vm->queue, adopt_now, adopt);
}
