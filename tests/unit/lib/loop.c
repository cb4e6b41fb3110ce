/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/loop.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/error.h"

#define POSTS 20000
#define THREADS 4

typedef struct {
    Loop *loop;
    gint sum;
    guint order[THREADS]; /* next number expected of each thread */
    gboolean in_order, on_loop;
} Counter;

typedef struct {
    Counter *counter;
    guint thread, number;
} Item;

static Loop *started(const char *name)
{
    g_autoptr(GError) error = NULL;
    Loop *loop = loop_new(name, &error);

    g_assert_no_error(error);
    g_assert_true(loop_start(loop, &error));
    g_assert_no_error(error);
    return loop;
}

static void count(gpointer data)
{
    Item *item = data;
    Counter *counter = item->counter;

    counter->sum++;
    counter->in_order &= counter->order[item->thread]++ == item->number;
    counter->on_loop &= loop_is_current(counter->loop);
    g_free(item);
}

static gpointer post_many(gpointer data)
{
    Item *model = data;

    for (guint i = 0; i < POSTS; i++) {
        Item *item = g_new(Item, 1);
        *item = (Item){model->counter, model->thread, i};
        loop_post(model->counter->loop, count, item);
    }
    return NULL;
}

static void test_post(void)
{
    Counter counter = {.loop = started("test"), .in_order = TRUE, .on_loop = TRUE};
    GThread *threads[THREADS];
    Item items[THREADS];

    for (guint i = 0; i < THREADS; i++) {
        items[i] = (Item){&counter, i, 0};
        threads[i] = g_thread_new("poster", post_many, &items[i]);
    }
    for (guint i = 0; i < THREADS; i++)
        g_thread_join(threads[i]);
    g_assert_false(loop_is_current(counter.loop));
    loop_free(counter.loop); /* runs what is left */
    g_assert_cmpint(counter.sum, ==, POSTS * THREADS);
    g_assert_true(counter.in_order);
    g_assert_true(counter.on_loop);
}

static void set_true(gpointer data)
{
    *(gboolean *)data = TRUE;
}

typedef struct {
    Loop *loop;
    gboolean inner, after_inner;
} Nested;

static void call_inside(gpointer data)
{
    Nested *nested = data;

    loop_call(nested->loop, set_true, &nested->inner);
    nested->after_inner = nested->inner;
}

static void test_call(void)
{
    g_autoptr(Loop) loop = started("test");
    Nested nested = {.loop = loop};

    loop_call(loop, call_inside, &nested);
    g_assert_true(nested.after_inner);
}

typedef struct {
    Loop *loop;
    sd_event_source *source, *cancelled;
    guint fired, wrong;
    gint64 start, took;
} Timers;

static void fire(gpointer data)
{
    Timers *timers = data;

    timers->fired++;
    timers->took = g_get_monotonic_time() - timers->start;
    timers->source = sd_event_source_unref(timers->source);
    loop_quit(timers->loop);
}

static void fire_wrongly(gpointer data)
{
    ((Timers *)data)->wrong++;
}

static void test_after(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Loop) loop = loop_new("test", &error);
    Timers timers = {.loop = loop, .start = g_get_monotonic_time()};

    g_assert_no_error(error);
    timers.source = loop_after(loop, 20000, fire, &timers);
    timers.cancelled = loop_after(loop, 1000, fire_wrongly, &timers);
    sd_event_source_unref(timers.cancelled);
    g_assert_cmpint(loop_run(loop), ==, 0);
    g_assert_cmpuint(timers.fired, ==, 1);
    g_assert_cmpuint(timers.wrong, ==, 0);
    g_assert_cmpint(timers.took, >=, 20000);
    g_assert_cmpint(timers.took, <, 2000000);
}

static void test_never_run(void)
{
    g_autoptr(GError) error = NULL;
    Loop *loop = loop_new("test", &error);
    gboolean ran = FALSE;

    loop_post(loop, set_true, &ran);
    loop_free(loop);
    g_assert_true(ran);
    loop_free(NULL);
}

#define WATCHES 200

typedef struct {
    Loop *loop;
    int fds[WATCHES];
    LoopWatch *watches[WATCHES];
    guint calls;
} Watches;

/* Each of the even ones ends its neighbour, which was ready as well. */
static void on_ready(guint32 events, gpointer data)
{
    LoopWatch **watch = ((gpointer *)data)[1];
    Watches *watches = ((gpointer *)data)[0];
    gsize index = watch - watches->watches;

    g_assert_cmpuint(events, ==, EPOLLIN);
    g_assert_cmpuint(index % 2, ==, 0);
    g_clear_pointer(&watches->watches[index + 1], loop_watch_free);
    loop_watch_set(*watch, 0);
    if (++watches->calls == WATCHES / 2)
        loop_quit(watches->loop);
}

static void test_watch(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Loop) loop = loop_new("test", &error);
    Watches watches = {.loop = loop};
    gpointer data[WATCHES][2];

    for (guint i = 0; i < WATCHES; i++) {
        data[i][0] = &watches;
        data[i][1] = &watches.watches[i];
        watches.fds[i] = eventfd(1, EFD_CLOEXEC);
        watches.watches[i] = loop_watch(loop, watches.fds[i], EPOLLIN, on_ready, data[i], &error);
        g_assert_no_error(error);
    }
    g_assert_cmpint(loop_run(loop), ==, 0);
    g_assert_cmpuint(watches.calls, ==, WATCHES / 2);
    for (guint i = 0; i < WATCHES; i++) {
        loop_watch_free(watches.watches[i]);
        close(watches.fds[i]);
    }
}

static void test_watch_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Loop) loop = loop_new("test", &error);
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    g_assert_null(loop_watch(loop, fd, EPOLLIN, on_ready, NULL, &error));
    g_assert_error(error, error_domain(VIR_FROM_EVENT), VIR_ERR_SYSTEM_ERROR);
    close(fd);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/loop/post", test_post);
    g_test_add_func("/loop/call", test_call);
    g_test_add_func("/loop/after", test_after);
    g_test_add_func("/loop/never-run", test_never_run);
    g_test_add_func("/loop/watch", test_watch);
    g_test_add_func("/loop/watch-refused", test_watch_refused);
    return g_test_run();
}
