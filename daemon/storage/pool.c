/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/storage/pool.h"

#include <string.h>

#include "lib/uuid.h"

#define SETTLE (5 * G_USEC_PER_SEC)

static GPtrArray *no_volumes(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)storage_volume_unref);
}

VolumePool *pool_new(StoragePool *def)
{
    VolumePool *pool = g_new0(VolumePool, 1);
    g_atomic_ref_count_init(&pool->refs);
    memcpy(pool->uuid, def->uuid.bytes, sizeof pool->uuid);
    uuid_format(pool->uuid, pool->uuid_text);
    g_mutex_init(&pool->turn);
    g_mutex_init(&pool->lock);
    g_cond_init(&pool->changed);
    pool->used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    pool->view = g_new0(PoolView, 1);
    g_atomic_ref_count_init(&pool->view->refs);
    pool->view->def = def;
    pool->view->volumes = no_volumes();
    return pool;
}

VolumePool *pool_ref(VolumePool *pool)
{
    g_atomic_ref_count_inc(&pool->refs);
    return pool;
}

void pool_unref(VolumePool *pool)
{
    if (!pool || !g_atomic_ref_count_dec(&pool->refs))
        return;
    pool_view_unref(pool->view);
    g_hash_table_unref(pool->used);
    g_mutex_clear(&pool->turn);
    g_mutex_clear(&pool->lock);
    g_cond_clear(&pool->changed);
    g_free(pool);
}

PoolView *pool_view_ref(PoolView *view)
{
    g_atomic_ref_count_inc(&view->refs);
    return view;
}

void pool_view_unref(PoolView *view)
{
    if (!view || !g_atomic_ref_count_dec(&view->refs))
        return;
    storage_pool_unref(view->def);
    storage_pool_unref(view->next);
    g_ptr_array_unref(view->volumes);
    g_free(view);
}

PoolView *pool_view(VolumePool *pool)
{
    g_mutex_lock(&pool->lock);
    PoolView *view = pool_view_ref(pool->view);
    g_mutex_unlock(&pool->lock);
    return view;
}

static PoolView *copy_view(const PoolView *old)
{
    PoolView *view = g_memdup2(old, sizeof *old);
    g_atomic_ref_count_init(&view->refs);
    storage_pool_ref(view->def);
    if (view->next)
        storage_pool_ref(view->next);
    g_ptr_array_ref(view->volumes);
    return view;
}

void pool_publish(VolumePool *pool, PoolChange change, gpointer data)
{
    g_mutex_lock(&pool->lock);
    PoolView *old = pool->view;
    pool->view = copy_view(old);
    change(pool->view, data);
    g_mutex_unlock(&pool->lock);
    pool_view_unref(old);
}

gboolean pool_enter(VolumePool *pool, GError **error)
{
    g_mutex_lock(&pool->turn);
    g_mutex_lock(&pool->lock);
    gboolean listed = pool->listed;
    g_mutex_unlock(&pool->lock);
    if (listed)
        return TRUE;
    g_mutex_unlock(&pool->turn);
    g_autoptr(PoolView) view = pool_view(pool);
    return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching uuid '%s' (%s)",
                     pool->uuid_text, view->def->name);
}

void pool_leave(VolumePool *pool)
{
    g_mutex_unlock(&pool->turn);
}

gboolean pool_check_active(const PoolView *view, GError **error)
{
    return view->active || error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID,
                                     "storage pool '%s' is not active", view->def->name);
}

gboolean pool_check_idle(VolumePool *pool, GError **error)
{
    g_mutex_lock(&pool->lock);
    gboolean idle = g_hash_table_size(pool->used) == 0;
    g_mutex_unlock(&pool->lock);
    g_autoptr(PoolView) view = pool_view(pool);
    return idle || error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR,
                             "pool '%s' has asynchronous jobs running.", view->def->name);
}

