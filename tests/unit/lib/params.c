/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/params.h"

#include <string.h>

static void test_types(void)
{
    g_autoptr(Params) params = params_new();
    params_int(params, -1, "a");
    params_uint(params, G_MAXUINT32, "b");
    params_llong(params, G_MININT64, "c");
    params_ullong(params, G_MAXUINT64, "net.%u.%s", 3, "rx");
    params_double(params, 1.5, "e");
    params_boolean(params, 17, "f");
    params_string(params, "text", "g");
    params_string(params, NULL, "h");

    g_assert_cmpuint(params_length(params), ==, 8);
    g_assert_cmpint(params_at(params, 0)->value.i, ==, -1);
    g_assert_cmpuint(params_at(params, 1)->value.ui, ==, G_MAXUINT32);
    g_assert_cmpint(params_at(params, 2)->value.l, ==, G_MININT64);
    g_assert_cmpstr(params_at(params, 3)->field, ==, "net.3.rx");
    g_assert_cmpuint(params_find(params, "net.3.rx")->value.ul, ==, G_MAXUINT64);
    g_assert_cmpfloat(params_find(params, "e")->value.d, ==, 1.5);
    g_assert_cmpint(params_find(params, "f")->value.b, ==, 1);
    g_assert_cmpint(params_find(params, "g")->type, ==, VIR_TYPED_PARAM_STRING);
    g_assert_cmpstr(params_find(params, "g")->value.s, ==, "text");
    g_assert_cmpstr(params_find(params, "h")->value.s, ==, "");
    g_assert_null(params_find(params, "none"));
}

static void test_long_field(void)
{
    g_autoptr(Params) params = params_new();
    g_autofree char *name = g_strnfill(1000, 'x');
    params_int(params, 1, "%s", name);
    g_assert_cmpuint(strlen(params_at(params, 0)->field), ==, VIR_TYPED_PARAM_FIELD_LENGTH - 1);
}

static void test_extend(void)
{
    g_autoptr(Params) all = params_new();
    Params *some = params_new();
    params_string(some, "text", "s");
    params_int(some, 7, "i");
    params_extend(all, some);
    params_free(some);
    g_assert_cmpstr(params_find(all, "s")->value.s, ==, "text");
    g_assert_cmpint(params_find(all, "i")->value.i, ==, 7);
    params_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/params/types", test_types);
    g_test_add_func("/params/long-field", test_long_field);
    g_test_add_func("/params/extend", test_extend);
    return g_test_run();
}
