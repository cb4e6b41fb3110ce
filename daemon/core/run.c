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
 *             end came, and goes on to start the domain, does the cleanup itself (settle).
 *
 * Destroying does not touch the phase: it kills, and waits for the end to be published by the others, again and again
 * until its deadline, because a start that is under way may make the process only after the first kill. What the end is
 * called then is noted in Vm.wanted_end before the first kill.
 *
 * A run holds a claim in the registry (registry_hold) from its beginning to the end of its cleanup, so that a transient
 * domain's name and UUID are free again only when nothing is left of it.
 *
 * Ruled out: a state machine with the steps as events. It would make every step of a start asynchronous, for the sake of
 * the one thing that overtakes it.
 */
#include "daemon/core/run.h"

#include "daemon/core/event.h"
#include "daemon/core/record.h"
#include "daemon/core/registry.h"
#include "lib/log.h"

#define KILL_USEC (20 * G_USEC_PER_SEC)
#define KILL_AGAIN_USEC (G_USEC_PER_SEC / 5)

static void set_phase(Vm *vm, VmPhase phase)
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

/* --- beginning --- */

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
    view->id = begin->id;
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
    vm->end = vm->wanted_end = (VmEnd){0};
    vm->owner = how->owner;
    vm->owner_release = how->owner_release;
    g_mutex_unlock(&vm->lock);
    vm_publish(vm, change_begin, &what);
    registry_list(registry, vm);
}

/* --- ending --- */

static void change_end(VmView *view, gpointer data)
{
    const VmEnd *end = data;
    view->id = -1;
    view->state = VIR_DOMAIN_SHUTOFF;
    view->reason = end->reason;
    view->state_since = g_get_real_time();
    view->autodestroy = view->updated = FALSE;
    view->responsive = TRUE;
    if (view->next)
        g_clear_pointer(&view->live, domain_unref);
}

static void publish_end(Vm *vm, int reason)
{
    g_autoptr(VmView) view = vm_view(vm);
    VmEnd end = {.reason = reason};
    registry_drop_id(vm->instance->registry, vm, view->id);
    vm_publish(vm, change_end, &end);
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

static gboolean is_transient(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);
    return !view->next;
}

/* What is left of a run once its process is gone. DRIVEN: the driver had a hand in it. */
static void clean_up(Vm *vm, gboolean driven)
{
    g_autoptr(GError) error = NULL;
    if (driven)
        vm->instance->driver->run->cleanup(vm->instance->self, vm);
    if (!record_remove(vm, &error))
        log_line(LOG_ERR, "domain %s: %s", vm->uuid_text, error->message);
    release_owner(vm);
    set_phase(vm, VM_IDLE);
    registry_drop(vm->instance->registry, vm);
}

static void hide_if_transient(Vm *vm)
{
    if (is_transient(vm))
        registry_remove(vm->instance->registry, vm);
}

static void kill_quietly(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    if (!vm->instance->driver->run->kill(vm->instance->self, vm, FALSE, &error))
        log_line(LOG_ERR, "domain %s: cannot end its process: %s", vm->uuid_text, error->message);
}

/* The end of a run that never became one. */
static void undo_start(Vm *vm, gboolean driven)
{
    if (driven)
        kill_quietly(vm);
    publish_end(vm, VIR_DOMAIN_SHUTOFF_FAILED);
    hide_if_transient(vm);
    clean_up(vm, driven);
}

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
    log_line(LOG_ERR, "domain %s cannot be started again: %s", vm->uuid_text, error->message);
    hide_if_transient(vm);
}

/* On the queue: does what an end has left to do, if there is such an end. Who is on the queue when the end is published
 * may come to start the domain before finish_end has its turn. */
static gboolean settle(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    while (vm->phase == VM_ENDING)
        g_cond_wait(&vm->changed, &vm->lock);
    gboolean ended = vm->phase == VM_ENDED;
    g_mutex_unlock(&vm->lock);
    if (ended)
        clean_up(vm, TRUE);
    return ended;
}

