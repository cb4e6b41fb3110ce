/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: domains start. */
#include "daemon/core/managed-save.h"
#include "daemon/core/vm-ops.h"
#include "daemon/rpc/client.h"
#include "lib/log.h"

/* The connection that is to take a run with it. Held by the run (until its end), by the connection's hook (until it ran
 * or was removed), and by who starts. */
typedef struct {
    gatomicrefcount refs;
    Vm *vm;
    Client *client;
    guint hook;
    gint gone; /* atomic */
} Autodestroy;

static Autodestroy *autodestroy_ref(Autodestroy *autodestroy)
{
    g_atomic_ref_count_inc(&autodestroy->refs);
    return autodestroy;
}

static void autodestroy_unref(Autodestroy *autodestroy)
{
    if (!autodestroy || !g_atomic_ref_count_dec(&autodestroy->refs))
        return;
    vm_unref(autodestroy->vm);
    client_unref(autodestroy->client);
    g_free(autodestroy);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Autodestroy, autodestroy_unref)

static void end_it(gpointer data)
{
    g_autoptr(Autodestroy) autodestroy = data;
    run_owner_gone(autodestroy->vm, autodestroy);
}

static void connection_closed(gpointer data)
{
    Autodestroy *autodestroy = data; /* the hook's reference goes on to the work */
    g_autoptr(GError) error = NULL;
    g_atomic_int_set(&autodestroy->gone, TRUE);
    if (pool_push(POOL_CONTROL, end_it, autodestroy, &error))
        return;
    vm_log(autodestroy->vm, LOG_ERR, "it is not destroyed with its connection: %s", error->message);
    autodestroy_unref(autodestroy);
}

static Autodestroy *autodestroy_new(Call *call, Vm *vm, GError **error)
{
    g_autoptr(Autodestroy) autodestroy = g_new0(Autodestroy, 1);
    g_atomic_ref_count_init(&autodestroy->refs);
    autodestroy->vm = vm_ref(vm);
    autodestroy->client = client_ref(call->client);
    autodestroy->hook = client_add_close_hook(call->client, connection_closed, autodestroy_ref(autodestroy));
    if (autodestroy->hook)
        return g_steal_pointer(&autodestroy);
    autodestroy_unref(autodestroy); /* the hook's */
    error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_ABORTED, "the connection was closed");
    return NULL;
}

static void autodestroy_release(gpointer data)
{
    Autodestroy *autodestroy = data;
    if (client_remove_close_hook(autodestroy->client, autodestroy->hook))
        autodestroy_unref(autodestroy); /* the hook's */
    autodestroy_unref(autodestroy);
}

static gboolean start_owned(Call *call, Vm *vm, RunStart *how, GError **error)
{
    g_autoptr(Autodestroy) autodestroy = autodestroy_new(call, vm, error);
    if (!autodestroy)
        return FALSE;
    how->owner = autodestroy_ref(autodestroy);
    how->owner_release = autodestroy_release;
    gboolean ok = run_start(vm, how, error);
    if (g_atomic_int_get(&autodestroy->gone)) /* before the run knew whose it is */
        run_owner_gone(vm, autodestroy);
    return ok;
}

gboolean ops_start(Call *call, Vm *vm, RunStart *how, guint flags, GError **error)
{
    how->paused = (flags & VIR_DOMAIN_START_PAUSED) != 0;
    how->reset_nvram = (flags & VIR_DOMAIN_START_RESET_NVRAM) != 0;
    return flags & VIR_DOMAIN_START_AUTODESTROY ? start_owned(call, vm, how, error) : run_start(vm, how, error);
}

typedef struct {
    Call *call;
    guint flags;
} Restore;

static gboolean start_saved(Vm *vm, RunStart *how, gpointer data, GError **error)
{
    const Restore *restore = data;
    how->paused_anyway = how->restore_fd >= 0 && (restore->flags & VIR_DOMAIN_START_PAUSED) != 0;
    return ops_start(restore->call, vm, how, restore->flags | (how->paused ? VIR_DOMAIN_START_PAUSED : 0), error);
}

/* A domain with a managed save goes on where it was. */
static gboolean restore(Call *call, Vm *vm, guint flags, GError **error)
{
    Restore what = {call, flags};
    return managed_save_start(vm, flags & VIR_DOMAIN_START_BYPASS_CACHE, start_saved, &what, error);
}

static gboolean start(Call *call, guint flags, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    RunStart how = RUN_START_INIT;
    if (!vm_check_inactive(vm, error))
        return FALSE;
    if (view->managed_save && (flags & VIR_DOMAIN_START_FORCE_BOOT) && !managed_save_remove(vm, error))
        return FALSE;
    if (view->managed_save && !(flags & VIR_DOMAIN_START_FORCE_BOOT))
        return restore(call, vm, flags, error);
    return ops_start(call, vm, &how, flags, error);
}

gboolean remote_domain_create(Call *call, const RemoteDomainCreateArgs *args, GError **error)
{
    return start(call, 0, error);
}

gboolean remote_domain_create_with_flags(Call *call, const RemoteDomainCreateWithFlagsArgs *args,
                                         RemoteDomainCreateWithFlagsRet *ret, GError **error)
{
    return start(call, args->flags, error) && ops_reply_domain(call->vm, &ret->dom);
}
