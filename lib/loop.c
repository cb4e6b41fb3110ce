/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mutex, an array and an eventfd in front of sd-event. The eventfd is written only when the array was empty, so a
 * burst of posts costs one system call; the array is swapped out whole, so a posted function may post again without
 * being run in the same turn, and no function runs under the lock.
 *
 * Watches have an epoll of their own, which sd-event watches in turn: one more system call a turn, but only one however
 * many are ready. Putting sd-event into ours instead was ruled out: it must be asked each turn what timers it wants.
 */
#include "lib/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/error.h"

#define BATCH 64 /* watches called in a turn, before timers and posts have theirs */

typedef struct {
    LoopFunc fn;
    gpointer data;
} Post;

struct LoopWatch {
    Loop *loop;
    int fd;
    guint32 events;
    LoopWatchFunc fn;
    gpointer data;
};

struct Loop {
    char *name;
    sd_event *event;
    sd_event_source *wake; /* reads wake_fd */
    int wake_fd;

    sd_event_source *watches; /* reads watch_fd */
    int watch_fd;
    struct epoll_event batch[BATCH]; /* being called; a watch that is freed meanwhile becomes NULL */
    int n_batch;
    GThread *thread; /* NULL when run by loop_run() */
    gint running;    /* atomic */

    GMutex lock;
    GArray *posts; /* of Post */
};

typedef struct {
    LoopFunc fn;
    gpointer data;
    GMutex lock;
    GCond cond;
    gboolean done;
} Waited;

static __thread Loop *current;

static gboolean run_posts(Loop *loop)
{
    g_autoptr(GArray) posts = NULL;

    g_mutex_lock(&loop->lock);
    if (loop->posts->len > 0) {
        posts = loop->posts;
        loop->posts = g_array_new(FALSE, FALSE, sizeof(Post));
    }
    g_mutex_unlock(&loop->lock);

    for (guint i = 0; posts && i < posts->len; i++) {
        Post post = g_array_index(posts, Post, i);
        post.fn(post.data);
    }
    return posts != NULL;
}

static int on_wake(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    guint64 count;

    if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
        return -errno;
    run_posts(userdata);
    return 0;
}

static int on_watches(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Loop *loop = userdata;

    loop->n_batch = epoll_wait(fd, loop->batch, BATCH, 0);
    for (int i = 0; i < loop->n_batch; i++) {
        const LoopWatch *watch = loop->batch[i].data.ptr;
        if (watch)
            watch->fn(loop->batch[i].events, watch->data);
    }
    loop->n_batch = 0;
    return 0;
}

static int ignore_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    return 0;
}

/* A timer that is added and removed makes sd-event open its timer descriptor now, so that loop_after() cannot fail
 * later for want of one. */
static int reserve_timer(sd_event *event)
{
    g_autoptr(sd_event_source) source = NULL;

    return sd_event_add_time(event, &source, CLOCK_MONOTONIC, UINT64_MAX, 0, ignore_timer, NULL);
}

Loop *loop_new(const char *name, GError **error)
{
    g_autoptr(Loop) loop = g_new0(Loop, 1);
    int r;

    g_mutex_init(&loop->lock);
    loop->name = g_strdup(name);
    loop->posts = g_array_new(FALSE, FALSE, sizeof(Post));
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->watch_fd = epoll_create1(EPOLL_CLOEXEC);
    r = loop->wake_fd < 0 || loop->watch_fd < 0 ? -errno : sd_event_new(&loop->event);
    if (r >= 0)
        r = sd_event_add_io(loop->event, &loop->wake, loop->wake_fd, EPOLLIN, on_wake, loop);
    if (r >= 0)
        r = sd_event_add_io(loop->event, &loop->watches, loop->watch_fd, EPOLLIN, on_watches, loop);
    if (r >= 0)
        r = reserve_timer(loop->event);
    if (r < 0) {
        error_set_errno(error, VIR_FROM_EVENT, -r, "cannot make event loop '%s'", name);
        return NULL;
    }
    return g_steal_pointer(&loop);
}

int loop_run(Loop *loop)
{
    int r;

    current = loop;
    g_atomic_int_set(&loop->running, TRUE);
    r = sd_event_loop(loop->event);
    g_atomic_int_set(&loop->running, FALSE);
    current = NULL;
    return r;
}

static gpointer run_thread(gpointer data)
{
    int r = loop_run(data);

    /* Only a broken epoll ends here: nothing on the loop would ever run again, and nobody would notice. */
    if (r < 0)
        g_error("event loop '%s': %s", ((Loop *)data)->name, g_strerror(-r));
    return NULL;
}