static void finish_end(gpointer data)
{
    Vm *vm = data; /* held by end_run */
    g_autoptr(VmView) view = vm_view(vm);
    VmEnd end = vm->end;
    if (settle(vm) && !end.wanted && wants_restart(vm_view_def(view), end.detail))
        restart(vm);
    registry_drop(vm->instance->registry, vm);
    vm_unref(vm);
}

/* The caller has set the phase to ENDING and Vm.end. */
static void end_run(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);
    const VmEnd *end = &vm->end;
    publish_end(vm, end->reason);
    if (end->wanted || !wants_restart(vm_view_def(view), end->detail))
        hide_if_transient(vm);
    event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_STOPPED,
                         end->detail == HOST_STOPPED_REBOOT ? (int)VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN : end->detail);
    registry_hold(vm->instance->registry, vm);
    set_phase(vm, VM_ENDED);
    queue_push_front(vm->queue, finish_end, vm_ref(vm));
}

void run_stopped(Vm *vm, int detail, int reason)
{
    g_mutex_lock(&vm->lock);
    gboolean mine = vm->phase == VM_RUNNING;
    if (mine || vm->phase == VM_STARTING)
        vm->end = vm->wanted_end.noted ? vm->wanted_end : (VmEnd){TRUE, FALSE, detail, reason};
    if (mine)
        vm->phase = VM_ENDING;
    g_mutex_unlock(&vm->lock);
    if (mine)
        end_run(vm);
}

/* From STARTING on; an end that came in the meantime is dealt with now. */
static void become_running(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    gboolean ended = vm->end.noted;
    vm->phase = ended ? VM_ENDING : VM_RUNNING;
    g_mutex_unlock(&vm->lock);
    if (ended)
        end_run(vm);
}

/* --- starting --- */

static gboolean complete_live(Vm *vm, Domain *live, GError **error)
{
    const DriverDefinitionOps *definition = vm->instance->driver->definition;
    return definition->complete(vm->instance->self, live, DRIVER_COMPLETE_START, error);
}

static gboolean start_driver(Vm *vm, const RunStart *how, GError **error)
{
    const DriverStart options = {how->paused, how->restore_fd, how->restore_name};
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
        event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_SUSPENDED, restored ? VIR_DOMAIN_EVENT_SUSPENDED_RESTORED
                                                                      : VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    else if (restored)
        event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT);
}

gboolean run_start(Vm *vm, const RunStart *how, GError **error)
{
    settle(vm);
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Domain) live = domain_copy(how->definition ? how->definition : view->next);
    if (!complete_live(vm, live, error)) {
        if (how->owner_release)
            how->owner_release(how->owner);
        return FALSE;
    }
    begin(vm, g_steal_pointer(&live), how);
    gboolean prepared = record_prepare(vm, error) && record_save(vm, error);
    if (!prepared || !start_driver(vm, how, error)) {
        undo_start(vm, prepared);
        return FALSE;
    }
    tell_started(vm, how);
    become_running(vm);
    return TRUE;
}

/* --- killing --- */

static gboolean id_goes(Vm *vm, int id, gint64 deadline)
{
    gboolean in_time = TRUE;
    g_mutex_lock(&vm->lock);
    while (vm->view->id == id && in_time)
        in_time = g_cond_wait_until(&vm->changed, &vm->lock, deadline);
    gboolean gone = vm->view->id != id;
    g_mutex_unlock(&vm->lock);
    return gone;
}

static void want_end(Vm *vm, gboolean noted, int detail, int reason)
{
    g_mutex_lock(&vm->lock);
    vm->wanted_end = (VmEnd){noted, TRUE, detail, reason};
    g_mutex_unlock(&vm->lock);
}

static gboolean kill_id(Vm *vm, int id, gboolean graceful, int detail, int reason, GError **error)
{
    const Driver *driver = vm->instance->driver;
    gint64 deadline = g_get_monotonic_time() + KILL_USEC;
    do {
        if (!driver->run->kill(vm->instance->self, vm, graceful, error))
            return FALSE;
        if (id_goes(vm, id, g_get_monotonic_time() + KILL_AGAIN_USEC))
            return TRUE;
        run_stopped(vm, detail, reason); /* gone, and nobody has seen it yet */
        if (id_goes(vm, id, g_get_monotonic_time()))
            return TRUE;
    } while (g_get_monotonic_time() < deadline);
    return error_set(error, vm->instance->from, VIR_ERR_OPERATION_TIMEOUT, "the domain is still there after %d seconds",
                     (int)(KILL_USEC / G_USEC_PER_SEC));
}

