/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A serial queue: one item at a time, in the order of arrival, each on a thread. A queue with work holds one thread of
 * an unbounded pool, an idle one holds none; so a queue that waits takes nothing from the others.
 */
#include <glib.h>

#define QUEUE_MAX 1024 /* waiting items of one queue */

typedef struct Queue Queue;
typedef void (*QueueFunc)(gpointer data);

Queue *queue_new(void);
Queue *queue_ref(Queue *queue);
void queue_unref(Queue *queue); /* NULL is allowed; waiting items still run */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Queue, queue_unref)

/* FN(DATA) when its turn comes. FALSE with VIR_ERR_RESOURCE_BUSY when QUEUE_MAX items wait (FN will not run). Any thread. */
gboolean queue_push(Queue *queue, QueueFunc fn, gpointer data, GError **error);

/* Before everything that waits, and without a limit: for the end of a domain. Any thread. */
void queue_push_front(Queue *queue, QueueFunc fn, gpointer data);

/* Runs FN(DATA) in its turn and waits for it. Not from an item of the same queue. */
gboolean queue_run(Queue *queue, QueueFunc fn, gpointer data, GError **error);

/* Work without an object: FN(DATA) on a pool thread, at once. POOL_CONTROL is never starved by POOL_WORK. */
typedef enum { POOL_WORK, POOL_CONTROL } Pool;
gboolean pool_push(Pool pool, QueueFunc fn, gpointer data, GError **error);

/* Waits until every queue and pool is empty; then threads are gone. At the end of the process. */
void queue_drain(void);