gboolean loop_start(Loop *loop, GError **error)
{
    g_autoptr(GError) cause = NULL;

    loop->thread = g_thread_try_new(loop->name, run_thread, loop, &cause);
    if (!loop->thread)
        return error_set(error, VIR_FROM_EVENT, VIR_ERR_SYSTEM_ERROR, "cannot start thread '%s': %s", loop->name,
                         cause->message);
    return TRUE;
}

static void quit(gpointer data)
{
    sd_event_exit(((Loop *)data)->event, 0);
}

void loop_quit(Loop *loop)
{
    loop_post(loop, quit, loop);
}

void loop_free(Loop *loop)
{
    if (!loop)
        return;
    if (loop->thread) {
        loop_quit(loop);
        g_thread_join(loop->thread);
    }
    while (run_posts(loop))
        ;
    sd_event_source_unref(loop->wake);
    sd_event_source_unref(loop->watches);
    sd_event_unref(loop->event);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    if (loop->watch_fd >= 0)
        close(loop->watch_fd);
    g_array_unref(loop->posts);
    g_mutex_clear(&loop->lock);
    g_free(loop->name);
    g_free(loop);
}

sd_event *loop_event(Loop *loop)
{
    return loop->event;
}

gboolean loop_is_current(const Loop *loop)
{
    return current == loop;
}

void loop_post(Loop *loop, LoopFunc fn, gpointer data)
{
    Post post = {fn, data};
    gboolean wake;

    g_mutex_lock(&loop->lock);
    wake = loop->posts->len == 0;
    g_array_append_val(loop->posts, post);
    g_mutex_unlock(&loop->lock);

    /* Fails only when the counter is full, and then the loop is woken anyway. */
    if (wake)
        (void)!write(loop->wake_fd, &(guint64){1}, sizeof(guint64));
}

static void run_waited(gpointer data)
{
    Waited *waited = data;

    waited->fn(waited->data);
    g_mutex_lock(&waited->lock);
    waited->done = TRUE;
    g_cond_signal(&waited->cond);
    g_mutex_unlock(&waited->lock);
}

void loop_call(Loop *loop, LoopFunc fn, gpointer data)
{
    Waited waited = {.fn = fn, .data = data};

    if (loop_is_current(loop)) {
        fn(data);
        return;
    }
    g_mutex_init(&waited.lock);
    g_cond_init(&waited.cond);
    loop_post(loop, run_waited, &waited);
    g_mutex_lock(&waited.lock);
    while (!waited.done)
        g_cond_wait(&waited.cond, &waited.lock);
    g_mutex_unlock(&waited.lock);
    g_cond_clear(&waited.cond);
    g_mutex_clear(&waited.lock);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Post post = *(Post *)userdata; /* the function may end the source, and the copy in it */

    post.fn(post.data);
    return 0;
}

sd_event_source *loop_after(Loop *loop, guint64 usec, LoopFunc fn, gpointer data)
{
    const guint64 accuracy = 1000;
    g_autoptr(sd_event_source) source = NULL;
    g_autofree Post *post = g_new(Post, 1);

    *post = (Post){fn, data};
    if (sd_event_add_time_relative(loop->event, &source, CLOCK_MONOTONIC, usec, accuracy, on_timer, post) < 0 ||
        sd_event_source_set_destroy_callback(source, g_free) < 0)
        g_error("event loop '%s': out of memory", loop->name);
    g_steal_pointer(&post);
    return g_steal_pointer(&source);
}

static int control(LoopWatch *watch, int what)
{
    /* Epoll always reports that a descriptor is hung up; by its edges that is once. */
    struct epoll_event event = {.events = watch->events ? watch->events : EPOLLET, .data.ptr = watch};

    return epoll_ctl(watch->loop->watch_fd, what, watch->fd, &event) < 0 ? -errno : 0;
}

LoopWatch *loop_watch(Loop *loop, int fd, guint32 events, LoopWatchFunc fn, gpointer data, GError **error)
{
    LoopWatch *watch = g_new(LoopWatch, 1);
    int r;

    *watch = (LoopWatch){loop, fd, events, fn, data};
    r = control(watch, EPOLL_CTL_ADD);
    if (r < 0) {
        error_set_errno(error, VIR_FROM_EVENT, -r, "cannot watch descriptor %d", fd);
        g_free(watch);
        return NULL;
    }
    return watch;
}

void loop_watch_set(LoopWatch *watch, guint32 events)
{
    if (events == watch->events)
        return;
    watch->events = events;
    control(watch, EPOLL_CTL_MOD);
}

void loop_watch_free(LoopWatch *watch)
{
    if (!watch)
        return;
    control(watch, EPOLL_CTL_DEL);
    for (int i = 0; i < watch->loop->n_batch; i++) {
        if (watch->loop->batch[i].data.ptr == watch)
            watch->loop->batch[i].data.ptr = NULL;
    }
    g_free(watch);
}
