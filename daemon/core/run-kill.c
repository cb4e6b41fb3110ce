/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ending a run from outside. The end itself is seen and published by others (run-end.c); here it is brought about and
 * waited for. A run is meant by its id: while somebody waits, it may end by itself and the domain may begin another.
 */
#include "daemon/core/run-parts.h"
#include "lib/log.h"

#define KILL_USEC (20 * G_USEC_PER_SEC)
#define KILL_AGAIN_USEC (G_USEC_PER_SEC / 5)

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

/* What the end of the run ID will be called. FALSE: it is over already. */
static gboolean want_end(Vm *vm, int id, int detail, int reason)
{
    g_mutex_lock(&vm->lock);
    gboolean there = vm->view->id == id;
    if (there) {
        vm->killers++;
        vm->wanted_end = (VmEnd){.noted = TRUE, .wanted = TRUE, .detail = detail, .reason = reason};
    }
    g_mutex_unlock(&vm->lock);
    return there;
}

/* One who wanted it gives up: what comes now comes by itself, unless others still want it. */
static void unwant_end(Vm *vm, int id)
{
    g_mutex_lock(&vm->lock);
    if (vm->view->id == id && --vm->killers == 0)
        vm->wanted_end = (VmEnd){0};
    g_mutex_unlock(&vm->lock);
}

static gboolean kill_until_gone(Vm *vm, int id, gboolean graceful, int detail, int reason, GError **error)
{
    const Driver *driver = vm->instance->driver;
    gint64 deadline = g_get_monotonic_time() + KILL_USEC;
    do {
        if (!driver->run->kill(vm->instance->self, vm, graceful, error))
            return FALSE;
        if (id_goes(vm, id, g_get_monotonic_time() + KILL_AGAIN_USEC))
            return TRUE;
        run_stopped_id(vm, id, detail, reason); /* gone, and nobody has seen it yet */
        if (id_goes(vm, id, g_get_monotonic_time()))
            return TRUE;
    } while (g_get_monotonic_time() < deadline);
    return error_set(error, vm->instance->from, VIR_ERR_OPERATION_TIMEOUT, "the domain is still there after %d seconds",
                     (int)(KILL_USEC / G_USEC_PER_SEC));
}

/* ID's end is wanted already. */
static gboolean kill_id(Vm *vm, int id, gboolean graceful, int detail, int reason, GError **error)
{
    gboolean gone = kill_until_gone(vm, id, graceful, detail, reason, error);
    if (!gone)
        unwant_end(vm, id);
    return gone;
}

static int current_id(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);
    return view->id;
}

gboolean run_kill(Vm *vm, gboolean graceful, int detail, int reason, GError **error)
{
    int id;
    do {
        if (!vm_check_active(vm, error))
            return FALSE;
        id = current_id(vm);
    } while (id < 0 || !want_end(vm, id, detail, reason));
    return kill_id(vm, id, graceful, detail, reason, error);
}

/* Of the run that OWNER has; -1: none. */
static int owned_id(Vm *vm, gpointer owner)
{
    g_mutex_lock(&vm->lock);
    int id = vm->owner == owner ? vm->view->id : -1;
    g_mutex_unlock(&vm->lock);
    return id;
}

void run_owner_gone(Vm *vm, gpointer owner)
{
    const int detail = VIR_DOMAIN_EVENT_STOPPED_DESTROYED, reason = VIR_DOMAIN_SHUTOFF_DESTROYED;
    g_autoptr(GError) error = NULL;
    int id = owned_id(vm, owner);
    if (id >= 0 && want_end(vm, id, detail, reason) && !kill_id(vm, id, FALSE, detail, reason, &error))
        vm_log(vm, LOG_ERR, "it cannot be destroyed with its connection: %s", error->message);
}
