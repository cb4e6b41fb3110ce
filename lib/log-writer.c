/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/log-writer.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#define WAITING_MAX (1024 * 1024) /* octets */

static const LogSink *sink;
static GMutex lock;
static GCond changed;
static GQueue waiting; /* of char ** */
static gsize octets;   /* in `waiting` */
static guint lost;     /* since that was last told */
static gboolean writing; /* one more */

static gsize size_of(char **record)
{
    gsize size = 0;

    for (guint i = 0; record[i]; i++)
        size += strlen(record[i]) + sizeof(char *);
    return size;
}

/* The next to be written. That some were left out is told when the room there was has been written. */
static char **take(void)
{
    char **record;
    guint n;

    g_mutex_lock(&lock);
    writing = FALSE;
    g_cond_broadcast(&changed);
    while (g_queue_is_empty(&waiting) && lost == 0)
        g_cond_wait(&changed, &lock);
    writing = TRUE;
    record = g_queue_pop_head(&waiting);
    n = record ? 0 : lost;
    if (record)
        octets -= size_of(record);
    else
        lost = 0;
    g_mutex_unlock(&lock);
    return record ? record : sink->lost(n);
}

static gpointer run(gpointer data)
{
    for (;;) {
        g_auto(GStrv) record = take();
        sink->write(record);
    }
    return NULL;
}

/* The thread takes no signals: they are for who waits for them. */
gboolean log_writer_start(const LogSink *to)
{
    g_autoptr(GThread) thread = NULL;
    sigset_t all, before;

    sink = to;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = g_thread_try_new("log", run, NULL, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return thread != NULL;
}

void log_writer_push(char **record)
{
    gsize size = size_of(record);
    gboolean fits;

    g_mutex_lock(&lock);
    fits = lost == 0 && octets + size <= WAITING_MAX; /* after the first that is lost, until that is told, all are */
    if (fits) {
        g_queue_push_tail(&waiting, record);
        octets += size;
    } else {
        lost++;
    }
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
    if (!fits)
        g_strfreev(record);
}

void log_writer_flush(gint64 usec)
{
    gint64 deadline = g_get_monotonic_time() + usec;
    gboolean in_time = TRUE;

    g_mutex_lock(&lock);
    while (in_time && (writing || lost > 0 || !g_queue_is_empty(&waiting)))
        in_time = g_cond_wait_until(&changed, &lock, deadline);
    g_mutex_unlock(&lock);
}
