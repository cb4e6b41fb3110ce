/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/host.h"

#include "daemon/core/event.h"
#include "daemon/core/fd-groups.h"
#include "daemon/core/record.h"
#include "daemon/core/registry.h"
#include "daemon/core/run.h"
#include "daemon/core/vm-job.h"
#include "daemon/secret/secrets.h"
#include "daemon/storage/volume-place.h"
#include "lib/log.h"

static gint shut; /* atomic, and set on the event loop: what runs there has seen it or is over */

static const char *host_uuid(Vm *vm)
{
    return vm->uuid_text;
}

static gpointer host_get_private(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    gpointer data = vm->private_data;
    g_mutex_unlock(&vm->lock);
    return data;
}

typedef struct {
    Vm *vm;
    guint64 run;
} SaveLate;

static void save_late(gpointer data)
{
    SaveLate *late = data;
    g_autoptr(Vm) vm = late->vm;
    g_autoptr(GError) error = NULL;
    if (!record_save_run(vm, late->run, &error))
        vm_log(vm, LOG_ERR, "its state is not on record: %s", error->message);
    g_free(late);
}

/* Of a run that somebody is at beginning, after that: a record says of which kind it is until it has begun. */
static gboolean push_late(Vm *vm, SaveLate *late)
{
    g_mutex_lock(&vm->lock);
    gboolean begun = vm->phase == VM_RUNNING;
    late->run = vm->view->run;
    g_mutex_unlock(&vm->lock);
    return begun ? pool_push(POOL_WORK, save_late, late, NULL) : queue_push(vm->queue, save_late, late, NULL);
}

/* The record follows on another thread: the event loop does not write files. It does not wait for what the queue is at,
 * which may be long, and whose interruption by kill -9 the record has to tell of. */
static void host_set_state(Vm *vm, int state, int reason)
{
    vm_publish_state(vm, state, reason);
    if (g_atomic_int_get(&shut))
        return;
    SaveLate *late = g_new0(SaveLate, 1);
    late->vm = vm_ref(vm);
    if (push_late(vm, late))
        return;
    vm_unref(vm); /* too much waits: each operation saves the record as well */
    g_free(late);
}

/* An end that is seen when nobody is left to deal with it is found by the next daemon, like one after kill -9. */
static void host_stopped(Vm *vm, int detail, int reason)
{
    if (!g_atomic_int_get(&shut))
        run_stopped(vm, detail, reason);
}

static void change_responsive(VmView *view, gpointer data)
{
    view->responsive = view->id < 0 || GPOINTER_TO_INT(data);
}

static void host_set_responsive(Vm *vm, gboolean responsive)
{
    vm_publish(vm, change_responsive, GINT_TO_POINTER(!!responsive));
}

typedef struct {
    Domain *before;
    Domain *after; /* NULL once it is published */
} Edited;

static void change_live(VmView *view, gpointer data)
{
    Edited *edited = data;
    if (view->live != edited->before || view->id < 0)
        return;
    domain_unref(view->live);
    view->live = g_steal_pointer(&edited->after);
}

static gboolean edit_locked(Vm *vm, VmEdit edit, gpointer data, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    if (!vm_check_active(vm, error))
        return FALSE;
    g_autoptr(Domain) live = domain_copy(vm_view_def(view));
    if (!edit(live, data, error))
        return FALSE;
    Edited edited = {view->live, g_steal_pointer(&live)};
    vm_publish(vm, change_live, &edited);
    if (!edited.after)
        return TRUE;
    domain_unref(edited.after);
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not running"); /* it ended meanwhile */
}

gboolean host_edit_live(Vm *vm, VmEdit edit, gpointer data, GError **error)
{
    g_mutex_lock(&vm->edit_lock);
    gboolean ok = edit_locked(vm, edit, data, error);
    g_mutex_unlock(&vm->edit_lock);
    return ok;
}

static void change_id(VmView *view, gpointer data)
{
    view->id = GPOINTER_TO_INT(data);
}

static gboolean edit_id(Domain *live, gpointer data, GError **error)
{
    live->id = GPOINTER_TO_INT(data);
    return TRUE;
}

static gboolean host_set_id(Vm *vm, int id, GError **error)
{
    Registry *registry = vm->instance->registry;
    g_autoptr(VmView) view = vm_view(vm);
    if (view->id == id)
        return TRUE;
    if (!host_edit_live(vm, edit_id, GINT_TO_POINTER(id), error))
        return FALSE;
    registry_adopt_id(registry, vm, id);
    vm_publish(vm, change_id, GINT_TO_POINTER(id));
    registry_drop_id(registry, vm, view->id);
    return TRUE;
}

static void host_log(Vm *vm, int priority, const char *text)
{
    if (vm)
        vm_log(vm, priority, "%s", text);
    else
        log_line(priority, "%s", text);
}

static DriverHost host = {
    .view = vm_view,
    .fd_group = fd_groups_get,
    .uuid = host_uuid,
    .ref = vm_ref,
    .unref = vm_unref,
    .get_private = host_get_private,
    .set_private = vm_set_private,
    .set_id = host_set_id,
    .set_state = host_set_state,
    .set_responsive = host_set_responsive,
    .edit_live = host_edit_live,
    .save_status = record_save,
    .stopped = host_stopped,
    .aborted = vm_job_aborted,
    .emit = event_emit,
    .secret = secrets_grant,
    .volume = volume_place,
    .log = host_log,
};

const DriverHost *host_open(const DriverPaths *paths, Loop *loop, HostConfig config)
{
    host.paths = paths;
    host.loop = loop;
    host.config = config;
    g_atomic_int_set(&shut, FALSE);
    return &host;
}

static void shut_now(gpointer data)
{
    g_atomic_int_set(&shut, TRUE);
}

void host_shut(void)
{
    loop_call(host.loop, shut_now, NULL);
}

const DriverPaths *host_paths(void)
{
    return host.paths;
}
