/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run has three hands on it: the start operation (on the domain's queue), the event loop (which sees the process end),
 * and whoever destroys it (at any time, from a thread of its own). Vm.phase says whose turn it is, under Vm.lock:
 *
 *   IDLE      nothing runs. The queue may begin a run.
 *   STARTING  the queue is inside Driver.start (or reconnect). An end that is seen now is only noted in Vm.end: the start
 *             operation finds it and undoes what it did. So there is one place that ends a half-made run.
 *   RUNNING   whoever first reports the end wins (run_stopped): it publishes the end at once, tells the clients, and puts
 *             the rest, which may block, in front of the queue.
 *   ENDING    the end is being published; never waits for anything.
 *   ENDED     published as inactive; the driver's cleanup is in front of the queue. An operation that was at it when the
 *             end came, and goes on to start the domain, does the cleanup itself (run_settle).
 *
 * Destroying does not touch the phase: it kills, and waits for the end to be published by the others, again and again
 * until its deadline, because a start that is under way may make the process only after the first kill. What the end is
 * called then is noted in Vm.wanted_end before the first kill. Who kills means a run, by its number, not the domain: it may
 * end by itself at the same moment and begin anew.
 *
 * What a failed start leaves is ended before it is forgotten. Where that fails, the run stays with its record, as one that
 * does not answer: a process that nobody knows of any more would be the one thing that cannot be repaired.
 *
 * A run holds a claim in the registry (registry_hold) from its beginning to the end of its cleanup, so that a transient
 * domain's name and UUID are free again only when nothing is left of it.
 *
 * Ruled out: a state machine with the steps as events. It would make every step of a start asynchronous, for the sake of
 * the one thing that overtakes it.
 */
#include "daemon/core/event.h"
#include "daemon/core/hook.h"
#include "daemon/core/record.h"
#include "daemon/core/registry.h"
#include "daemon/core/run-parts.h"
#include "lib/model/domain-migratable.h"

void run_set_phase(Vm *vm, VmPhase phase)
{
    g_mutex_lock(&vm->lock);
    vm->phase = phase;
    g_cond_broadcast(&vm->changed);
    g_mutex_unlock(&vm->lock);
}

static gboolean kill_is_wanted(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    gboolean wanted = vm->wanted_end.noted;
    g_mutex_unlock(&vm->lock);
    return wanted;
}

guint64 run_new_number(void)
{
    static guint64 last; /* atomic */
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

typedef struct {
    Domain *live;
    int id;
    const RunStart *how;
} Begin;

static void change_begin(VmView *view, gpointer data)
{
    Begin *begin = data;
    domain_unref(view->live);
    view->live = begin->live;
    g_clear_pointer(&view->former, domain_unref);
    view->id = begin->id;
    view->run = run_new_number();
    view->state = VIR_DOMAIN_PAUSED;
    view->reason = VIR_DOMAIN_PAUSED_STARTING_UP;
    view->state_since = g_get_real_time();
    view->autodestroy = begin->how->owner != NULL;
    view->updated = FALSE;
    view->responsive = TRUE;
}

/* LIVE is taken over. */
static void begin(Vm *vm, Domain *live, const RunStart *how)
{
    Registry *registry = vm->instance->registry;
    registry_hold(registry, vm);
    Begin what = {live, registry_take_id(registry, vm), how};
    live->id = what.id;
    g_mutex_lock(&vm->lock);
    vm->phase = VM_STARTING;
    vm->taints = 0;
    vm->end = vm->wanted_end = (VmEnd){0};
    vm->killers = 0;
    vm->owner = how->owner;
    vm->owner_release = how->owner_release;
    g_mutex_unlock(&vm->lock);
    vm_publish(vm, change_begin, &what);
    registry_list(registry, vm);
}

static gboolean complete_live(Vm *vm, Domain *live, GError **error)
{
    const DriverDefinitionOps *definition = vm->instance->driver->definition;
    return definition->complete(vm->instance->self, live, DRIVER_COMPLETE_START, error);
}

static gboolean start_driver(Vm *vm, const RunStart *how, GError **error)
{
    const DriverStart options = {how->paused, how->restore_fd, how->restore_name, how->reset_nvram};
    if (!vm->instance->driver->run->start(vm->instance->self, vm, &options, error))
        return FALSE;
    if (kill_is_wanted(vm))
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_ABORTED, "the domain was destroyed while it started");
    return record_save(vm, error);
}

static void tell_started(Vm *vm, const RunStart *how)
{
    gboolean restored = how->restore_fd >= 0;
    event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_STARTED, how->detail);
    if (how->paused)
        event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_SUSPENDED,
                             restored && !how->paused_anyway ? VIR_DOMAIN_EVENT_SUSPENDED_RESTORED
                                                             : VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    else if (restored)
        event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT);
}

/* Nothing has begun, and nothing will. */
static gboolean decline(const RunStart *how)
{
    if (how->owner_release)
        how->owner_release(how->owner);
    return FALSE;
}

/* A transient domain that is about to begin again by itself has nothing that another start could begin. */
static gboolean check_definition(Vm *vm, const RunStart *how, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    return how->definition || view->next ||
           error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "cannot start a transient domain again");
}

static gboolean tell_hook(Vm *vm, const char *operation, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    return hook_vm(vm, view->live, operation, "begin", error);
}

static gboolean drive(Vm *vm, const RunStart *how, GError **error)
{
    return tell_hook(vm, "prepare", error) && tell_hook(vm, "start", error) && start_driver(vm, how, error) &&
           tell_hook(vm, "started", error);
}

static gboolean start_live(Vm *vm, Domain *live, const RunStart *how, GError **error)
{
    begin(vm, live, how);
    RunExtent extent = RUN_BEGUN;
    if (record_prepare(vm, error))
        extent = record_save(vm, error) ? RUN_DRIVEN : RUN_RECORDED;
    if (extent != RUN_DRIVEN || !drive(vm, how, error)) {
        run_undo(vm, extent, VIR_DOMAIN_SHUTOFF_FAILED);
        return FALSE;
    }
    tell_started(vm, how);
    run_become_running(vm);
    return TRUE;
}

/* libvirt keeps beside a run what it has read again from its own text. */
static void read_again(Vm *vm, const VmView *view)
{
    if (!view->next)
        return;
    g_autoptr(Domain) next = domain_copy(view->next);
    domain_read_again(next);
    vm_publish_next(vm, g_steal_pointer(&next));
}

gboolean run_start(Vm *vm, const RunStart *how, GError **error)
{
    if (!check_definition(vm, how, error))
        return decline(how);
    run_settle(vm, NULL);
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Domain) live = domain_copy(how->definition ? how->definition : view->next);
    read_again(vm, view);
    if (complete_live(vm, live, error) && record_check(vm, live, error))
        return start_live(vm, g_steal_pointer(&live), how, error);
    run_hide_if_transient(vm); /* it may have been there for the sake of the run that we have cleaned up */
    return decline(how);
}
