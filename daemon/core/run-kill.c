/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ending a run from outside. The end itself is seen and published by others (run-end.c); here it is brought about and
 * waited for. A run is meant by its number: while somebody waits, it may end by itself and the domain may begin another.
 */
#include "daemon/core/run-parts.h"
#include "lib/log.h"

#define KILL_USEC (20 * G_USEC_PER_SEC)
#define KILL_AGAIN_USEC (G_USEC_PER_SEC / 5)

static gboolean run_goes(Vm *vm, guint64 run, gint64 deadline)
{
    gboolean in_time = TRUE;
    g_mutex_lock(&vm->lock);
    while (vm->view->run == run && in_time)
        in_time = g_cond_wait_until(&vm->changed, &vm->lock, deadline);
    gboolean gone = vm->view->run != run;
    g_mutex_unlock(&vm->lock);
    return gone;
}

/* What the end of RUN will be called. FALSE: it is over already. */
static gboolean want_end(Vm *vm, guint64 run, int detail, int reason)
{
    g_mutex_lock(&vm->lock);
    gboolean there = vm->view->run == run;
    if (there) {
        vm->killers++;
        vm->wanted_end = (VmEnd){.noted = TRUE, .wanted = TRUE, .detail = detail, .reason = reason};
    }
    g_mutex_unlock(&vm->lock);
    return there;
}

/* One who wanted it gives up: what comes now comes by itself, unless others still want it. */
static void unwant_end(Vm *vm, guint64 run)
{
    g_mutex_lock(&vm->lock);
    if (vm->view->run == run && --vm->killers == 0)
        vm->wanted_end = (VmEnd){0};
    g_mutex_unlock(&vm->lock);
}

static gboolean kill_until_gone(Vm *vm, guint64 run, gboolean graceful, int detail, int reason, GError **error)
{
    const Driver *driver = vm->instance->driver;
    gint64 deadline = g_get_monotonic_time() + KILL_USEC;
    do {
        if (!driver->run->kill(vm->instance->self, vm, graceful, error))
            return FALSE;
        if (run_goes(vm, run, g_get_monotonic_time() + KILL_AGAIN_USEC))
            return TRUE;
        run_stopped_at(vm, run, detail, reason); /* gone, and nobody has seen it yet */
        if (run_goes(vm, run, g_get_monotonic_time()))
            return TRUE;
    } while (g_get_monotonic_time() < deadline);
    return error_set(error, vm->instance->from, VIR_ERR_OPERATION_TIMEOUT, "the domain is still there after %d seconds",
                     (int)(KILL_USEC / G_USEC_PER_SEC));
}

/* RUN's end is wanted already. */
static gboolean kill_run(Vm *vm, guint64 run, gboolean graceful, int detail, int reason, GError **error)
{
    gboolean gone = kill_until_gone(vm, run, graceful, detail, reason, error);
    if (!gone)
        unwant_end(vm, run);
    return gone;
}

static guint64 current_run(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);
    return view->run;
}

gboolean run_kill(Vm *vm, gboolean graceful, int detail, int reason, GError **error)
{
    guint64 run;
    do {
        if (!vm_check_active(vm, error))
            return FALSE;
        run = current_run(vm);
    } while (run == 0 || !want_end(vm, run, detail, reason));
    return kill_run(vm, run, graceful, detail, reason, error);
}

/* Of the run that OWNER has; 0: none. */
static guint64 owned_run(Vm *vm, gpointer owner)
{
    g_mutex_lock(&vm->lock);
    guint64 run = vm->owner == owner ? vm->view->run : 0;
    g_mutex_unlock(&vm->lock);
    return run;
}

void run_owner_gone(Vm *vm, gpointer owner)
{
    const int detail = VIR_DOMAIN_EVENT_STOPPED_DESTROYED, reason = VIR_DOMAIN_SHUTOFF_DESTROYED;
    g_autoptr(GError) error = NULL;
    guint64 run = owned_run(vm, owner);
    if (run != 0 && want_end(vm, run, detail, reason) && !kill_run(vm, run, FALSE, detail, reason, &error))
        vm_log(vm, LOG_ERR, "it cannot be destroyed with its connection: %s", error->message);
}
