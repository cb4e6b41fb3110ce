/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/storage/pool-run.h"

#include "daemon/storage/pool-event.h"
#include "daemon/storage/pool-store.h"
#include "lib/log.h"

static void change_content(PoolView *view, gpointer data)
{
    Content *content = data;
    StoragePool *def = storage_pool_copy(view->def);
    def->capacity = content->capacity;
    def->allocation = content->allocation;
    def->available = content->available;
    if (def->target && content->permissions) {
        StoragePermissions *old = def->target->permissions;
        if (old && old->label)
            content->permissions->label = g_strdup(old->label);
        storage_permissions_free(old);
        def->target->permissions = g_steal_pointer(&content->permissions);
    }
    storage_pool_unref(view->def);
    view->def = def;
    g_ptr_array_unref(view->volumes);
    view->volumes = content->volumes;
    view->active = TRUE;
}

/* It is active from then on, and has what it has. */
static gboolean look(VolumePool *pool, const Backend *backend, GError **error)
{
    Content content = {0};
    g_autoptr(PoolView) view = pool_view(pool);
    if (!backend->refresh(view->def, &content, error))
        return FALSE;
    pool_publish(pool, change_content, &content);
    g_clear_pointer(&content.permissions, storage_permissions_free);
    return TRUE;
}

static void change_ended(PoolView *view, gpointer data)
{
    view->active = FALSE;
    g_ptr_array_unref(view->volumes);
    view->volumes = g_ptr_array_new_with_free_func((GDestroyNotify)storage_volume_unref);
    if (!view->next)
        return;
    storage_pool_unref(view->def);
    view->def = g_steal_pointer(&view->next);
}

static void end(VolumePool *pool)
{
    g_autoptr(PoolView) view = pool_view(pool);
    pool_publish(pool, change_ended, NULL);
    pool_event_lifecycle(pool, VIR_STORAGE_POOL_EVENT_STOPPED);
    if (!view->persistent)
        pools_hide(pool);
}

static gboolean build_first(const Backend *backend, const StoragePool *def, guint flags, GError **error)
{
    guint how = flags & VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE      ? VIR_STORAGE_POOL_BUILD_OVERWRITE
                : flags & VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE ? VIR_STORAGE_POOL_BUILD_NO_OVERWRITE
                                                                          : VIR_STORAGE_POOL_BUILD_NEW;
    if (!(flags & (VIR_STORAGE_POOL_CREATE_WITH_BUILD | VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE |
                   VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE)))
        return TRUE;
    return !backend->build || backend->build(def, how, error);
}

gboolean pool_run_start(VolumePool *pool, guint flags, GError **error)
{
    g_autoptr(PoolView) view = pool_view(pool);
    const Backend *backend = backend_for(view->def->type, error);
    if (!backend || !build_first(backend, view->def, flags, error) ||
        (backend->start && !backend->start(view->def, error)))
        return FALSE;
    if (look(pool, backend, error) && pool_store_save_run(view->def, error)) {
        pool_event_lifecycle(pool, VIR_STORAGE_POOL_EVENT_STARTED);
        return TRUE;
    }
    if (backend->stop)
        backend->stop(view->def, NULL);
    pool_publish(pool, change_ended, NULL);
    return FALSE;
}

gboolean pool_run_stop(VolumePool *pool, GError **error)
{
    g_autoptr(PoolView) view = pool_view(pool);
    const Backend *backend = backend_for(view->def->type, error);
    if (!backend || !pool_check_idle(pool, error) || !pool_store_remove_run(pool, error))
        return FALSE;
    if (backend->stop && !backend->stop(view->def, error)) {
        pool_store_save_run(view->def, NULL);
        return FALSE;
    }
    end(pool);
    return TRUE;
}

gboolean pool_run_refresh(VolumePool *pool, GError **error)
{
    g_autoptr(PoolView) view = pool_view(pool);
    const Backend *backend = backend_for(view->def->type, error);
    if (!backend || !pool_check_idle(pool, error))
        return FALSE;
    if (look(pool, backend, error)) {
        pool_event_refresh(pool);
        return TRUE;
    }
    pool_store_remove_run(pool, NULL);
    if (backend->stop)
        backend->stop(view->def, NULL);
    end(pool);
    return FALSE;
}

static void change_sizes(PoolView *view, gpointer data)
{
    gint64 allocated = *(const gint64 *)data;
    StoragePool *def = storage_pool_copy(view->def);
    allocated = CLAMP(allocated, -(gint64)def->allocation, (gint64)def->available);
    def->allocation += (guint64)allocated;
    def->available -= (guint64)allocated;
    storage_pool_unref(view->def);
    view->def = def;
}

void pool_run_account(VolumePool *pool, gint64 allocated)
{
    pool_publish(pool, change_sizes, &allocated);
}

gboolean pool_run_resume(VolumePool *pool, GError **error)
{
    g_autoptr(PoolView) view = pool_view(pool);
    const Backend *backend = backend_for(view->def->type, error);
    gboolean active = TRUE;
    return backend && (!backend->check || backend->check(view->def, &active, error)) && active &&
           look(pool, backend, error);
}
