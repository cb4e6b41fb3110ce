/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/sampler.h"

#include <string.h>

#include "lib/error.h"

#define PATIENCE (10 * G_USEC_PER_SEC) /* for what must come soon, on a machine that may be slow */
#define BUDGET (50 * 1000)

/* A driver whose guests answer, are silent, or refuse, as the test says. */
static struct {
    gboolean silent;   /* groups that need the monitor wait for their budget, then fail */
    gboolean refusing;
    gint delay;        /* milliseconds an answer takes */
    gint in_flight, most_in_flight, calls;
} fake;

static gboolean needs_monitor(guint group)
{
    return group == VIR_DOMAIN_STATS_BALLOON || group == VIR_DOMAIN_STATS_BLOCK || group == SAMPLER_MEMORY;
}

static gboolean answer(guint group, guint64 budget, GError **error)
{
    gboolean silent = g_atomic_int_get(&fake.silent) && needs_monitor(group);
    gint now = g_atomic_int_add(&fake.in_flight, 1) + 1;
    g_atomic_int_inc(&fake.calls);
    if (now > g_atomic_int_get(&fake.most_in_flight))
        g_atomic_int_set(&fake.most_in_flight, now);
    g_usleep(silent ? budget : (guint64)g_atomic_int_get(&fake.delay) * 1000);
    g_atomic_int_add(&fake.in_flight, -1);
    if (silent)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "silent");
    return !fake.refusing || error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "refused");
}

static gboolean fake_sample(gpointer self, Vm *vm, guint groups, guint64 budget, Params *params, GError **error)
{
    if (!answer(groups, budget, error))
        return FALSE;
    params_ullong(params, g_atomic_int_get(&fake.calls), "group.%u", groups);
    return TRUE;
}

static gboolean fake_memory(gpointer self, Vm *vm, guint64 budget, virDomainMemoryStatPtr stats, guint max,
                            guint *ret_n, GError **error)
{
    if (!answer(SAMPLER_MEMORY, budget, error))
        return FALSE;
    stats[0] = (virDomainMemoryStatStruct){.tag = VIR_DOMAIN_MEMORY_STAT_RSS, .val = 4711};
    *ret_n = 1;
    return TRUE;
}

static const DriverStatsOps stats_ops = {.sample = fake_sample, .memory = fake_memory};
static const Driver driver = {.stats = &stats_ops};
static const DriverInstance instance = {.driver = &driver, .from = VIR_FROM_QEMU};

static void set_id(VmView *view, gpointer data)
{
    view->id = GPOINTER_TO_INT(data);
}

static void set_responsive(VmView *view, gpointer data)
{
    view->responsive = GPOINTER_TO_INT(data);
}

static Vm *make(void)
{
    memset(&fake, 0, sizeof(fake));
    Domain *definition = domain_new();
    definition->name = g_strdup("a");
    Vm *vm = vm_new(&instance, definition, TRUE);
    vm_publish(vm, set_id, GINT_TO_POINTER(1));
    return vm;
}

/* The fields that come for GROUPS, "|" between them; RET_STALE may be NULL. */
static char *ask(Vm *vm, guint groups, gint64 budget, gboolean *ret_stale)
{
    SamplerTicket ticket;
    gboolean stale;
    g_autoptr(Params) params = params_new();
    const SamplerTicket *tickets[] = {&ticket};
    sampler_ask(vm, groups, &ticket);
    sampler_wait(tickets, 1, budget);
    sampler_answer(&ticket, params, &stale);
    GString *fields = g_string_new(NULL);
    for (guint i = 0; i < params_length(params); i++)
        g_string_append_printf(fields, "%s%s", i ? "|" : "", params_at(params, i)->field);
    if (ret_stale)
        *ret_stale = stale;
    return g_string_free(fields, FALSE);
}

static void test_order(void)
{
    g_autoptr(Vm) vm = make();
    gboolean stale = TRUE;
    g_autofree char *fields = ask(vm, SAMPLER_GROUPS, PATIENCE, &stale);
    g_assert_cmpstr(fields, ==, "group.2|group.4|group.8|group.16|group.32|group.64|group.128|group.512|group.1024");
    g_assert_false(stale);
    g_assert_cmpint(fake.calls, ==, 9);
    g_autofree char *one = ask(vm, VIR_DOMAIN_STATS_BLOCK, PATIENCE, &stale);
    g_assert_cmpstr(one, ==, "group.32");
    g_assert_cmpint(fake.calls, ==, 10); /* asked again, not remembered */
}

