/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a storage document needs beyond its description: the rules of each pool type, in libvirt's order and words. Any
 * thread. */
#include "lib/model/model.h"

/* Whether volumes of a pool of TYPE are files, whose formats are those of images. */
gboolean storage_pool_has_files(StoragePoolType type);

/* The formats that sources and volumes of a type may have, a bit each (none: 0), and what counts where none is said. */
typedef struct {
    guint64 source, volume;
    StoragePoolFormat usual_source;
    StorageVolumeFormat usual_volume;
} StoragePoolFormats;
StoragePoolFormats storage_pool_formats(StoragePoolType type);

/* Reads a definition: checks it, fills in what it may leave out, drops sizes. */
StoragePool *storage_pool_read(XmlDocument *document, GError **error);

/* Where its volumes are; NULL for pools that are not on this host's file system. */
const char *storage_pool_path(const StoragePool *pool);

/* PATH as libvirt writes it; to free. */
char *storage_path_clean(const char *path);

/* What a document for a volume may leave out. */
typedef enum {
    STORAGE_VOLUME_OPTIONAL_CAPACITY = 1 << 0, /* where it has a backing file, that one's counts */
    STORAGE_VOLUME_NO_CAPACITY = 1 << 1,       /* another volume's counts */
} StorageVolumeRead;

/* Reads a volume of a pool of TYPE. */
StorageVolume *storage_volume_read(XmlDocument *document, StoragePoolType type, guint flags, GError **error);
