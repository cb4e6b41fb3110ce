/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/threads.h"

#include <malloc.h>
#include <pthread.h>

#define STACK_SIZE (512 * 1024)
#define IDLE_USEC (5 * G_USEC_PER_SEC)

typedef struct {
    ThreadsFunc fn;
    gpointer data;
} Task;

struct Threads {
    const char *name;
    guint max;
    guint waiting_max;
    GMutex lock;
    GCond work;  /* a task came, or draining began */
    GCond ended; /* a thread ended */
    GQueue tasks;
    guint running;
    guint idle;
    guint draining;
};

Threads *threads_new(const char *name, guint max, guint waiting_max)
{
    Threads *threads = g_new0(Threads, 1);
    threads->name = name;
    threads->max = max;
    threads->waiting_max = waiting_max;
    g_mutex_init(&threads->lock);
    g_cond_init(&threads->work);
    g_cond_init(&threads->ended);
    g_queue_init(&threads->tasks);
    return threads;
}

/* Locked. NULL: the thread's time is over. */
static Task *next_task(Threads *threads)
{
    gint64 end = g_get_monotonic_time() + IDLE_USEC;
    threads->idle++;
    while (!threads->tasks.length && !threads->draining && g_cond_wait_until(&threads->work, &threads->lock, end))
        continue;
    threads->idle--;
    return g_queue_pop_head(&threads->tasks);
}

static gpointer thread_main(gpointer data)
{
    Threads *threads = data;
    pthread_setname_np(pthread_self(), threads->name);
    g_mutex_lock(&threads->lock);
    Task *task;
    while ((task = next_task(threads))) {
        g_mutex_unlock(&threads->lock);
        task->fn(task->data);
        g_free(task);
        g_mutex_lock(&threads->lock);
    }
    g_mutex_unlock(&threads->lock);
    malloc_trim(0);
    g_mutex_lock(&threads->lock);
    threads->running--;
    g_cond_broadcast(&threads->ended);
    g_mutex_unlock(&threads->lock);
    return NULL;
}

static gboolean spawn(Threads *threads)
{
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    gboolean ok = pthread_create(&thread, &attr, thread_main, threads) == 0;
    pthread_attr_destroy(&attr);
    if (ok)
        threads->running++;
    return ok;
}

/* A thread that cannot be made is no failure while another one lives, which will come to the task. */
static gboolean push_locked(Threads *threads, ThreadsFunc fn, gpointer data)
{
    if (threads->tasks.length >= threads->waiting_max)
        return FALSE;
    if (threads->tasks.length >= threads->idle && threads->running < threads->max)
        if (!spawn(threads) && !threads->running)
            return FALSE;
    Task *task = g_new(Task, 1);
    *task = (Task){fn, data};
    g_queue_push_tail(&threads->tasks, task);
    g_cond_signal(&threads->work);
    return TRUE;
}

gboolean threads_push(Threads *threads, ThreadsFunc fn, gpointer data)
{
    g_mutex_lock(&threads->lock);
    gboolean ok = push_locked(threads, fn, data);
    g_mutex_unlock(&threads->lock);
    return ok;
}

gboolean threads_drain(Threads *threads)
{
    g_mutex_lock(&threads->lock);
    gboolean any = threads->running > 0;
    threads->draining++;
    g_cond_broadcast(&threads->work);
    while (threads->running)
        g_cond_wait(&threads->ended, &threads->lock);
    threads->draining--;
    g_mutex_unlock(&threads->lock);
    return any;
}