static gpointer ask_thread(gpointer vm)
{
    gboolean stale = TRUE;
    g_autofree char *fields = ask(vm, SAMPLER_GROUPS, PATIENCE, &stale);
    g_assert_cmpstr(fields, ==, "group.2|group.4|group.8|group.16|group.32|group.64|group.128|group.512|group.1024");
    g_assert_false(stale);
    return NULL;
}

static void test_one_in_flight(void)
{
    g_autoptr(Vm) vm = make();
    fake.delay = 20;
    GThread *threads[20];
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("ask", ask_thread, vm);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(fake.most_in_flight, <=, 2); /* of the kernel, and of the monitor */
    g_assert_cmpint(fake.calls, <=, 36); /* 180 if they did not share */
}

static void test_silent(void)
{
    g_autoptr(Vm) vm = make();
    gboolean stale = FALSE;
    g_autofree char *first = ask(vm, SAMPLER_GROUPS, PATIENCE, NULL);
    g_atomic_int_set(&fake.silent, TRUE);
    gint64 start = g_get_monotonic_time();
    g_autofree char *second = ask(vm, SAMPLER_GROUPS, BUDGET, &stale);
    gint64 took = g_get_monotonic_time() - start;
    g_assert_cmpstr(second, ==, first); /* what was known before */
    g_assert_true(stale);
    g_assert_cmpint(took, >=, BUDGET);
    g_assert_cmpint(took, <, 10 * BUDGET);

    g_autofree char *third = ask(vm, VIR_DOMAIN_STATS_CPU_TOTAL, PATIENCE, &stale);
    g_assert_false(stale); /* the kernel tells that */
}

/* What the kernel tells does not wait behind what the monitor does not. */
static void test_kernel_first(void)
{
    g_autoptr(Vm) vm = make();
    fake.silent = TRUE;
    SamplerTicket ticket;
    sampler_ask(vm, VIR_DOMAIN_STATS_BLOCK, &ticket);
    g_autoptr(Params) params = params_new();
    g_autoptr(GError) error = NULL;
    gint64 start = g_get_monotonic_time();
    g_assert_true(sampler_measure(vm, VIR_DOMAIN_STATS_CPU_TOTAL, PATIENCE, params, &error));
    g_assert_no_error(error);
    g_assert_cmpint(g_get_monotonic_time() - start, <, G_USEC_PER_SEC / 2);
}

/* Guests that answer one after the other are waited for, although all together take longer than the patience. */
static void test_progress(void)
{
    Vm *vms[6];
    SamplerTicket tickets[G_N_ELEMENTS(vms)];
    const SamplerTicket *pointers[G_N_ELEMENTS(vms)];
    for (gsize i = 0; i < G_N_ELEMENTS(vms); i++)
        vms[i] = make();
    for (gsize i = 0; i < G_N_ELEMENTS(vms); i++) {
        fake.delay = 40 * (i + 1);
        pointers[i] = &tickets[i];
        sampler_ask(vms[i], VIR_DOMAIN_STATS_BLOCK, &tickets[i]);
        g_usleep(1000); /* DELAY is read when the work begins */
    }
    sampler_wait(pointers, G_N_ELEMENTS(vms), 4 * BUDGET);
    for (gsize i = 0; i < G_N_ELEMENTS(vms); i++) {
        gboolean stale;
        g_autoptr(Params) params = params_new();
        sampler_answer(&tickets[i], params, &stale);
        g_assert_false(stale);
        vm_unref(vms[i]);
    }
}

/* The first answer is worth waiting for: there is nothing to give in its place. */
static void test_first(void)
{
    g_autoptr(Vm) vm = make();
    fake.delay = 3 * BUDGET / 1000;
    gboolean stale = TRUE;
    g_autofree char *first = ask(vm, VIR_DOMAIN_STATS_BLOCK, BUDGET, &stale);
    g_assert_cmpstr(first, ==, "group.32");
    g_assert_false(stale);
    g_autofree char *second = ask(vm, VIR_DOMAIN_STATS_BLOCK, BUDGET, &stale);
    g_assert_cmpstr(second, ==, "group.32");
    g_assert_true(stale);
}

