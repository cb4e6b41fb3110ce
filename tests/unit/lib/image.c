/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/image.h"

#include <string.h>

#define HEADER 4096

static void put_be32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_BE(value);
    memcpy(at, &value, 4);
}

static void put_le32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, 4);
}

/* A header of qcow2's version 3 that says of a backing file. */
static void make_qcow2(guint8 header[HEADER], guint32 offset, guint32 length, const char *format)
{
    memset(header, 0, HEADER);
    memcpy(header, "QFI\xfb", 4);
    put_be32(header + 4, 3);
    put_be32(header + 12, offset);
    put_be32(header + 16, length);
    put_be32(header + 20, 16);
    put_be32(header + 100, 104);
    if (format) {
        put_be32(header + 104, 0xe2792aca);
        put_be32(header + 108, (guint32)strlen(format));
        memcpy(header + 112, format, strlen(format));
    }
}

static ImageInfo look(const guint8 *header, gsize length)
{
    ImageInfo info;

    image_look(header, length, 1 << 20, &info);
    return info;
}

static void test_qcow2(void)
{
    guint8 header[HEADER];

    make_qcow2(header, 1000, 8, "raw");
    ImageInfo info = look(header, HEADER);
    g_assert_cmpint(info.format, ==, STORAGE_VOLUME_FORMAT_QCOW2);
    g_assert_cmpuint(info.backing_offset, ==, 1000);
    g_assert_cmpuint(info.backing_length, ==, 8);
    g_assert_cmpint(info.backing_format, ==, STORAGE_VOLUME_FORMAT_RAW);
    g_assert_cmpuint(info.cluster_size, ==, 65536);
    g_assert_false(info.damaged);
    make_qcow2(header, 0, 0, NULL);
    info = look(header, HEADER);
    g_assert_cmpuint(info.backing_offset, ==, 0);
    g_assert_false(info.damaged);
}

/* Whatever a guest writes there must not lead astray. */
static void test_hostile(void)
{
    guint8 header[HEADER];

    make_qcow2(header, 1000, 0xffffffff, NULL);
    g_assert_true(look(header, HEADER).damaged);
    g_assert_cmpuint(look(header, HEADER).backing_offset, ==, 0);
    make_qcow2(header, 1000, 0, NULL);
    g_assert_true(look(header, HEADER).damaged);
    make_qcow2(header, 1000, 8, NULL);
    put_be32(header + 8, 0xffffffff);
    g_assert_true(look(header, HEADER).damaged);
    make_qcow2(header, 1000, 8, "raw");
    put_be32(header + 108, 0xfffffff0); /* an extension beyond everything */
    g_assert_cmpint(look(header, HEADER).backing_format, ==, STORAGE_VOLUME_FORMAT_UNSET);
    put_be32(header + 100, 0xfffffff0); /* extensions begin beyond everything */
    g_assert_cmpint(look(header, HEADER).backing_format, ==, STORAGE_VOLUME_FORMAT_UNSET);
    g_assert_cmpuint(look(header, HEADER).backing_length, ==, 8);
    for (gsize length = 0; length < 72; length++)
        g_assert_cmpuint(look(header, length).backing_offset, ==, 0);
}

static void test_qed(void)
{
    guint8 header[HEADER] = "QED";

    put_le32(header + 16, 1 | 4);
    put_le32(header + 56, 64);
    put_le32(header + 60, 5);
    ImageInfo info = look(header, HEADER);
    g_assert_cmpint(info.format, ==, STORAGE_VOLUME_FORMAT_QED);
    g_assert_cmpuint(info.backing_offset, ==, 64);
    g_assert_cmpuint(info.backing_length, ==, 5);
    g_assert_cmpint(info.backing_format, ==, STORAGE_VOLUME_FORMAT_RAW);
    put_le32(header + 16, 4);
    g_assert_cmpuint(look(header, HEADER).backing_offset, ==, 0);
    put_le32(header + 16, 1);
    put_le32(header + 60, 70000);
    g_assert_true(look(header, HEADER).damaged);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image/qcow2", test_qcow2);
    g_test_add_func("/image/hostile", test_hostile);
    g_test_add_func("/image/qed", test_qed);
    return g_test_run();
}
