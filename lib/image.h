/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What an image file says of itself, by its first bytes. These are the guest's to choose: nothing here allocates,
 * follows or believes more than it was given. Any thread, also a forked copy of the process.
 */
#include <glib.h>
#include "lib/model/model.h"

#define IMAGE_HEADER 33280     /* octets that tell all formats apart */
#define IMAGE_BACKING_MAX 1023 /* qcow2's own limit */

typedef struct {
    StorageVolumeFormat format;                       /* never unset; raw is what nothing else is */
    guint64 capacity;                                 /* 0: as large as the file */
    guint64 cluster_size;                             /* 0: not told */
    gboolean compat_1_1, lazy_refcounts, extended_l2; /* of qcow2 */
    gboolean damaged;                                 /* there is a backing file, but where its name is makes no sense */
    gboolean luks;                                    /* encrypted as a whole */
    StorageEncryptionFormat within;                   /* how qcow2 has its content encrypted; unset: it has not */
    guint64 backing_offset;                           /* where the name of the backing file is; 0: there is none */
    guint32 backing_length;
    gboolean has_backing_format;
    StorageVolumeFormat backing_format; /* unset: the header does not say, or a format that we don't know */
} ImageInfo;

/* HEADER: the first LENGTH octets of a file of SIZE octets. */
void image_look(const guint8 *header, gsize length, guint64 size, ImageInfo *ret_info);
