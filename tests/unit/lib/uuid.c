/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/uuid.h"

#include <string.h>

static const char *const plain = "c7a5fdbd-edaf-9455-926a-d65c16db1809";

static void test_forms(void)
{
    const char *const good[] = {
        "c7a5fdbd-edaf-9455-926a-d65c16db1809", "c7a5fdbdedaf9455926ad65c16db1809", "  C7A5FDBD-EDAF-9455-926A-D65C16DB1809 \n",
        "c7 a5 fd bd ed af 94 55 92 6a d6 5c 16 db 18 09", "--c7a5fdbd----edaf9455926a-d65c16db1809",
    };
    const char *const bad[] = {
        "", "x", "c7a5fdbd-edaf-9455-926a-d65c16db180", "c7a5fdbd-edaf-9455-926a-d65c16db1809a", "c-7a5fdbdedaf9455926ad65c16db1809",
        "c7a5fdbd-edaf-9455-926a-d65c16db180g", "c7a5fdbd-edaf-9455-926a-d65c16db1809-", "c7a5fdbd_edaf_9455_926a_d65c16db1809",
    };
    guint8 bytes[UUID_BYTES];
    char text[UUID_TEXT];
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(uuid_parse(good[i], bytes));
        uuid_format(bytes, text);
        g_assert_cmpstr(text, ==, plain);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(uuid_parse(bad[i], bytes));
}

static void test_generate(void)
{
    guint8 one[UUID_BYTES], two[UUID_BYTES];
    uuid_generate(one);
    uuid_generate(two);
    g_assert_cmpint(memcmp(one, two, sizeof(one)), !=, 0);
    g_assert_cmpuint(one[6] >> 4, ==, 4);
    g_assert_cmpuint(one[8] >> 6, ==, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uuid/forms", test_forms);
    g_test_add_func("/uuid/generate", test_generate);
    return g_test_run();
}
