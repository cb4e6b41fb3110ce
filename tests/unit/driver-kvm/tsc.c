/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/tsc.h"

#include "lib/error.h"

#define HOST 2445426000

static Domain *wanting(guint64 frequency)
{
    Domain *def = domain_new();
    Timer *timer = timer_new();

    def->clock = clock_new();
    timer->name = TIMER_NAME_TSC;
    timer->frequency = frequency;
    g_ptr_array_add(def->clock->timers, timer);
    return def;
}

static gboolean suits(guint64 frequency, Tsc host, GError **error)
{
    g_autoptr(Domain) def = wanting(frequency);

    return tsc_check(def, &host, error);
}

static void test_tolerance(void)
{
    Tsc host = {HOST, FALSE};
    g_autoptr(GError) error = NULL;

    g_assert_true(suits(UNSET64, host, NULL));
    g_assert_true(suits(HOST, host, NULL));
    g_assert_true(suits(2444814644, host, NULL));
    g_assert_true(suits(2446037356, host, NULL));
    g_assert_false(suits(2444814643, host, NULL));
    g_assert_false(suits(2446037357, host, &error));
    g_assert_true(error_is(error, VIR_ERR_CONFIG_UNSUPPORTED));
    g_assert_cmpstr(error_detail(error), ==,
                    "Requested TSC frequency 2446037357 Hz is outside tolerance range ([2444814644, 2446037356] Hz) around "
                    "host frequency 2445426000 Hz and TSC scaling is not supported by the host CPU");
}

static void test_anything_goes(void)
{
    g_assert_true(suits(1000, (Tsc){HOST, TRUE}, NULL));
    g_assert_true(suits(1000, (Tsc){0, FALSE}, NULL));
}

/* The same each time, and plausible where it is known. */
static void test_host(void)
{
    Tsc once = tsc_of_host(), again = tsc_of_host();

    g_assert_cmpuint(once.frequency, ==, again.frequency);
    if (once.frequency)
        g_assert_cmpuint(once.frequency, >, 100000000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kvm/tsc/tolerance", test_tolerance);
    g_test_add_func("/kvm/tsc/anything-goes", test_anything_goes);
    g_test_add_func("/kvm/tsc/host", test_host);
    return g_test_run();
}
