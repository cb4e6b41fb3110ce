/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/vm.h"

#include <string.h>

#include "lib/log.h"
#include "lib/uuid.h"

/* A definition that comes to life as a run has no `next`; everything else has. */
static VmView *first_view(Domain *definition, gboolean persistent)
{
    VmView *view = g_new0(VmView, 1);
    g_atomic_ref_count_init(&view->refs);
    view->id = -1;
    view->state = persistent ? VIR_DOMAIN_SHUTOFF : VIR_DOMAIN_PAUSED;
    view->reason = persistent ? (int)VIR_DOMAIN_SHUTOFF_UNKNOWN : (int)VIR_DOMAIN_PAUSED_STARTING_UP;
    view->state_since = g_get_real_time();
    view->responsive = TRUE;
    *(persistent ? &view->next : &view->live) = definition;
    return view;
}

Vm *vm_new(const DriverInstance *instance, Domain *definition, gboolean persistent)
{
    Vm *vm = g_new0(Vm, 1);
    g_atomic_ref_count_init(&vm->refs);
    memcpy(vm->uuid, definition->uuid.bytes, sizeof(vm->uuid));
    uuid_format(vm->uuid, vm->uuid_text);
    vm->instance = instance;
    vm->queue = queue_new();
    vm->view = first_view(definition, persistent);
    vm->agent_timeout = VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK;
    vm->removed = TRUE;
    g_mutex_init(&vm->lock);
    g_mutex_init(&vm->record_lock);
    g_mutex_init(&vm->edit_lock);
    g_cond_init(&vm->changed);
    return vm;
}

void vm_set_private(Vm *vm, gpointer data, GDestroyNotify destroy)
{
    g_mutex_lock(&vm->lock);
    gpointer old = vm->private_data;
    GDestroyNotify old_destroy = vm->private_destroy;
    vm->private_data = data;
    vm->private_destroy = destroy;
    g_mutex_unlock(&vm->lock);
    if (old_destroy)
        old_destroy(old);
}

Vm *vm_ref(Vm *vm)
{
    g_atomic_ref_count_inc(&vm->refs);
    return vm;
}

void vm_unref(Vm *vm)
{
    if (!vm || !g_atomic_ref_count_dec(&vm->refs))
        return;
    vm_set_private(vm, NULL, NULL);
    if (vm->sampler)
        vm->sampler_destroy(vm->sampler);
    params_free(vm->last_job);
    domain_unref(vm->ended);
    g_clear_pointer(&vm->fd_groups, g_hash_table_unref);
    vm_view_unref(vm->view);
    queue_unref(vm->queue);
    g_mutex_clear(&vm->lock);
    g_mutex_clear(&vm->record_lock);
    g_mutex_clear(&vm->edit_lock);
    g_cond_clear(&vm->changed);
    g_free(vm);
}

VmView *vm_view(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    VmView *view = vm_view_ref(vm->view);
    g_mutex_unlock(&vm->lock);
    return view;
}

static VmView *copy_view(const VmView *old)
{
    VmView *view = g_memdup2(old, sizeof(*old));
    g_atomic_ref_count_init(&view->refs);
    if (view->live)
        domain_ref(view->live);
    if (view->next)
        domain_ref(view->next);
    if (view->former)
        domain_ref(view->former);
    return view;
}

void vm_publish(Vm *vm, VmChange change, gpointer data)
{
    g_mutex_lock(&vm->lock);
    VmView *old = vm->view;
    vm->view = copy_view(old);
    change(vm->view, data);
    g_cond_broadcast(&vm->changed);
    g_mutex_unlock(&vm->lock);
    vm_view_unref(old);
}

static void change_state(VmView *view, gpointer data)
{
    const int *state = data;
    if (view->id < 0)
        return; /* said of a run that ended meanwhile */
    view->state = state[0];
    view->reason = state[1];
    view->state_since = g_get_real_time();
}

void vm_publish_state(Vm *vm, int state, int reason)
{
    int both[] = {state, reason};
    vm_publish(vm, change_state, both);
}

static void change_reason(VmView *view, gpointer data)
{
    if (view->state == VIR_DOMAIN_RUNNING)
        view->reason = *(const int *)data;
}

void vm_publish_went_on(Vm *vm, int reason)
{
    vm_publish(vm, change_reason, &reason);
}

static void change_next(VmView *view, gpointer data)
{
    domain_unref(view->next);
    view->next = data;
}

void vm_publish_next(Vm *vm, Domain *next)
{
    vm_publish(vm, change_next, next);
}

gboolean vm_wait_inactive(Vm *vm, gint64 deadline)
{
    gboolean in_time = TRUE;
    g_mutex_lock(&vm->lock);
    while (vm->view->id >= 0 && in_time)
        in_time = g_cond_wait_until(&vm->changed, &vm->lock, deadline);
    gboolean inactive = vm->view->id < 0;
    g_mutex_unlock(&vm->lock);
    return inactive;
}

void vm_log(Vm *vm, int priority, const char *format, ...)
{
    g_autoptr(VmView) view = vm_view(vm);
    LogContext context = {.domain = vm_view_def(view)->name};
    va_list args;
    if (!log_wants(priority))
        return;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    log_context_enter(&context);
    log_line(priority, "%s", text);
    log_context_leave(&context);
}

gboolean vm_taint(Vm *vm, VmTaint taint)
{
    g_mutex_lock(&vm->lock);
    gboolean new = !(vm->taints & taint);
    vm->taints |= taint;
    g_mutex_unlock(&vm->lock);
    if (new)
        vm_log(vm, LOG_WARNING, "the domain is tainted: %s",
               taint == VM_TAINT_AGENT_COMMAND ? "custom-ga-command" : "custom-monitor");
    return new;
}

void vm_set_operation(Vm *vm, const char *name)
{
    g_mutex_lock(&vm->lock);
    vm->operation = name;
    vm->operation_since = g_get_monotonic_time();
    g_mutex_unlock(&vm->lock);
}

static gboolean is_active(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);
    return view->id >= 0;
}

gboolean vm_check_present(Vm *vm, GError **error)
{
    g_mutex_lock(&vm->lock);
    gboolean removed = vm->removed;
    g_mutex_unlock(&vm->lock);
    if (!removed)
        return TRUE;
    g_autoptr(VmView) view = vm_view(vm);
    return error_set(error, vm->instance->from, VIR_ERR_NO_DOMAIN, "no domain with matching uuid '%s' (%s)",
                     vm->uuid_text, vm_view_def(view)->name);
}

gboolean vm_check_active(Vm *vm, GError **error)
{
    if (!vm_check_present(vm, error))
        return FALSE;
    return is_active(vm) || error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not running");
}

gboolean vm_check_inactive(Vm *vm, GError **error)
{
    if (!vm_check_present(vm, error))
        return FALSE;
    return !is_active(vm) ||
           error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "domain is already running");
}

gboolean vm_check_guest(Vm *vm, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    return !vm->host || error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "%s does not support requested operation",
                                  vm_view_def(view)->name);
}

gboolean vm_check_monitor(Vm *vm, GError **error)
{
    if (!vm_check_active(vm, error))
        return FALSE;
    g_autoptr(VmView) view = vm_view(vm);
    return view->responsive ||
           error_set(error, vm->instance->from, VIR_ERR_OPERATION_TIMEOUT,
                     "the hypervisor process of domain '%s' does not answer; it can be destroyed", vm_view_def(view)->name);
}
