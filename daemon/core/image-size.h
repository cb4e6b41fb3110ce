/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The sizes of disk images that no guest has open. */
#include <glib.h>
#include "lib/model/model.h"

typedef struct {
    const char *path;     /* borrowed; NULL: no image (an empty drive, a disk on the network) */
    StorageFormat format; /* STORAGE_FORMAT_UNSET: raw */
    gboolean encrypted;   /* the definition says so: raw data have a header then */
    gboolean found;       /* the rest means something */
    int errnum;           /* why it was not found */
    guint64 allocation;   /* octets that it takes on the host */
    guint64 capacity;     /* octets that a guest sees; as physical, where a format does not say */
    guint64 physical;     /* octets of the file or device */
} ImageSize;

/* An image of DISK to ask for; its path belongs to DISK. */
ImageSize image_size_of(const Disk *disk);

/* Looks at all N images in one child process, which is killed at DEADLINE (g_get_monotonic_time()): a path may
 * hang. FALSE with ERROR if that happened; an image that is not there is only not found. Any thread that may wait
 * so long. */
gboolean image_sizes(ImageSize *images, guint n, gint64 deadline, GError **error);
