/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A queue is a list of items and a flag "somebody is on it". Who adds an item to a queue that nobody is on asks for a
 * thread; that thread runs items until the list is empty, clears the flag in the same critical section, and leaves. So
 * there is at most one thread on a queue without any lock being held while an item runs, and a queue needs no thread of
 * its own. A reference held by the thread keeps the queue alive: its owner may drop it with items waiting.
 *
 * The pools differ only in their limits. Threads on queues may be as many as there are busy domains; "work" is what any
 * client may ask for at any rate, so it gets few; "control" (destroy, abort, and calls that wait for a queue) must start
 * at once however many wait, so it gets many, and has threads of its own.
 */
#include "daemon/core/queue.h"

#include "daemon/core/threads.h"
#include "lib/error.h"
#include "lib/log.h"

#define QUEUE_THREADS_MAX 16384
#define WORK_THREADS_MAX 32
#define WORK_WAITING_MAX 16384
#define CONTROL_THREADS_MAX 2048
#define CONTROL_WAITING_MAX 16384

typedef struct {
    QueueFunc fn;
    gpointer data;
} Item;

struct Queue {
    gatomicrefcount refs;
    GMutex lock;
    GQueue front; /* before everything in `items` */
    GQueue items;
    gboolean busy; /* a thread is on it, or will be */
};

typedef struct {
    Threads *queues;
    Threads *work;
    Threads *control;
} Pools;

static const Pools *pools(void)
{
    static Pools all;
    static gsize done;
    if (g_once_init_enter(&done)) {
        all.queues = threads_new("queue", QUEUE_THREADS_MAX, QUEUE_THREADS_MAX);
        all.work = threads_new("work", WORK_THREADS_MAX, WORK_WAITING_MAX);
        all.control = threads_new("control", CONTROL_THREADS_MAX, CONTROL_WAITING_MAX);
        g_once_init_leave(&done, 1);
    }
    return &all;
}

Queue *queue_new(void)
{
    Queue *queue = g_new0(Queue, 1);
    g_atomic_ref_count_init(&queue->refs);
    g_mutex_init(&queue->lock);
    g_queue_init(&queue->front);
    g_queue_init(&queue->items);
    return queue;
}

Queue *queue_ref(Queue *queue)
{
    g_atomic_ref_count_inc(&queue->refs);
    return queue;
}

void queue_unref(Queue *queue)
{
    if (!queue || !g_atomic_ref_count_dec(&queue->refs))
        return;
    g_mutex_clear(&queue->lock);
    g_free(queue);
}

/* NULL: nothing left, and nobody is on the queue any more. */
static Item *take(Queue *queue)
{
    g_mutex_lock(&queue->lock);
    Item *item = g_queue_pop_head(&queue->front);
    if (!item)
        item = g_queue_pop_head(&queue->items);
    if (!item)
        queue->busy = FALSE;
    g_mutex_unlock(&queue->lock);
    return item;
}

static void run_items(gpointer data)
{
    g_autoptr(Queue) queue = data;
    Item *item;
    while ((item = take(queue))) {
        item->fn(item->data);
        g_free(item);
    }
}

static gboolean full(GError **error)
{
    return error_set(error, VIR_FROM_NONE, VIR_ERR_RESOURCE_BUSY, "too many operations wait for this object");
}

static gboolean no_thread(GError **error)
{
    return error_set(error, VIR_FROM_NONE, VIR_ERR_RESOURCE_BUSY, "no thread is left for this operation");
}

/* Locked. Sees to it that somebody comes. */
static gboolean engage(Queue *queue)
{
    if (queue->busy)
        return TRUE;
    queue->busy = threads_push(pools()->queues, run_items, queue_ref(queue));
    if (!queue->busy)
        queue_unref(queue);
    return queue->busy;
}

static void add(GQueue *list, QueueFunc fn, gpointer data)
{
    Item *item = g_new(Item, 1);
    *item = (Item){fn, data};
    g_queue_push_tail(list, item);
}

gboolean queue_push(Queue *queue, QueueFunc fn, gpointer data, GError **error)
{
    g_mutex_lock(&queue->lock);
    gboolean room = queue->items.length < QUEUE_MAX;
    gboolean ok = room && engage(queue);
    if (ok)
        add(&queue->items, fn, data);
    g_mutex_unlock(&queue->lock);
    return ok || (room ? no_thread(error) : full(error));
}

/* Cannot fail: without a thread the item waits for the next one who comes. */
void queue_push_front(Queue *queue, QueueFunc fn, gpointer data)
{
    g_mutex_lock(&queue->lock);
    engage(queue);
    add(&queue->front, fn, data);
    g_mutex_unlock(&queue->lock);
}

typedef struct {
    QueueFunc fn;
    gpointer data;
    LogContext context; /* who waits is whom it is for */
    GMutex lock;
    GCond cond;
    gboolean done;
} Wait;

static void run_waited(gpointer data)
{
    Wait *wait = data;
    log_context_enter(&wait->context);
    wait->fn(wait->data);
    log_context_leave(&wait->context);
    g_mutex_lock(&wait->lock);
    wait->done = TRUE;
    g_cond_signal(&wait->cond);
    g_mutex_unlock(&wait->lock);
}

gboolean queue_run(Queue *queue, QueueFunc fn, gpointer data, GError **error)
{
    Wait wait = {.fn = fn, .data = data, .context = log_context_get()};
    g_mutex_init(&wait.lock);
    g_cond_init(&wait.cond);
    gboolean ok = queue_push(queue, run_waited, &wait, error);
    g_mutex_lock(&wait.lock);
    while (ok && !wait.done)
        g_cond_wait(&wait.cond, &wait.lock);
    g_mutex_unlock(&wait.lock);
    g_mutex_clear(&wait.lock);
    g_cond_clear(&wait.cond);
    return ok;
}

gboolean pool_push(Pool pool, QueueFunc fn, gpointer data, GError **error)
{
    Threads *threads = pool == POOL_CONTROL ? pools()->control : pools()->work;
    return threads_push(threads, fn, data) || no_thread(error);
}

/* Items of one push to another, so until once around finds nothing. */
void queue_drain(void)
{
    gboolean any = TRUE;
    while (any) {
        any = threads_drain(pools()->work);
        any = threads_drain(pools()->control) || any;
        any = threads_drain(pools()->queues) || any;
    }
}
