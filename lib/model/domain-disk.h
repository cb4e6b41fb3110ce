/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Disks of a domain, and the images that these are made of, as clients name them. Any thread. */
#include "lib/model/model.h"

/* An image of a disk: its own, or one that this builds on. Belongs to the definition it was found in. */
typedef struct {
    const Disk *disk;
    StorageType type;
    const DiskSource *source; /* NULL: an empty drive */
    StorageFormat format;
    guint32 index;            /* its number; UNSET32: none */
    gboolean top;             /* the disk's own */
    const StorageEncryption *encryption; /* NULL: none is said */
    const DiskAuth *auth;                /* NULL: none */
} DiskImage;

/* The disk of DEF that NAME means, its target ("vda") or the path of its source; NULL: none. */
Disk *domain_disk_find(const Domain *def, const char *name);

/* The image of DEF that NAME means: a disk's own ("vda"), or one of its chain by its number ("vda[3]"). VIR_ERR_INVALID_ARG. */
gboolean domain_disk_image(const Domain *def, const char *name, DiskImage *ret_image, GError **error);

/* The image of DEF with the number INDEX; FALSE: none has it. */
gboolean domain_disk_image_at(const Domain *def, guint index, DiskImage *ret_image);

DiskImage disk_image(const Disk *disk);
/* STORE, which is part of DISK's chain, has a source. */
DiskImage disk_image_behind(const Disk *disk, const DiskBackingStore *store);

/* The path or the name of IMAGE's source; NULL: it has none. */
const char *disk_image_path(const DiskImage *image);
/* The same of DISK's own. */
const char *disk_path(const Disk *disk);