/* Many silent guests at once cost the asker one budget, not one each. */
static void test_many_silent(void)
{
    Vm *vms[48];
    SamplerTicket tickets[G_N_ELEMENTS(vms)];
    const SamplerTicket *pointers[G_N_ELEMENTS(vms)];
    gint64 start = g_get_monotonic_time();
    for (gsize i = 0; i < G_N_ELEMENTS(vms); i++)
        vms[i] = make();
    fake.silent = TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(vms); i++) {
        pointers[i] = &tickets[i];
        sampler_ask(vms[i], SAMPLER_GROUPS, &tickets[i]);
    }
    sampler_wait(pointers, G_N_ELEMENTS(vms), BUDGET);
    for (gsize i = 0; i < G_N_ELEMENTS(vms); i++) {
        gboolean stale;
        g_autoptr(Params) params = params_new();
        sampler_answer(&tickets[i], params, &stale);
        g_assert_true(stale);
        g_assert_nonnull(params_find(params, "group.2"));
    }
    g_assert_cmpint(g_get_monotonic_time() - start, <, 24 * BUDGET);
    for (gsize i = 0; i < G_N_ELEMENTS(vms); i++)
        vm_unref(vms[i]);
}

static void test_measure(void)
{
    g_autoptr(Vm) vm = make();
    g_autoptr(Params) params = params_new();
    g_autoptr(GError) error = NULL;
    g_assert_true(sampler_measure(vm, SAMPLER_MEMORY, PATIENCE, params, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(params_find(params, "7")->value.ul, ==, 4711);

    fake.refusing = TRUE;
    g_assert_false(sampler_measure(vm, SAMPLER_MEMORY, PATIENCE, params, &error));
    g_assert_true(error_is(error, VIR_ERR_INTERNAL_ERROR));
    g_clear_error(&error);
    fake.refusing = FALSE;

    fake.silent = TRUE;
    g_assert_false(sampler_measure(vm, SAMPLER_MEMORY, BUDGET, params, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_TIMEOUT));
    g_clear_error(&error);
    g_assert_cmpuint(params_length(params), ==, 1); /* nothing old was added */

    vm_publish(vm, set_id, GINT_TO_POINTER(-1));
    g_assert_false(sampler_measure(vm, VIR_DOMAIN_STATS_CPU_TOTAL, PATIENCE, params, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_INVALID));
}

/* Known to be silent: not even asked, but for what the kernel tells. */
static void test_unresponsive(void)
{
    g_autoptr(Vm) vm = make();
    vm_publish(vm, set_responsive, GINT_TO_POINTER(FALSE));
    gboolean stale = FALSE;
    g_autofree char *fields = ask(vm, SAMPLER_GROUPS, PATIENCE, &stale);
    g_assert_cmpstr(fields, ==, "group.2|group.8|group.16|group.64");
    g_assert_true(stale);
    g_assert_cmpint(fake.calls, ==, 4);
    g_autoptr(GError) error = NULL;
    g_autoptr(Params) params = params_new();
    g_assert_false(sampler_measure(vm, VIR_DOMAIN_STATS_BLOCK, PATIENCE, params, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_TIMEOUT));
}

static void test_next_run(void)
{
    g_autoptr(Vm) vm = make();
    g_autofree char *first = ask(vm, VIR_DOMAIN_STATS_BLOCK, PATIENCE, NULL);
    g_assert_cmpstr(first, ==, "group.32");
    vm_publish(vm, set_id, GINT_TO_POINTER(2));
    fake.silent = TRUE;
    gboolean stale = FALSE;
    g_autofree char *second = ask(vm, VIR_DOMAIN_STATS_BLOCK, BUDGET, &stale);
    g_assert_cmpstr(second, ==, "");
    g_assert_true(stale);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sampler/order", test_order);
    g_test_add_func("/sampler/one-in-flight", test_one_in_flight);
    g_test_add_func("/sampler/silent", test_silent);
    g_test_add_func("/sampler/kernel-first", test_kernel_first);
    g_test_add_func("/sampler/progress", test_progress);
    g_test_add_func("/sampler/first", test_first);
    g_test_add_func("/sampler/many-silent", test_many_silent);
    g_test_add_func("/sampler/measure", test_measure);
    g_test_add_func("/sampler/unresponsive", test_unresponsive);
    g_test_add_func("/sampler/next-run", test_next_run);
    int result = g_test_run();
    queue_drain();
    return result;
}
