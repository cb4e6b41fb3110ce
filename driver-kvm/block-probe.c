/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/block-probe.h"
#include "lib/error.h"
#include "lib/patient.h"
#include "lib/process.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_MAX 4096
#define NAME_MAX_LENGTH 1023 /* qcow2's own limit */
#define DEADLINE (10 * G_USEC_PER_SEC)
#define EXTENSION_END 0
#define EXTENSION_FORMAT 0xe2792acau

static guint32 be32(const guint8 *p)
{
    return (guint32)p[0] << 24 | (guint32)p[1] << 16 | (guint32)p[2] << 8 | p[3];
}

static guint64 be64(const guint8 *p)
{
    return (guint64)be32(p) << 32 | be32(p + 4);
}

static gboolean is_qcow2(const guint8 *header, gsize length)
{
    return length >= 72 && memcmp(header, "QFI\xfb", 4) == 0 && (be32(header + 4) == 2 || be32(header + 4) == 3);
}

/* Where the header says the name of the backing file is; 0 if there is none. */
static guint64 name_place(const guint8 *header, gsize length, gsize *ret_length)
{
    guint64 offset = be64(header + 8);

    *ret_length = be32(header + 16);
    return is_qcow2(header, length) && *ret_length <= NAME_MAX_LENGTH && offset <= G_MAXINT64 ? offset : 0;
}

static int send(int out, const void *data, gsize length)
{
    return write(out, data, length) == (ssize_t)length ? 0 : 1;
}

/* Runs in the forked copy: system calls only. Sends an errno in one byte; where that is 0, the header and the name behind
 * it follow. */
static int read_image(gpointer data, int out)
{
    guint8 header[HEADER_MAX] = {0};
    guint8 name[NAME_MAX_LENGTH];
    guint8 result = 0;
    gsize name_length = 0;
    guint64 place = 0;
    struct stat info;
    ssize_t n = 0;
    int fd = open(data, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &info) < 0)
        result = (guint8)errno;
    else if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
        result = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    else if ((n = pread(fd, header, sizeof header, 0)) < 0)
        result = (guint8)errno;
    if (send(out, &result, 1) || result)
        return 0;
    if (n >= 72)
        place = name_place(header, (gsize)n, &name_length);
    if (send(out, header, sizeof header))
        return 1;
    n = place && name_length ? pread(fd, name, name_length, (off_t)place) : 0;
    return n > 0 ? send(out, name, (gsize)n) : 0;
}

static char *format_extension(const guint8 *header, gsize length)
{
    gsize at = be32(header + 4) == 3 && length >= 104 ? be32(header + 100) : 72;

    while (at + 8 <= length) {
        guint32 kind = be32(header + at), size = be32(header + at + 4);

        at += 8;
        if (kind == EXTENSION_END || size > length - at)
            return NULL;
        if (kind == EXTENSION_FORMAT)
            return g_strndup((const char *)header + at, size);
        at += (size + 7) / 8 * 8;
    }
    return NULL;
}

gboolean block_probe_header(const guint8 *header, gsize length, const guint8 *name, gsize name_length, char **ret_backing,
                            char **ret_format, GError **error)
{
    g_autofree char *format = NULL;
    gsize expected = 0;
    guint64 place;

    if (!is_qcow2(header, length))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "the image is not in qcow2 format");
    place = name_place(header, length, &expected);
    if (be64(header + 8) != 0 && (place == 0 || expected == 0 || name_length != expected))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "the qcow2 header of the image is damaged");
    if (place == 0) {
        *ret_backing = *ret_format = NULL;
        return TRUE;
    }
    format = format_extension(header, length);
    if (!g_utf8_validate((const char *)name, (gssize)name_length, NULL) || (format && !g_utf8_validate(format, -1, NULL)))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "the name of the backing file is not UTF-8");
    *ret_backing = g_strndup((const char *)name, name_length);
    *ret_format = g_steal_pointer(&format);
    return TRUE;
}

/* What the copy sent after the result; NULL with ERROR. */
static GByteArray *look_at(const char *path, const char *what, GError **error)
{
    g_autoptr(GByteArray) answer = process_call(what, read_image, (gpointer)path, 1 + HEADER_MAX + NAME_MAX_LENGTH,
                                                g_get_monotonic_time() + DEADLINE, error);

    if (!answer)
        return NULL;
    if (answer->len > 0 && answer->data[0] == EISDIR) {
        error_set_errno(error, VIR_FROM_STORAGE, EISDIR, "cannot read header '%s'", path);
        return NULL;
    }
    if (answer->len == 0 || answer->data[0] != 0) {
        error_set_errno(error, VIR_FROM_STORAGE, answer->len ? answer->data[0] : EIO, "%s", what);
        return NULL;
    }
    g_byte_array_remove_index(answer, 0);
    if (answer->len < HEADER_MAX) {
        error_set_errno(error, VIR_FROM_STORAGE, EIO, "%s", what);
        return NULL;
    }
    return g_steal_pointer(&answer);
}

gboolean block_probe_access(const char *path, const char *what, GError **error)
{
    struct stat info;

    return patient_stat(path, &info, g_get_monotonic_time() + DEADLINE) ||
           error_set_errno(error, VIR_FROM_STORAGE, errno, "%s", what);
}

gboolean block_probe_qcow2(const char *path, const char *what, char **ret_backing, char **ret_format, GError **error)
{
    g_autoptr(GByteArray) image = look_at(path, what, error);
    g_autoptr(GError) why = NULL;

    if (!image)
        return FALSE;
    if (block_probe_header(image->data, HEADER_MAX, image->data + HEADER_MAX, image->len - HEADER_MAX, ret_backing,
                           ret_format, &why))
        return TRUE;
    return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "%s: %s", path, error_detail(why));
}
