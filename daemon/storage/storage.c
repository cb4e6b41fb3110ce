/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/storage/storage.h"

#include "daemon/core/queue.h"
#include "daemon/storage/pool-run.h"
#include "daemon/storage/pool-store.h"
#include "lib/log.h"

#define RESUME (2 * G_USEC_PER_SEC) /* how long storage_open() waits for pools that are looked at */

typedef struct {
    gatomicrefcount refs;
    GMutex lock;
    GCond cond;
    guint left;
} Resumes;

typedef struct {
    VolumePool *pool;
    Resumes *resumes; /* NULL: it starts with the host */
} Task;

static GPtrArray *active; /* of VolumePool: what had a record; while storage_open() runs */

static void change_found(PoolView *view, gpointer data)
{
    view->persistent = TRUE;
    view->autostart = GPOINTER_TO_INT(data);
}

static void add_definition(StoragePool *def, gboolean autostart)
{
    g_autoptr(GError) error = NULL;
    VolumePool *pool = pools_claim(def, FALSE, &error);
    if (!pool) {
        log_line(LOG_ERR, "storage pool '%s': %s", def->name, error->message);
        return;
    }
    pool_publish(pool, change_found, GINT_TO_POINTER(autostart));
    pools_show(pool);
    pools_release(pool);
}

/* The live definition may differ from the one that counts next. */
static void change_live(PoolView *view, gpointer data)
{
    if (view->persistent)
        view->next = g_steal_pointer(&view->def);
    storage_pool_unref(view->def);
    view->def = storage_pool_ref(data);
    if (view->next && storage_pool_equal(view->next, view->def))
        g_clear_pointer(&view->next, storage_pool_unref);
}

static void add_run(StoragePool *def, gboolean autostart)
{
    g_autoptr(GError) error = NULL;
    VolumePool *pool = pools_claim(def, FALSE, &error);
    if (!pool) {
        log_line(LOG_ERR, "active storage pool '%s': %s", def->name, error->message);
        return;
    }
    pool_publish(pool, change_live, def);
    pools_show(pool);
    g_ptr_array_add(active, pool_ref(pool));
    pools_release(pool);
}

static void resumes_unref(Resumes *resumes)
{
    if (!g_atomic_ref_count_dec(&resumes->refs))
        return;
    g_mutex_clear(&resumes->lock);
    g_cond_clear(&resumes->cond);
    g_free(resumes);
}

static void change_down(PoolView *view, gpointer data)
{
    if (!view->next)
        return;
    storage_pool_unref(view->def);
    view->def = g_steal_pointer(&view->next);
}

/* A pool whose storage does not answer now is inactive, and its record stays: its administrator starts it again. */
static void resume(VolumePool *pool)
{
    g_autoptr(GError) error = NULL;
    if (!pool_enter(pool, NULL))
        return;
    if (!pool_run_resume(pool, &error)) {
        g_autoptr(PoolView) view = pool_view(pool);
        log_line(LOG_ERR, "storage pool '%s' was active and is not any more: %s", view->def->name,
                 error ? error->message : "its storage is gone");
        pool_store_remove_run(pool, NULL);
        pool_publish(pool, change_down, NULL);
        if (!view->persistent)
            pools_hide(pool);
    }
    pool_leave(pool);
}

static void start(VolumePool *pool)
{
    g_autoptr(GError) error = NULL;
    if (!pool_enter(pool, NULL))
        return;
    g_autoptr(PoolView) view = pool_view(pool);
    if (!view->active && !pool_run_start(pool, 0, &error))
        log_line(LOG_ERR, "storage pool '%s' does not start with the host: %s", view->def->name, error->message);
    pool_leave(pool);
}

static void run_task(gpointer data)
{
    g_autofree Task *task = data;
    (task->resumes ? resume : start)(task->pool);
    pool_unref(task->pool);
    if (!task->resumes)
        return;
    g_mutex_lock(&task->resumes->lock);
    task->resumes->left--;
    g_cond_signal(&task->resumes->cond);
    g_mutex_unlock(&task->resumes->lock);
    resumes_unref(task->resumes);
}

static void push(VolumePool *pool, Resumes *resumes)
{
    Task *task = g_new(Task, 1);
    *task = (Task){pool_ref(pool), resumes};
    if (resumes) {
        g_atomic_ref_count_inc(&resumes->refs);
        g_mutex_lock(&resumes->lock);
        resumes->left++;
        g_mutex_unlock(&resumes->lock);
    }
    if (!pool_push(POOL_CONTROL, run_task, task, NULL))
        run_task(task);
}

static void resume_all(void)
{
    Resumes *resumes = g_new0(Resumes, 1);
    gint64 deadline = g_get_monotonic_time() + RESUME;
    g_atomic_ref_count_init(&resumes->refs);
    g_mutex_init(&resumes->lock);
    g_cond_init(&resumes->cond);
    for (guint i = 0; i < active->len; i++)
        push(active->pdata[i], resumes);
    g_mutex_lock(&resumes->lock);
    while (resumes->left > 0 && g_cond_wait_until(&resumes->cond, &resumes->lock, deadline))
        continue;
    g_mutex_unlock(&resumes->lock);
    resumes_unref(resumes);
}

gboolean storage_open(const DriverPaths *paths, GError **error)
{
    if (!pool_store_open(paths, error))
        return FALSE;
    active = g_ptr_array_new_with_free_func((GDestroyNotify)pool_unref);
    pool_store_load(add_definition, add_run);
    resume_all();
    g_clear_pointer(&active, g_ptr_array_unref);
    return TRUE;
}

void storage_start(void)
{
    g_autoptr(GPtrArray) all = pools_all();
    for (guint i = 0; i < all->len; i++) {
        g_autoptr(PoolView) view = pool_view(all->pdata[i]);
        if (view->autostart && !view->active)
            push(all->pdata[i], NULL);
    }
}
