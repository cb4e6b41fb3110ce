/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/xdr.h"

#include <string.h>

static void test_read(void)
{
    static const guint8 bytes[] = {0, 0, 1, 2, 0xff, 0, 0, 0, 0, 0, 0, 3, 'a', 'b', 'c', 0x55};
    XdrReader reader = {bytes, sizeof(bytes)};
    const guint8 *part;
    guint32 value;
    guint64 wide;

    g_assert_true(xdr_read_u32(&reader, &value));
    g_assert_cmpuint(value, ==, 0x102);
    g_assert_true(xdr_read_u64(&reader, &wide));
    g_assert_cmphex(wide, ==, G_GUINT64_CONSTANT(0xff00000000000003));
    g_assert_true(xdr_read_bytes(&reader, 3, &part));
    g_assert_true(part == bytes + 12);
    g_assert_cmpuint(reader.left, ==, 0);
    g_assert_false(xdr_read_u32(&reader, &value));
    g_assert_true(xdr_read_bytes(&reader, 0, &part));
}

/* Whatever is refused moves nothing. */
static void test_read_short(void)
{
    static const guint8 bytes[7];
    XdrReader reader = {bytes, sizeof(bytes)};
    const guint8 *part;
    guint64 wide;

    g_assert_false(xdr_read_u64(&reader, &wide));
    g_assert_false(xdr_read_bytes(&reader, 8, &part));
    g_assert_false(xdr_read_bytes(&reader, 6, &part)); /* its padding is missing */
    g_assert_false(xdr_read_bytes(&reader, G_MAXSIZE, &part));
    g_assert_false(xdr_read_bytes(&reader, G_MAXSIZE - 2, &part));
    g_assert_cmpuint(reader.left, ==, 7);
    g_assert_true(reader.at == bytes);
    g_assert_true(xdr_read_bytes(&reader, 4, &part));
    g_assert_cmpuint(reader.left, ==, 3);
}

static void test_write(void)
{
    static const guint8 expected[] = {0, 0, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 'a', 'b', 'c', 'd', 'e', 0, 0, 0};
    g_autoptr(GByteArray) out = g_byte_array_new();

    g_assert_true(xdr_write_u32(out, 0x102));
    g_assert_true(xdr_write_u64(out, G_GUINT64_CONSTANT(0x0102030405060708)));
    g_assert_true(xdr_write_bytes(out, (const guint8 *)"abcde", 5));
    g_assert_true(xdr_write_bytes(out, NULL, 0));
    g_assert_cmpmem(out->data, out->len, expected, sizeof(expected));
}

static void test_write_full(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree guint8 *bytes = g_malloc0(XDR_MAX);

    g_assert_true(xdr_write_u32(out, 0));
    g_assert_false(xdr_write_bytes(out, bytes, XDR_MAX));
    g_assert_false(xdr_write_bytes(out, bytes, G_MAXSIZE));
    g_assert_cmpuint(out->len, ==, 4);
    g_assert_true(xdr_write_bytes(out, bytes, XDR_MAX - 8 - 3)); /* rounded up */
    g_assert_cmpuint(out->len, ==, XDR_MAX - 4);
    g_assert_false(xdr_write_u64(out, 0));
    g_assert_true(xdr_write_u32(out, 0));
    g_assert_false(xdr_write_u32(out, 0));
    g_assert_cmpuint(out->len, ==, XDR_MAX);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xdr/read", test_read);
    g_test_add_func("/xdr/read-short", test_read_short);
    g_test_add_func("/xdr/write", test_write);
    g_test_add_func("/xdr/write-full", test_write_full);
    return g_test_run();
}
