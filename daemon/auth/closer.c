/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A thread while there is something to close, none else. Not one of core/queue.h: the daemon waits for those when it
 * stops, and a descriptor that never closes is no reason to wait.
 *
 * Not taking descriptors at all was ruled out: whoever receives a message, or closes a connection with messages in it,
 * closes what they carry.
 */
#include "daemon/auth/closer.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct Closer {
    gatomicrefcount refs;
    GMutex lock;
    GArray *fds;    /* of int, that wait */
    guint closing;  /* that the thread has taken */
    gboolean busy;  /* there is a thread */
};

Closer *closer_new(void)
{
    Closer *closer = g_new0(Closer, 1);

    g_atomic_ref_count_init(&closer->refs);
    g_mutex_init(&closer->lock);
    closer->fds = g_array_new(FALSE, FALSE, sizeof(int));
    return closer;
}

void closer_unref(Closer *closer)
{
    if (!closer || !g_atomic_ref_count_dec(&closer->refs))
        return;
    for (guint i = 0; i < closer->fds->len; i++) /* only where there never was a thread */
        close(g_array_index(closer->fds, int, i));
    g_array_unref(closer->fds);
    g_mutex_clear(&closer->lock);
    g_free(closer);
}

/* -1: nothing waits, and the thread is not there any more. */
static int take(Closer *closer)
{
    int fd = -1;

    g_mutex_lock(&closer->lock);
    closer->busy = closer->fds->len > 0;
    closer->closing = closer->busy;
    if (closer->busy) {
        fd = g_array_index(closer->fds, int, 0);
        g_array_remove_index(closer->fds, 0);
    }
    g_mutex_unlock(&closer->lock);
    return fd;
}

static gpointer run(gpointer data)
{
    g_autoptr(Closer) closer = data;
    int fd;

    while ((fd = take(closer)) >= 0)
        close(fd);
    return NULL;
}

/* Locked. Without a thread what waits stays until the next comes. */
static void engage(Closer *closer)
{
    g_autoptr(GThread) thread = NULL;

    if (closer->busy)
        return;
    g_atomic_ref_count_inc(&closer->refs);
    thread = g_thread_try_new("closer", run, closer, NULL);
    closer->busy = thread != NULL;
    if (!thread)
        g_atomic_ref_count_dec(&closer->refs); /* the caller has one */
}

void closer_close(Closer *closer, int fd)
{
    g_mutex_lock(&closer->lock);
    g_array_append_val(closer->fds, fd);
    engage(closer);
    g_mutex_unlock(&closer->lock);
}

void closer_close_connection(Closer *closer, int fd)
{
    int unread = 0;

    shutdown(fd, SHUT_RDWR); /* nothing arrives after the look */
    if (ioctl(fd, FIONREAD, &unread) == 0 && unread == 0)
        close(fd);
    else
        closer_close(closer, fd);
}

guint closer_waiting(Closer *closer)
{
    guint n;

    g_mutex_lock(&closer->lock);
    n = closer->fds->len + closer->closing;
    g_mutex_unlock(&closer->lock);
    return n;
}