StorageVolume *pool_find_volume(const PoolView *view, const char *name)
{
    guint low = 0, high = view->volumes->len;
    while (low < high) {
        guint middle = (low + high) / 2;
        StorageVolume *volume = view->volumes->pdata[middle];
        int order = strcmp(name, volume->name);
        if (order == 0)
            return volume;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static int compare_volumes(gconstpointer a, gconstpointer b)
{
    const StorageVolume *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static GPtrArray *volumes_without(const PoolView *view, const char *name)
{
    GPtrArray *volumes = no_volumes();
    for (guint i = 0; i < view->volumes->len; i++) {
        StorageVolume *volume = view->volumes->pdata[i];
        if (!g_str_equal(volume->name, name))
            g_ptr_array_add(volumes, storage_volume_ref(volume));
    }
    return volumes;
}

static void change_put(PoolView *view, gpointer data)
{
    StorageVolume *volume = data;
    GPtrArray *volumes = volumes_without(view, volume->name);
    g_ptr_array_add(volumes, volume);
    g_ptr_array_sort(volumes, compare_volumes);
    g_ptr_array_unref(view->volumes);
    view->volumes = volumes;
}

static void change_drop(PoolView *view, gpointer data)
{
    GPtrArray *volumes = volumes_without(view, data);
    g_ptr_array_unref(view->volumes);
    view->volumes = volumes;
}

void pool_put_volume(VolumePool *pool, StorageVolume *volume)
{
    pool_publish(pool, change_put, volume);
}

void pool_drop_volume(VolumePool *pool, const char *name)
{
    pool_publish(pool, change_drop, (gpointer)name);
}

typedef struct {
    const char *what; /* NULL: shared */
    guint holders;
    guint ending; /* of them: nothing more comes */
} Use;

/* Locked. */
static Use *use_of(VolumePool *pool, const char *name)
{
    Use *use = g_hash_table_lookup(pool->used, name);
    if (!use) {
        use = g_new0(Use, 1);
        g_hash_table_insert(pool->used, g_strdup(name), use);
    }
    return use;
}

static gboolean take_use(VolumePool *pool, const char *name, const char *what, GError **error)
{
    pool_settle(pool, name);
    g_mutex_lock(&pool->lock);
    const Use *old = g_hash_table_lookup(pool->used, name);
    gboolean ok = !old || (!old->what && !what);
    const char *busy = old && old->what ? old->what : "in use";
    if (ok) {
        Use *use = use_of(pool, name);
        use->what = what;
        use->holders++;
    }
    g_mutex_unlock(&pool->lock);
    return ok || error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID, "volume '%s' is still %s.", name, busy);
}

gboolean pool_use(VolumePool *pool, const char *name, const char *what, GError **error)
{
    return take_use(pool, name, what, error);
}

gboolean pool_use_shared(VolumePool *pool, const char *name, GError **error)
{
    return take_use(pool, name, NULL, error);
}

void pool_unuse(VolumePool *pool, const char *name)
{
    g_mutex_lock(&pool->lock);
    Use *use = g_hash_table_lookup(pool->used, name);
    if (use) {
        use->holders--;
        use->ending -= use->ending > 0;
        if (use->holders == 0)
            g_hash_table_remove(pool->used, name);
    }
    g_cond_broadcast(&pool->changed);
    g_mutex_unlock(&pool->lock);
}

void pool_use_ending(VolumePool *pool, const char *name)
{
    g_mutex_lock(&pool->lock);
    Use *use = g_hash_table_lookup(pool->used, name);
    if (use)
        use->ending++;
    g_mutex_unlock(&pool->lock);
}

static gboolean is_ending(VolumePool *pool, const char *name)
{
    const Use *use = g_hash_table_lookup(pool->used, name);
    return use && use->ending > 0;
}

void pool_settle(VolumePool *pool, const char *name)
{
    gint64 deadline = g_get_monotonic_time() + SETTLE;
    g_mutex_lock(&pool->lock);
    while (is_ending(pool, name) && g_cond_wait_until(&pool->changed, &pool->lock, deadline))
        continue;
    g_mutex_unlock(&pool->lock);
}
