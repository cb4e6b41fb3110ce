/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/save-header.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/patient.h"

#define MAGIC_LENGTH 16
#define MAGIC_WHOLE "LibvirtQemudSave"
#define MAGIC_PARTIAL "LibvirtQemudPart"
#define INCOMPLETE "save image is incomplete"
#define TOO_SHORT "failed to read qemu header"
#define VERSION 2
#define ROOM (64 * 1024)
#define ALIGN 4096

/* As it lies in the file, in the byte order of the host that wrote it. */
typedef struct {
    char magic[MAGIC_LENGTH];
    guint32 version;
    guint32 data_length;
    guint32 was_running;
    guint32 compression;
    guint32 cookie_offset; /* from the end of the fixed part; 0: no cookie */
    guint32 unused[14];
} Fixed;

G_STATIC_ASSERT(sizeof(Fixed) == SAVE_HEADER_FIXED);

static const char *const compressions[] = {NULL, "gzip", "bzip2", "xz", "lzop"};

static gboolean failed(GError **error, const char *text)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "%s", text);
}

void save_header_free(SaveHeader *header)
{
    if (!header)
        return;
    g_free(header->xml);
    g_free(header->cookie);
    g_free(header);
}

static gsize texts_length(const char *xml, const char *cookie)
{
    return strlen(xml) + 1 + (cookie ? strlen(cookie) + 1 : 0);
}

SaveHeader *save_header_new(const char *xml, const char *cookie, gboolean was_running, GError **error)
{
    gsize length = SAVE_HEADER_FIXED + texts_length(xml, cookie) + ROOM;
    length += (ALIGN - length % ALIGN) % ALIGN;
    if (length - SAVE_HEADER_FIXED > SAVE_HEADER_DATA_MAX) {
        failed(error, "the domain's XML is too large for a save file");
        return NULL;
    }
    SaveHeader *header = g_new0(SaveHeader, 1);
    header->xml = g_strdup(xml);
    header->cookie = g_strdup(cookie);
    header->data_length = length - SAVE_HEADER_FIXED;
    header->was_running = was_running;
    return header;
}

gboolean save_header_set_xml(SaveHeader *header, const char *xml, GError **error)
{
    if (texts_length(xml, header->cookie) > header->data_length)
        return failed(error, "new xml too large to fit in file");
    g_free(header->xml);
    header->xml = g_strdup(xml);
    return TRUE;
}

const char *save_header_compression(const SaveHeader *header)
{
    return compressions[header->compression];
}

static void swap_fixed(Fixed *fixed)
{
    guint32 *words[] = {&fixed->version, &fixed->data_length, &fixed->was_running, &fixed->compression,
                        &fixed->cookie_offset};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        *words[i] = GUINT32_SWAP_LE_BE(*words[i]);
}

gboolean save_header_is_unfinished(const GError *error)
{
    const char *detail = error_detail(error);

    return error_is(error, VIR_ERR_OPERATION_FAILED) &&
           (g_str_equal(detail, INCOMPLETE) || g_str_equal(detail, TOO_SHORT));
}

/* Checks FIXED and brings it into this host's byte order. */
static gboolean check_fixed(Fixed *fixed, GError **error)
{
    if (memcmp(fixed->magic, MAGIC_PARTIAL, MAGIC_LENGTH) == 0)
        return failed(error, INCOMPLETE);
    if (memcmp(fixed->magic, MAGIC_WHOLE, MAGIC_LENGTH) != 0)
        return failed(error, "image magic is incorrect");
    if (fixed->version > VERSION)
        swap_fixed(fixed);
    if (fixed->version > VERSION)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "image version is not supported (%u > %d)",
                         fixed->version, VERSION);
    if (fixed->data_length == 0 || fixed->data_length > SAVE_HEADER_DATA_MAX)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "invalid header data length: %u",
                         fixed->data_length);
    if (fixed->cookie_offset >= fixed->data_length)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "invalid header cookie offset: %u",
                         fixed->cookie_offset);
    if (fixed->compression >= G_N_ELEMENTS(compressions))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "Invalid compressed save format %u",
                         fixed->compression);
    return TRUE;
}

