/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Volumes that are files in a folder: made, copied, resized, wiped, streamed. Everything in forked copies and programs
 * of their own. Any thread. For tables of backends (backend.h). */
#include "daemon/storage/backend.h"

gboolean volume_file_prepare(const StoragePool *pool, StorageVolume *volume, GError **error);
gboolean volume_file_build(const StoragePool *pool, StorageVolume *volume, const StorageVolume *from, guint flags,
                           GError **error);
gboolean volume_file_delete(const StoragePool *pool, const StorageVolume *volume, guint flags, GError **error);
gboolean volume_file_resize(const StoragePool *pool, const StorageVolume *volume, guint64 capacity, guint flags,
                            GError **error);
gboolean volume_file_wipe(const StoragePool *pool, const StorageVolume *volume, guint algorithm, GError **error);
StorageVolume *volume_file_refresh(const StoragePool *pool, const StorageVolume *volume, GError **error);
gboolean volume_file_transfer(const StoragePool *pool, const StorageVolume *volume, gboolean upload, guint64 offset,
                              guint64 length, int *ret_fd, pid_t *ret_pid, GError **error);

/* volume-copy.c: work on files, in copies. Each FALSE with VIR_ERR_SYSTEM_ERROR. */
typedef struct {
    const char *path;   /* where it will be */
    const char *folder; /* "making" goes on under a name of its own in there */
    const char *source; /* NULL: nothing is copied */
    guint64 capacity, allocation;
    guint mode;
    gint64 owner, group; /* -1: as it is */
    gboolean reflink, is_folder;
    char temporary[64]; /* its name until it is there */
} VolumeWork;

gboolean volume_copy_make(VolumeWork *work, GError **error);   /* PATH, of raw content, complete */
gboolean volume_copy_begin(VolumeWork *work, GError **error);  /* an empty file of the temporary name */
gboolean volume_copy_finish(VolumeWork *work, GError **error); /* owner and mode; it gets its name */
void volume_copy_forget(VolumeWork *work);                     /* the temporary one goes */
gboolean volume_copy_resize(const char *path, guint64 capacity, gboolean allocate, GError **error);
gboolean volume_copy_zero(const char *path, GError **error);
gboolean volume_copy_remove(const char *path, gboolean is_folder, GError **error);
