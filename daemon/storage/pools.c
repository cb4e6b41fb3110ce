/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pools of this host. */
#include <string.h>

#include "daemon/storage/pool.h"

static GMutex lock;    /* before any pool's own lock */
static GPtrArray *all; /* by name; one reference each */

/* Locked, as what follows. */
static GPtrArray *pools(void)
{
    if (!all)
        all = g_ptr_array_new_with_free_func((GDestroyNotify)pool_unref);
    return all;
}

static gboolean is_listed(VolumePool *pool)
{
    g_mutex_lock(&pool->lock);
    gboolean listed = pool->listed;
    g_mutex_unlock(&pool->lock);
    return listed;
}

VolumePool *pools_find_uuid(const guint8 uuid[16])
{
    VolumePool *found = NULL;
    g_mutex_lock(&lock);
    for (guint i = 0; i < pools()->len && !found; i++) {
        VolumePool *pool = all->pdata[i];
        if (memcmp(pool->uuid, uuid, 16) == 0 && is_listed(pool))
            found = pool_ref(pool);
    }
    g_mutex_unlock(&lock);
    return found;
}

static gboolean is_named(VolumePool *pool, const char *name)
{
    g_autoptr(PoolView) view = pool_view(pool);
    return g_str_equal(view->def->name, name);
}

VolumePool *pools_find_name(const char *name)
{
    VolumePool *found = NULL;
    g_mutex_lock(&lock);
    for (guint i = 0; i < pools()->len && !found; i++)
        if (is_named(all->pdata[i], name) && is_listed(all->pdata[i]))
            found = pool_ref(all->pdata[i]);
    g_mutex_unlock(&lock);
    return found;
}

static int compare_pools(gconstpointer a, gconstpointer b)
{
    VolumePool *const *left = a, *const *right = b;
    g_autoptr(PoolView) one = pool_view(*left);
    g_autoptr(PoolView) other = pool_view(*right);
    return strcmp(one->def->name, other->def->name);
}

GPtrArray *pools_all(void)
{
    GPtrArray *some = g_ptr_array_new_with_free_func((GDestroyNotify)pool_unref);
    g_mutex_lock(&lock);
    for (guint i = 0; i < pools()->len; i++)
        if (is_listed(all->pdata[i]))
            g_ptr_array_add(some, pool_ref(all->pdata[i]));
    g_mutex_unlock(&lock);
    g_ptr_array_sort(some, compare_pools);
    return some;
}

/* Two pools of folders at one place would each see the other's volumes. */
static gboolean conflicts(const StoragePool *a, const StoragePool *b)
{
    const char *one = storage_pool_path(a), *other = storage_pool_path(b);
    return a->type == b->type && a->type == STORAGE_POOL_TYPE_DIR && g_strcmp0(one, other) == 0;
}

static gboolean check_conflicts(const StoragePool *def, GError **error)
{
    for (guint i = 0; i < pools()->len; i++) {
        g_autoptr(PoolView) view = pool_view(all->pdata[i]);
        if (!g_str_equal(view->def->name, def->name) && conflicts(view->def, def))
            return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED,
                             "Storage source conflict with pool: '%s'", view->def->name);
    }
    return TRUE;
}

/* FALSE with ERROR: one of the two is another's. */
static gboolean find_same(const StoragePool *def, VolumePool **ret_same, GError **error)
{
    *ret_same = NULL;
    for (guint i = 0; i < pools()->len; i++) {
        VolumePool *pool = all->pdata[i];
        g_autoptr(PoolView) view = pool_view(pool);
        gboolean uuid = memcmp(pool->uuid, def->uuid.bytes, 16) == 0, name = g_str_equal(view->def->name, def->name);
        if (uuid && !name)
            return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED,
                             "pool '%s' is already defined with uuid %s", view->def->name, pool->uuid_text);
        if (name && !uuid)
            return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED, "pool '%s' already exists with uuid %s",
                             view->def->name, pool->uuid_text);
        if (name)
            *ret_same = pool;
    }
    return TRUE;
}

static VolumePool *claim_locked(StoragePool *def, GError **error)
{
    VolumePool *same;
    if (!check_conflicts(def, error) || !find_same(def, &same, error))
        return NULL;
    if (same)
        return pool_ref(same);
    if (pools()->len >= POOLS_MAX) {
        error_set(error, VIR_FROM_STORAGE, VIR_ERR_RESOURCE_BUSY, "there are %d pools already", POOLS_MAX);
        return NULL;
    }
    VolumePool *pool = pool_new(storage_pool_ref(def));
    g_ptr_array_add(all, pool_ref(pool));
    return pool;
}

VolumePool *pools_claim(StoragePool *def, gboolean inactive, GError **error)
{
    for (;;) {
        g_mutex_lock(&lock);
        VolumePool *pool = claim_locked(def, error);
        g_mutex_unlock(&lock);
        if (!pool)
            return NULL;
        g_mutex_lock(&pool->turn);
        g_mutex_lock(&lock);
        gboolean gone = !g_ptr_array_find(pools(), pool, NULL); /* while we waited for its turn */
        g_mutex_unlock(&lock);
        g_autoptr(PoolView) view = pool_view(pool);
        if (!gone && !(inactive && view->active))
            return pool;
        g_mutex_unlock(&pool->turn);
        pool_unref(pool);
        if (!gone) {
            error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID, "pool is already active as '%s'",
                      view->def->name);
            return NULL;
        }
    }
}

void pools_release(VolumePool *pool)
{
    g_mutex_lock(&lock);
    if (!is_listed(pool))
        g_ptr_array_remove(pools(), pool);
    g_mutex_unlock(&lock);
    g_mutex_unlock(&pool->turn);
    pool_unref(pool);
}

static void set_listed(VolumePool *pool, gboolean listed)
{
    g_mutex_lock(&pool->lock);
    pool->listed = listed;
    g_mutex_unlock(&pool->lock);
}

void pools_show(VolumePool *pool)
{
    set_listed(pool, TRUE);
}

void pools_hide(VolumePool *pool)
{
    g_mutex_lock(&lock);
    set_listed(pool, FALSE);
    g_ptr_array_remove(pools(), pool);
    g_mutex_unlock(&lock);
}
