/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/queue.h"

#include "lib/error.h"

typedef struct {
    GMutex lock;
    GCond cond;
    gboolean open;
    GString *seen;
    gint running, most;
} Gate;

static Gate *gate_new(void)
{
    Gate *gate = g_new0(Gate, 1);
    gate->seen = g_string_new(NULL);
    g_mutex_init(&gate->lock);
    g_cond_init(&gate->cond);
    return gate;
}

static void gate_free(Gate *gate)
{
    g_string_free(gate->seen, TRUE);
    g_free(gate);
}

static void gate_open(Gate *gate)
{
    g_mutex_lock(&gate->lock);
    gate->open = TRUE;
    g_cond_broadcast(&gate->cond);
    g_mutex_unlock(&gate->lock);
}

static void wait_open(gpointer data)
{
    Gate *gate = data;
    g_mutex_lock(&gate->lock);
    while (!gate->open)
        g_cond_wait(&gate->cond, &gate->lock);
    g_mutex_unlock(&gate->lock);
}

typedef struct {
    Gate *gate;
    char letter;
} Mark;

static void mark(gpointer data)
{
    Mark *one = data;
    gint now = g_atomic_int_add(&one->gate->running, 1) + 1;
    g_mutex_lock(&one->gate->lock);
    one->gate->most = MAX(one->gate->most, now);
    g_string_append_c(one->gate->seen, one->letter);
    g_mutex_unlock(&one->gate->lock);
    g_usleep(100);
    g_atomic_int_add(&one->gate->running, -1);
    g_free(one);
}

static Mark *mark_new(Gate *gate, char letter)
{
    Mark *one = g_new(Mark, 1);
    *one = (Mark){gate, letter};
    return one;
}

static void test_order(void)
{
    g_autoptr(Queue) queue = queue_new();
    Gate *gate = gate_new();
    for (char c = 'a'; c <= 'z'; c++)
        g_assert_true(queue_push(queue, mark, mark_new(gate, c), NULL));
    queue_drain();
    g_assert_cmpstr(gate->seen->str, ==, "abcdefghijklmnopqrstuvwxyz");
    g_assert_cmpint(gate->most, ==, 1);
    gate_free(gate);
}

static void test_front(void)
{
    g_autoptr(Queue) queue = queue_new();
    Gate *gate = gate_new();
    queue_push(queue, wait_open, gate, NULL);
    queue_push(queue, mark, mark_new(gate, 'c'), NULL);
    queue_push_front(queue, mark, mark_new(gate, 'a'));
    queue_push_front(queue, mark, mark_new(gate, 'b'));
    gate_open(gate);
    queue_drain();
    g_assert_cmpstr(gate->seen->str, ==, "abc");
    gate_free(gate);
}

static void test_full(void)
{
    g_autoptr(Queue) queue = queue_new();
    g_autoptr(GError) error = NULL;
    Gate *gate = gate_new();
    queue_push(queue, wait_open, gate, NULL);
    guint n = 0;
    Mark *last = mark_new(gate, 'x');
    while (queue_push(queue, mark, last, &error)) {
        last = mark_new(gate, 'x');
        n++;
    }
    g_free(last);
    g_assert_cmpuint(n, >=, QUEUE_MAX - 1); /* the first may still wait itself */
    g_assert_cmpuint(n, <=, QUEUE_MAX);
    g_assert_true(error_is(error, VIR_ERR_RESOURCE_BUSY));
    queue_push_front(queue, mark, mark_new(gate, 'f')); /* always */
    gate_open(gate);
    queue_drain();
    g_assert_cmpuint(gate->seen->len, ==, n + 1);
    g_assert_cmpint(gate->seen->str[0], ==, 'f');
    gate_free(gate);
}

static void test_run(void)
{
    g_autoptr(Queue) queue = queue_new();
    Gate *gate = gate_new();
    queue_push(queue, mark, mark_new(gate, 'a'), NULL);
    g_assert_true(queue_run(queue, mark, mark_new(gate, 'b'), NULL));
    g_assert_cmpstr(gate->seen->str, ==, "ab");
    queue_drain();
    gate_free(gate);
}

/* Many queues that wait take nothing from another. */
static void test_independence(void)
{
    Gate *gate = gate_new(), *free_gate = gate_new();
    for (guint i = 0; i < 200; i++) {
        Queue *queue = queue_new();
        g_assert_true(queue_push(queue, wait_open, gate, NULL));
        queue_unref(queue); /* its item still runs */
    }
    g_autoptr(Queue) queue = queue_new();
    gint64 start = g_get_monotonic_time();
    g_assert_true(queue_run(queue, mark, mark_new(free_gate, 'a'), NULL));
    g_assert_cmpint(g_get_monotonic_time() - start, <, G_USEC_PER_SEC);
    gate_open(gate);
    queue_drain();
    gate_free(gate);
    gate_free(free_gate);
}

/* Work that fills its pool does not keep control from starting. */
static void test_pools(void)
{
    Gate *gate = gate_new(), *other = gate_new();
    for (guint i = 0; i < 500; i++)
        g_assert_true(pool_push(POOL_WORK, wait_open, gate, NULL));
    g_assert_true(pool_push(POOL_CONTROL, mark, mark_new(other, 'c'), NULL));
    for (guint i = 0; i < 1000 && other->seen->len == 0; i++)
        g_usleep(1000);
    g_assert_cmpstr(other->seen->str, ==, "c");
    gate_open(gate);
    queue_drain();
    gate_free(gate);
    gate_free(other);
}

static void push_more(gpointer data)
{
    Mark *one = data;
    static gint left = 1000;
    if (g_atomic_int_add(&left, -1) > 0)
        g_assert_true(pool_push(POOL_WORK, push_more, data, NULL));
    else
        mark(one);
}

static void test_drain_what_begets(void)
{
    Gate *gate = gate_new();
    pool_push(POOL_WORK, push_more, mark_new(gate, 'z'), NULL);
    queue_drain();
    g_assert_cmpstr(gate->seen->str, ==, "z");
    gate_free(gate);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue/order", test_order);
    g_test_add_func("/queue/front", test_front);
    g_test_add_func("/queue/full", test_full);
    g_test_add_func("/queue/run", test_run);
    g_test_add_func("/queue/independence", test_independence);
    g_test_add_func("/queue/pools", test_pools);
    g_test_add_func("/queue/drain-what-begets", test_drain_what_begets);
    return g_test_run();
}
