/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/block-probe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/image.h"
#include "lib/patient.h"
#include "lib/process.h"

#define DEADLINE (10 * G_USEC_PER_SEC)

/* What the copy sends; the name of the backing file follows. */
typedef struct {
    int why; /* errno; 0: the rest holds */
    ImageInfo info;
} Report;

static gboolean send(int out, const void *data, gsize length)
{
    return write(out, data, length) == (ssize_t)length;
}

static int check_kind(int fd, guint64 *ret_size)
{
    struct stat info;

    if (fstat(fd, &info) < 0)
        return errno;
    if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
        return S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    *ret_size = (guint64)info.st_size;
    return 0;
}

/* Runs in the forked copy: system calls only. */
static int read_image(gpointer data, int out)
{
    static guint8 header[IMAGE_HEADER];
    guint8 name[IMAGE_BACKING_MAX];
    Report report = {0};
    guint64 size = 0;
    ssize_t n = 0;
    int fd = open(data, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    report.why = fd < 0 ? errno : check_kind(fd, &size);
    if (!report.why && (n = pread(fd, header, sizeof header, 0)) < 0)
        report.why = errno;
    if (!report.why)
        image_look(header, (gsize)n, size, &report.info);
    if (!send(out, &report, sizeof report))
        return 1;
    n = report.info.backing_offset ? pread(fd, name, report.info.backing_length, (off_t)report.info.backing_offset) : 0;
    return n <= 0 || send(out, name, (gsize)n) ? 0 : 1;
}

gboolean block_probe_access(const char *path, const char *what, GError **error)
{
    struct stat info;

    return patient_stat(path, &info, g_get_monotonic_time() + DEADLINE) ||
           error_set_errno(error, VIR_FROM_STORAGE, errno, "%s", what);
}

static StorageFormat format_of(const ImageInfo *info, StorageVolumeFormat format)
{
    return info->luks && format == info->format ? STORAGE_FORMAT_RAW : storage_format_from_string(storage_volume_format_to_string(format));
}

gboolean block_probe_image(const char *path, const char *what, StorageFormat *ret_format, char **ret_backing,
                           StorageFormat *ret_backing_format, GError **error)
{
    g_autoptr(GByteArray) answer = process_call(what, read_image, (gpointer)path, sizeof(Report) + IMAGE_BACKING_MAX,
                                                g_get_monotonic_time() + DEADLINE, error);
    Report report = {.why = EIO};
    gsize length = 0;

    if (!answer)
        return FALSE;
    if (answer->len >= sizeof report) {
        memcpy(&report, answer->data, sizeof report);
        length = answer->len - sizeof report;
    }
    if (report.why == EISDIR)
        return error_set_errno(error, VIR_FROM_STORAGE, EISDIR, "cannot read header '%s'", path);
    if (report.why)
        return error_set_errno(error, VIR_FROM_STORAGE, report.why, "%s", what);
    const char *name = (const char *)answer->data + sizeof report;
    if (report.info.damaged || length != report.info.backing_length)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "%s: the header of the image is damaged", path);
    if (!g_utf8_validate(name, (gssize)length, NULL))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "%s: the name of the backing file is not UTF-8", path);
    *ret_format = format_of(&report.info, report.info.format);
    *ret_backing = length ? g_strndup(name, length) : NULL;
    *ret_backing_format = format_of(&report.info, report.info.backing_format);
    return TRUE;
}
