/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/cpuset.h"

#include <string.h>

#include "lib/error.h"

static void check_text(const char *text, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CpuSet) set = cpuset_parse(text, &error);
    g_assert_no_error(error);
    g_autofree char *formatted = cpuset_format(set);
    g_assert_cmpstr(formatted, ==, expected);
}

static void test_text(void)
{
    check_text("", "");
    check_text("0", "0");
    check_text("0-1", "0-1");
    check_text(" 0 - 3 , 8 ", "0-3,8");
    check_text("8,0-3,2", "0-3,8");
    check_text("0-7,^3", "0-2,4-7");
    check_text("0-7,^3,3", "0-7");
    check_text("16383", "16383");
    check_text("5,7-9,63-65,16380-16383", "5,7-9,63-65,16380-16383");
}

static void test_bad_text(void)
{
    const char *const bad[] = {"x", "-1", "1-", "3-1", "1,,2", "1,", ",1", "16384", "0-99999999999999999999", "^",
                               "^1-2", "1 2", "1-2-3", "18446744073709551616"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(cpuset_parse(bad[i], &error));
        g_assert_true(error_is(error, VIR_ERR_INVALID_ARG));
        g_assert_nonnull(strstr(error->message, bad[i]));
    }
}

static void test_members(void)
{
    g_autoptr(CpuSet) set = cpuset_new();
    g_assert_cmpint(cpuset_next(set, -1), ==, -1);
    g_assert_cmpint(cpuset_last(set), ==, -1);
    cpuset_add(set, 3);
    cpuset_add(set, 64);
    cpuset_add(set, CPUSET_MAX - 1);
    g_assert_cmpuint(cpuset_count(set), ==, 3);
    g_assert_cmpint(cpuset_next(set, -1), ==, 3);
    g_assert_cmpint(cpuset_next(set, 3), ==, 64);
    g_assert_cmpint(cpuset_next(set, 64), ==, CPUSET_MAX - 1);
    g_assert_cmpint(cpuset_next(set, CPUSET_MAX - 1), ==, -1);
    g_assert_cmpint(cpuset_last(set), ==, CPUSET_MAX - 1);
    g_autoptr(CpuSet) copy = cpuset_copy(set);
    cpuset_remove(set, 64);
    cpuset_remove(set, G_MAXUINT);
    g_assert_false(cpuset_has(set, 64));
    g_assert_true(cpuset_has(copy, 64));
    g_assert_false(cpuset_has(set, G_MAXUINT));
}

static void test_map(void)
{
    g_autoptr(CpuSet) set = cpuset_parse("0,9,15", NULL);
    guint8 map[3] = {0xff, 0xff, 0xff};
    cpuset_to_map(set, map, sizeof(map));
    g_assert_cmphex(map[0], ==, 0x01);
    g_assert_cmphex(map[1], ==, 0x82);
    g_assert_cmphex(map[2], ==, 0x00);
    guint8 one = 0;
    cpuset_to_map(set, &one, 1);
    g_assert_cmphex(one, ==, 0x01);
    g_autofree guint8 *huge = g_malloc(CPUSET_MAX / 8 + 1);
    cpuset_to_map(set, huge, CPUSET_MAX / 8 + 1);
    g_assert_cmphex(huge[CPUSET_MAX / 8], ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpuset/text", test_text);
    g_test_add_func("/cpuset/bad-text", test_bad_text);
    g_test_add_func("/cpuset/members", test_members);
    g_test_add_func("/cpuset/map", test_map);
    return g_test_run();
}