gboolean run_kill(Vm *vm, gboolean graceful, int detail, int reason, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    if (!vm_check_active(vm, error))
        return FALSE;
    want_end(vm, TRUE, detail, reason);
    if (kill_id(vm, view->id, graceful, detail, reason, error))
        return TRUE;
    want_end(vm, FALSE, 0, 0);
    return FALSE;
}

void run_owner_gone(Vm *vm, gpointer owner)
{
    g_autoptr(GError) error = NULL;
    g_mutex_lock(&vm->lock);
    gboolean mine = vm->owner == owner;
    g_mutex_unlock(&vm->lock);
    if (mine && !run_kill(vm, FALSE, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED, &error) &&
        !error_is(error, VIR_ERR_NO_DOMAIN) && !error_is(error, VIR_ERR_OPERATION_INVALID))
        log_line(LOG_ERR, "domain %s cannot be destroyed with its connection: %s", vm->uuid_text, error->message);
}

/* --- adopting --- */

typedef struct {
    Vm *vm;
    GHashTable *entries;
    gboolean half; /* killed in the middle of the start */
} Adopt;

static void change_adopt(VmView *view, gpointer data)
{
    const Status *status = data;
    domain_unref(view->live);
    view->live = domain_ref(status->domain);
    view->id = status->domain->id;
    view->state = status->state;
    view->reason = status->reason;
    view->state_since = status->since;
    view->autodestroy = status->autodestroy == TOGGLE_ON;
}

static void give_up(Vm *vm, gboolean half, const GError *error)
{
    kill_quietly(vm);
    publish_end(vm, half ? (int)VIR_DOMAIN_SHUTOFF_FAILED : (int)VIR_DOMAIN_SHUTOFF_CRASHED);
    hide_if_transient(vm);
    if (half)
        log_line(LOG_NOTICE, "domain %s was half started when the daemon ended: what there was is removed", vm->uuid_text);
    else
        log_line(LOG_WARNING, "domain %s ended while no daemon was there: %s", vm->uuid_text, error->message);
    if (!half)
        event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
    clean_up(vm, TRUE);
}

static void end_orphan(gpointer data)
{
    g_autoptr(Vm) vm = data;
    g_autoptr(GError) error = NULL;
    if (!run_kill(vm, FALSE, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED, &error))
        log_line(LOG_ERR, "domain %s cannot be destroyed: %s", vm->uuid_text, error->message);
}

/* The connection that an autodestroy domain was to end with ended with the daemon. */
static void adopted(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VmView) view = vm_view(vm);
    if (!record_save(vm, &error))
        log_line(LOG_ERR, "domain %s: %s", vm->uuid_text, error->message);
    become_running(vm);
    if (view->autodestroy)
        pool_push(POOL_CONTROL, end_orphan, vm_ref(vm), NULL);
}

static void adopt_now(gpointer data)
{
    Adopt *adopt = data;
    g_autoptr(Vm) vm = adopt->vm;
    g_autoptr(GError) error = NULL;
    const DriverInstance *instance = vm->instance;
    if (!adopt->half && instance->driver->run->reconnect(instance->self, vm, adopt->entries, &error))
        adopted(vm);
    else
        give_up(vm, adopt->half, error);
    g_hash_table_unref(adopt->entries);
    g_free(adopt);
}

void run_adopt(Vm *vm, Status *status)
{
    Registry *registry = vm->instance->registry;
    registry_hold(registry, vm);
    registry_adopt_id(registry, vm, status->domain->id);
    set_phase(vm, VM_STARTING);
    vm_publish(vm, change_adopt, status);
    registry_list(registry, vm);

    Adopt *adopt = g_new0(Adopt, 1);
    gboolean half = status->state == VIR_DOMAIN_PAUSED && status->reason == VIR_DOMAIN_PAUSED_STARTING_UP;
    *adopt = (Adopt){vm_ref(vm), record_entries(status), half};
    queue_push_front(vm->queue, adopt_now, adopt);
}
