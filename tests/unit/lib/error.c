/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/error.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

static void test_words(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(error_set(&error, VIR_FROM_QEMU, VIR_ERR_NO_DOMAIN, "no domain with matching name '%s'", "x"));
    g_assert_cmpstr(error->message, ==, "Domain not found: no domain with matching name 'x'");
    g_assert_cmpint(error_code(error), ==, VIR_ERR_NO_DOMAIN);
    g_assert_cmpint(error_from(error), ==, VIR_FROM_QEMU);
    g_assert_cmpstr(error_detail(error), ==, "no domain with matching name 'x'");
    g_assert_cmpstr(error_format(VIR_ERR_NO_DOMAIN, TRUE), ==, "Domain not found: %s");
}

static void test_no_detail(void)
{
    g_autoptr(GError) error = NULL;
    error_set(&error, VIR_FROM_DOMAIN, VIR_ERR_NO_NAME, NULL);
    g_assert_cmpstr(error->message, ==, "missing name information");
    g_assert_cmpstr(error_detail(error), ==, "");
}

static void test_words_around(void)
{
    g_autoptr(GError) error = NULL;
    error_set(&error, VIR_FROM_DOMAIN, VIR_ERR_DOM_EXIST, "x");
    g_assert_cmpstr(error->message, ==, "domain x exists already");
    g_assert_cmpstr(error_detail(error), ==, "x exists already");
}

static void test_plain(void)
{
    g_autoptr(GError) error = NULL;
    error_set_plain(&error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unsupported flags (0x%x) in function %s", 4, "f");
    g_assert_cmpstr(error->message, ==, "unsupported flags (0x4) in function f");
    g_assert_true(error_is(error, VIR_ERR_INVALID_ARG));
    g_assert_cmpstr(error_detail(error), ==, error->message);
}

static void test_errno(void)
{
    g_autoptr(GError) error = NULL;
    error_set_errno(&error, VIR_FROM_NONE, ENOENT, "cannot open '%s'", "/x");
    g_assert_cmpstr(error->message, ==, "cannot open '/x': No such file or directory");
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
}

static void test_foreign(void)
{
    g_autoptr(GError) error = g_error_new(G_IO_ERROR, G_IO_ERROR_FAILED, "their words");
    g_assert_cmpint(error_code(error), ==, VIR_ERR_INTERNAL_ERROR);
    g_assert_cmpint(error_from(error), ==, VIR_FROM_NONE);
    g_assert_false(error_is(error, (virErrorNumber)G_IO_ERROR_FAILED));
    error_adopt(&error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED);
    g_assert_cmpstr(error->message, ==, "operation failed: their words");
    g_assert_cmpint(error_from(error), ==, VIR_FROM_QEMU);
    error_adopt(&error, VIR_FROM_XML, VIR_ERR_RPC); /* it is one of ours by now */
    g_assert_true(error_is(error, VIR_ERR_OPERATION_FAILED));
}

/* A message may quote a client. */
static void test_hostile_detail(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *long_text = g_strnfill(100000, '\x80');
    error_set(&error, VIR_FROM_RPC, VIR_ERR_RPC, "%s", long_text);
    g_assert_cmpuint(strlen(error->message), <, 4096);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    error_set(NULL, VIR_FROM_RPC, VIR_ERR_RPC, "nobody looks");
}

static void test_all_codes(void)
{
    for (int code = 1; code <= VIR_ERR_MULTIPLE_DOMAINS; code++) {
        g_autoptr(GError) error = NULL;
        error_set(&error, VIR_FROM_NONE, (virErrorNumber)code, "detail %d", code);
        g_assert_nonnull(strstr(error->message, "detail"));
        g_assert_true(g_str_has_prefix(error_detail(error), "detail"));
    }
}

static void test_numbers(void)
{
    g_autoptr(GError) known = NULL, told = NULL, remedied = NULL, other = NULL, plain = NULL;

    error_set_errno(&known, VIR_FROM_QEMU, ENOTDIR, "cannot open '%s'", "/a: b");
    error_set(&told, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "a child says: %s", g_strerror(EACCES));
    error_set(&remedied, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "no image: %s (make it)", g_strerror(ENOENT));
    error_set(&other, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "it says: %s", g_strerror(EACCES));
    error_set_plain(&plain, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unsupported flags");
    g_assert_cmpint(error_errno(known), ==, ENOTDIR);
    g_assert_cmpint(error_errno(told), ==, EACCES);
    g_assert_cmpint(error_errno(other), ==, 0);
    g_assert_cmpint(error_errno(remedied), ==, ENOENT);
    g_assert_true(error_is_plain(plain));
    g_assert_false(error_is_plain(known));
    g_assert_false(error_is_plain(other));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/words", test_words);
    g_test_add_func("/error/no-detail", test_no_detail);
    g_test_add_func("/error/words-around", test_words_around);
    g_test_add_func("/error/plain", test_plain);
    g_test_add_func("/error/errno", test_errno);
    g_test_add_func("/error/foreign", test_foreign);
    g_test_add_func("/error/hostile-detail", test_hostile_detail);
    g_test_add_func("/error/all-codes", test_all_codes);
    g_test_add_func("/error/numbers", test_numbers);
    return g_test_run();
}
