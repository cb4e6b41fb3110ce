/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/image-size.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/image.h"
#include "lib/model/domain-disk.h"
#include "lib/process.h"

typedef struct {
    ImageSize *images;
    guint n;
} Work;

ImageSize image_size_of(const Disk *disk)
{
    ImageSize image = {.format = disk->driver ? disk->driver->type : STORAGE_FORMAT_UNSET, .encrypted = disk_image(disk).encryption != NULL};
    const DiskImage top = disk_image(disk);
    if (top.type == STORAGE_TYPE_FILE || top.type == STORAGE_TYPE_BLOCK)
        image.path = disk_image_path(&top);
    return image;
}

/* The header is the guest's to write: what it says counts if the image is of the format that the definition says. */
static guint64 capacity_of(int fd, const ImageSize *image)
{
    static guint8 header[IMAGE_HEADER];
    gboolean raw = image->format == STORAGE_FORMAT_UNSET || image->format == STORAGE_FORMAT_RAW;
    ssize_t n = raw && !image->encrypted ? 0 : pread(fd, header, sizeof header, 0);
    ImageInfo info;

    if (n <= 0)
        return image->physical;
    image_look(header, (gsize)n, image->physical, &info);
    gboolean as_said = raw ? info.luks : g_strcmp0(storage_volume_format_to_string(info.format), storage_format_to_string(image->format)) == 0;
    return as_said && info.capacity ? info.capacity : image->physical;
}

static void look_at(int fd, ImageSize *image)
{
    struct stat info;
    off_t end = fstat(fd, &info) == 0 ? lseek(fd, 0, SEEK_END) : -1;
    image->errnum = end < 0 ? errno : S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    if (end < 0 || !(S_ISREG(info.st_mode) || S_ISBLK(info.st_mode)))
        return;
    image->physical = end;
    image->allocation = S_ISREG(info.st_mode) ? (guint64)info.st_blocks * 512 : (guint64)end;
    image->capacity = capacity_of(fd, image);
    image->found = TRUE;
}

/* In the child. */
static int look_at_all(gpointer data, int out)
{
    const Work *work = data;
    for (guint i = 0; i < work->n; i++) {
        ImageSize *image = &work->images[i];
        int fd = image->path ? open(image->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
        image->errnum = fd < 0 ? errno : 0;
        if (fd >= 0) {
            look_at(fd, image);
            close(fd);
        }
        if (write(out, image, sizeof(*image)) != sizeof(*image))
            return 1;
    }
    return 0;
}

gboolean image_sizes(ImageSize *images, guint n, gint64 deadline, GError **error)
{
    Work work = {images, n};
    gsize length = n * sizeof(ImageSize);
    g_autofree char *what = n == 1 && images->path ? g_strdup_printf("looking at '%s'", images->path)
                                                   : g_strdup("looking at disk images");
    g_autoptr(GByteArray) answer = process_call(what, look_at_all, &work, length, deadline, error);
    if (!answer)
        return FALSE;
    memcpy(images, answer->data, MIN(answer->len, length)); /* the pointers in it are our own */
    return TRUE;
}