/* The texts behind a checked FIXED: FIXED->data_length bytes at DATA. */
static SaveHeader *decode_texts(const Fixed *fixed, const char *data, GError **error)
{
    gsize xml_space = fixed->cookie_offset ? fixed->cookie_offset : fixed->data_length;
    gsize cookie_space = fixed->data_length - xml_space;
    const char *cookie = data + xml_space;
    if (!memchr(data, '\0', xml_space) || (cookie_space && !memchr(cookie, '\0', cookie_space))) {
        failed(error, "failed to read domain XML");
        return NULL;
    }
    SaveHeader *header = g_new0(SaveHeader, 1);
    header->xml = g_strdup(data);
    header->cookie = cookie_space ? g_strdup(cookie) : NULL;
    header->data_length = fixed->data_length;
    header->compression = fixed->compression;
    header->was_running = fixed->was_running != 0;
    return header;
}

SaveHeader *save_header_decode(const guint8 *data, gsize length, GError **error)
{
    Fixed fixed;
    if (length < sizeof(fixed)) {
        failed(error, TOO_SHORT);
        return NULL;
    }
    memcpy(&fixed, data, sizeof(fixed));
    if (!check_fixed(&fixed, error))
        return NULL;
    if (length - sizeof(fixed) < fixed.data_length) {
        failed(error, "failed to read domain XML");
        return NULL;
    }
    return decode_texts(&fixed, (const char *)data + sizeof(fixed), error);
}

GByteArray *save_header_encode(const SaveHeader *header, gboolean partial)
{
    Fixed fixed = {
        .version = VERSION,
        .data_length = header->data_length,
        .was_running = header->was_running ? 1 : 0,
        .compression = header->compression,
        .cookie_offset = header->cookie ? strlen(header->xml) + 1 : 0,
    };
    memcpy(fixed.magic, partial ? MAGIC_PARTIAL : MAGIC_WHOLE, MAGIC_LENGTH);

    gsize total = sizeof(fixed) + header->data_length;
    GByteArray *bytes = g_byte_array_sized_new(total);
    g_byte_array_append(bytes, (const guint8 *)&fixed, sizeof(fixed));
    g_byte_array_append(bytes, (const guint8 *)header->xml, strlen(header->xml) + 1);
    if (header->cookie)
        g_byte_array_append(bytes, (const guint8 *)header->cookie, strlen(header->cookie) + 1);
    gsize used = bytes->len;
    g_byte_array_set_size(bytes, total);
    memset(bytes->data + used, 0, total - used);
    return bytes;
}

SaveHeader *save_header_read(int fd, const char *path, GError **error)
{
    const gsize most = SAVE_HEADER_FIXED + SAVE_HEADER_DATA_MAX;
    g_autofree guint8 *data = g_malloc(most);
    gsize length;
    if (!patient_read(fd, data, most, 0, &length, g_get_monotonic_time() + PATIENT_USEC)) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "cannot read domain image '%s'", path);
        return NULL;
    }
    g_autoptr(SaveHeader) header = save_header_decode(data, length, error);
    if (!header)
        return NULL;
    if (lseek(fd, SAVE_HEADER_FIXED + header->data_length, SEEK_SET) < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "failed to seek in domain save file '%s'", path);
        return NULL;
    }
    return g_steal_pointer(&header);
}

gboolean save_header_write(const SaveHeader *header, int fd, const char *path, GError **error)
{
    g_autoptr(GByteArray) bytes = save_header_encode(header, FALSE);
    return patient_write_head(fd, bytes->data, bytes->len, g_get_monotonic_time() + PATIENT_USEC) ||
           error_set_errno(error, VIR_FROM_QEMU, errno, "failed to write header to domain save file '%s'", path);
}
