/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs that an earlier daemon began. */
#include "daemon/core/event.h"
#include "daemon/core/record.h"
#include "daemon/core/registry.h"
#include "daemon/core/run-parts.h"
#include "lib/log.h"

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

/* There is no such guest any more. */
static void give_up(Vm *vm, gboolean half, const GError *error)
{
    if (half)
        log_line(LOG_NOTICE, "domain %s was half started when the daemon ended: what there was is removed", vm->uuid_text);
    else
        log_line(LOG_WARNING, "domain %s ended while no daemon was there: %s", vm->uuid_text, error->message);
    if (run_undo(vm, RUN_DRIVEN, half ? (int)VIR_DOMAIN_SHUTOFF_FAILED : (int)VIR_DOMAIN_SHUTOFF_CRASHED) && !half)
        event_emit_lifecycle(vm, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
}

static void end_orphan(gpointer data)
{
    g_autoptr(Vm) vm = data;
    g_autoptr(GError) error = NULL;
    if (!run_kill(vm, FALSE, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED, &error))
        log_line(LOG_ERR, "domain %s cannot be destroyed: %s", vm->uuid_text, error->message);
}

/* The connection that it was to end with ended with the daemon. */
static void destroy_orphan(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    if (pool_push(POOL_CONTROL, end_orphan, vm_ref(vm), &error))
        return;
    log_line(LOG_ERR, "domain %s cannot be destroyed: %s", vm->uuid_text, error->message);
    vm_unref(vm);
}

static void adopted(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VmView) view = vm_view(vm);
    if (!record_save(vm, &error))
        log_line(LOG_ERR, "domain %s: %s", vm->uuid_text, error->message);
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
    run_set_phase(vm, VM_STARTING);
    vm_publish(vm, change_adopt, status);
    registry_list(registry, vm);

    Adopt *adopt = g_new0(Adopt, 1);
    gboolean half = status->state == VIR_DOMAIN_PAUSED && status->reason == VIR_DOMAIN_PAUSED_STARTING_UP;
    *adopt = (Adopt){vm_ref(vm), record_entries(status), half};
    queue_push_front(vm->queue, adopt_now, adopt);
}
