/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/guest-stop.h"

#include "daemon/core/run.h"
#include "daemon/core/vm-save.h"
#include "lib/log.h"

#define AGAIN_USEC (15 * G_USEC_PER_SEC)

/* That of a domain that is meant; in a queue it may wait for longer than who pushed it. */
typedef struct {
    Vm *vm;
    int id;
    gint64 deadline;
} Run;

static void run_clear(gpointer data)
{
    vm_unref(((Run *)data)->vm);
}

static void run_unref(Run *run)
{
    g_atomic_rc_box_release_full(run, run_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_unref)

static gboolean still_runs(const Run *run)
{
    g_autoptr(VmView) view = vm_view(run->vm);

    return view->id == run->id;
}

static void switch_off(const Run *run)
{
    g_autoptr(GError) error = NULL;

    if (!still_runs(run))
        return;
    if (run_kill(run->vm, TRUE, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED, &error))
        vm_log(run->vm, LOG_INFO, "switched off with the host");
    else
        vm_log(run->vm, LOG_ERR, "it is not switched off with the host: %s", error->message);
}

static void ask_to_shut_down(gpointer data)
{
    g_autoptr(Run) run = data;
    Vm *vm = run->vm;
    const DriverRunOps *ops = vm->instance->driver->run;
    g_autoptr(GError) error = NULL;

    if (!still_runs(run))
        return;
    if (ops->shutdown && vm_check_monitor(vm, &error) && ops->shutdown(vm->instance->self, vm, 0, &error))
        return;
    vm_log(vm, LOG_WARNING, "it cannot be asked to shut down: %s", error ? error->message : "the driver offers no such thing");
    switch_off(run);
}

/* A guest that is still booting hears no button, so it is pressed again now and then. */
static gboolean press_until_off(Run *run)
{
    g_autoptr(GError) error = NULL;

    while (g_get_monotonic_time() < run->deadline) {
        gint64 pause = MIN(run->deadline, g_get_monotonic_time() + AGAIN_USEC);
        if (!queue_push(run->vm->queue, ask_to_shut_down, g_atomic_rc_box_acquire(run), &error)) {
            vm_log(run->vm, LOG_WARNING, "it cannot be asked to shut down: %s", error->message);
            run_unref(run);
            return FALSE;
        }
        if (vm_wait_inactive(run->vm, pause))
            return TRUE;
    }
    return FALSE;
}

static void shut_down(Run *run)
{
    guint seconds = (guint)(MAX(run->deadline - g_get_monotonic_time(), 0) / G_USEC_PER_SEC);

    if (press_until_off(run)) {
        vm_log(run->vm, LOG_INFO, "shut down with the host");
        return;
    }
    vm_log(run->vm, LOG_WARNING, "it did not shut down within %u seconds", seconds);
    switch_off(run);
}

typedef struct {
    const Run *run;
    gboolean ok;
    GError *error;
} Saving;

static void save_one(gpointer data)
{
    Saving *saving = data;

    saving->ok = !still_runs(saving->run) || vm_save_managed(saving->run->vm, 0, &saving->error);
}

/* Takes as long as it takes: who waits for the guest's end does not wait for that. */
static gboolean save(const Run *run)
{
    Saving saving = {run, FALSE, NULL};
    g_autoptr(GError) error = NULL;

    queue_run(run->vm->queue, save_one, &saving, &error);
    if (saving.ok)
        vm_log(run->vm, LOG_INFO, "saved with the host's shutdown");
    else
        vm_log(run->vm, LOG_WARNING, "it cannot be saved with the host's shutdown: %s",
               saving.error ? saving.error->message : error->message);
    g_clear_error(&saving.error);
    return saving.ok;
}

HostStop guest_stop_action(const Vm *vm, const VmView *view, HostStop wanted)
{
    const DriverSaveOps *ops = vm->instance->driver->save;
    gboolean can_save = view->next && ops && ops->save;

    if (wanted == HOST_STOP_SHUTDOWN && view->state != VIR_DOMAIN_RUNNING)
        return can_save ? HOST_STOP_SAVE : HOST_STOP_OFF;
    return wanted == HOST_STOP_SAVE && !can_save ? HOST_STOP_SHUTDOWN : wanted;
}

void guest_stop(Vm *vm, int id, HostStop wanted, gint64 deadline)
{
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Run) run = g_atomic_rc_box_new0(Run);

    *run = (Run){vm_ref(vm), id, deadline};
    switch (guest_stop_action(vm, view, wanted)) {
    case HOST_STOP_SAVE:
        if (!save(run))
            shut_down(run);
        return;
    case HOST_STOP_SHUTDOWN:
        shut_down(run);
        return;
    case HOST_STOP_OFF:
        switch_off(run);
        return;
    case HOST_STOP_LEAVE:
    case HOST_STOP_UNSET:
        return;
    }
}
