/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/save-header.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/xml.h"

static SaveHeader *make(const char *xml, const char *cookie)
{
    g_autoptr(GError) error = NULL;
    SaveHeader *header = save_header_new(xml, cookie, TRUE, &error);
    g_assert_no_error(error);
    return header;
}

static int temporary_file(void)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("save-XXXXXX", &path, NULL);
    g_assert_cmpint(fd, >=, 0);
    unlink(path);
    return fd;
}

static void put32(guint8 *at, guint32 value)
{
    memcpy(at, &value, sizeof(value));
}

static guint32 get32(const guint8 *at)
{
    guint32 value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* The layout, octet by octet: offsets as in libvirt's file. */
static void test_layout(void)
{
    g_autoptr(SaveHeader) header = make("<domain/>", "<cookie/>");
    g_autoptr(GByteArray) bytes = save_header_encode(header, FALSE);
    g_assert_cmpint(memcmp(bytes->data, "LibvirtQemudSave", 16), ==, 0);
    g_assert_cmpuint(get32(bytes->data + 16), ==, 2);
    g_assert_cmpuint(get32(bytes->data + 20), ==, header->data_length);
    g_assert_cmpuint(get32(bytes->data + 24), ==, 1);
    g_assert_cmpuint(get32(bytes->data + 28), ==, 0);
    g_assert_cmpuint(get32(bytes->data + 32), ==, 10);
    for (guint i = 36; i < SAVE_HEADER_FIXED; i++)
        g_assert_cmpuint(bytes->data[i], ==, 0);
    g_assert_cmpstr((char *)bytes->data + SAVE_HEADER_FIXED, ==, "<domain/>");
    g_assert_cmpstr((char *)bytes->data + SAVE_HEADER_FIXED + 10, ==, "<cookie/>");
    g_assert_cmpuint(bytes->len, ==, SAVE_HEADER_FIXED + header->data_length);
    g_assert_cmpuint(bytes->len % 4096, ==, 0);
}

static void test_file(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SaveHeader) header = make("<domain type='kvm'/>", NULL);
    int fd = temporary_file();
    g_autoptr(GByteArray) partial = save_header_encode(header, TRUE);
    g_assert_cmpint(write(fd, partial->data, partial->len), ==, partial->len);
    g_assert_cmpint(write(fd, "stream", 6), ==, 6);

    lseek(fd, 0, SEEK_SET);
    g_assert_null(save_header_read(fd, "x", &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_FAILED));
    g_assert_nonnull(strstr(error->message, "save image is incomplete"));
    g_clear_error(&error);

    g_assert_true(save_header_write(header, fd, "x", &error));
    lseek(fd, 0, SEEK_SET);
    g_autoptr(SaveHeader) again = save_header_read(fd, "x", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(again->xml, ==, header->xml);
    g_assert_null(again->cookie);
    g_assert_true(again->was_running);
    g_assert_null(save_header_compression(again));
    char stream[7] = "";
    g_assert_cmpint(read(fd, stream, 6), ==, 6);
    g_assert_cmpstr(stream, ==, "stream");
    close(fd);
}

static void test_new_xml(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SaveHeader) header = make("<domain/>", "<cookie/>");
    guint32 length = header->data_length;
    g_autofree char *fits = g_strnfill(64 * 1024, 'x');
    g_assert_true(save_header_set_xml(header, fits, &error));
    g_assert_cmpuint(header->data_length, ==, length);
    g_autoptr(GByteArray) bytes = save_header_encode(header, FALSE);
    g_autoptr(SaveHeader) again = save_header_decode(bytes->data, bytes->len, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(again->xml, ==, fits);
    g_assert_cmpstr(again->cookie, ==, "<cookie/>");

    g_autofree char *large = g_strnfill(length - 10, 'x');
    g_assert_false(save_header_set_xml(header, large, &error));
    g_assert_nonnull(strstr(error->message, "new xml too large to fit in file"));
    g_assert_cmpstr(header->xml, ==, fits);
    g_clear_error(&error);

    g_autofree char *huge = g_strnfill(SAVE_HEADER_DATA_MAX, 'x');
    g_assert_null(save_header_new(huge, NULL, FALSE, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_FAILED));
}

static void test_foreign_order(void)
{
    g_autoptr(SaveHeader) header = make("<domain/>", "<cookie/>");
    g_autoptr(GByteArray) bytes = save_header_encode(header, FALSE);
    for (guint i = 16; i < 36; i += 4)
        put32(bytes->data + i, GUINT32_SWAP_LE_BE(get32(bytes->data + i)));
    g_autoptr(GError) error = NULL;
    g_autoptr(SaveHeader) again = save_header_decode(bytes->data, bytes->len, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(again->cookie, ==, "<cookie/>");
}

typedef struct {
    const char *name;
    guint offset;
    guint32 value;
    const char *text;
} Damage;

static const Damage damages[] = {
    {"magic", 0, 0x41414141, "image magic is incorrect"},
    {"version", 16, 3, "image version is not supported"},
    {"length 0", 20, 0, "invalid header data length"},
    {"length huge", 20, G_MAXUINT32, "invalid header data length"},
    {"length beyond", 20, SAVE_HEADER_DATA_MAX, "failed to read domain XML"},
    {"cookie at end", 32, 70000, "invalid header cookie offset"},
    {"cookie huge", 32, G_MAXUINT32, "invalid header cookie offset"},
    {"cookie in the XML", 32, 4, "failed to read domain XML"},
    {"compression", 28, 5, "Invalid compressed save format"},
};

static void test_damage(void)
{
    g_autoptr(SaveHeader) header = make("<domain/>", "<cookie/>");
    for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autoptr(GByteArray) bytes = save_header_encode(header, FALSE);
        put32(bytes->data + damages[i].offset, damages[i].value);
        g_autoptr(GError) error = NULL;
        g_assert_null(save_header_decode(bytes->data, bytes->len, &error));
        g_assert_true(error_is(error, VIR_ERR_OPERATION_FAILED));
        g_test_message("%s: %s", damages[i].name, error->message);
        g_assert_nonnull(strstr(error->message, damages[i].text));

        int fd = temporary_file();
        g_assert_cmpint(write(fd, bytes->data, bytes->len), ==, bytes->len);
        lseek(fd, 0, SEEK_SET);
        g_clear_error(&error);
        g_assert_null(save_header_read(fd, "x", &error));
        g_assert_true(error_is(error, VIR_ERR_OPERATION_FAILED));
        close(fd);
    }
}

/* Every prefix of a head is refused; text without an end too. */
static void test_truncation(void)
{
    g_autoptr(SaveHeader) header = make("<domain/>", NULL);
    g_autoptr(GByteArray) bytes = save_header_encode(header, FALSE);
    for (guint length = 0; length < bytes->len; length += length < 128 ? 1 : 997) {
        g_autoptr(GError) error = NULL;
        g_assert_null(save_header_decode(bytes->data, length, &error));
        g_assert_nonnull(error);
    }
    memset(bytes->data + SAVE_HEADER_FIXED, 'x', bytes->len - SAVE_HEADER_FIXED);
    g_autoptr(GError) error = NULL;
    g_assert_null(save_header_decode(bytes->data, bytes->len, &error));
    g_assert_nonnull(error);
}

static void test_compression(void)
{
    g_autoptr(SaveHeader) header = make("<domain/>", NULL);
    header->compression = 3;
    g_autoptr(GByteArray) bytes = save_header_encode(header, FALSE);
    g_autoptr(SaveHeader) again = save_header_decode(bytes->data, bytes->len, NULL);
    g_assert_cmpstr(save_header_compression(again), ==, "xz");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/save-header/layout", test_layout);
    g_test_add_func("/save-header/file", test_file);
    g_test_add_func("/save-header/new-xml", test_new_xml);
    g_test_add_func("/save-header/foreign-order", test_foreign_order);
    g_test_add_func("/save-header/damage", test_damage);
    g_test_add_func("/save-header/truncation", test_truncation);
    g_test_add_func("/save-header/compression", test_compression);
    return g_test_run();
}
