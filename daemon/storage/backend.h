/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a type of pools does: one table, one file, one row in backend.c. A slot that is NULL is not offered: the daemon
 * says so in libvirt's words. Each may block within a deadline of its own, runs with the pool entered where nothing
 * else is said, and touches paths in killable copies only (lib/patient.h, lib/process.h), so that dead storage holds up
 * nobody but its own pool.
 */
#include "daemon/storage/pool.h"

#define BACKEND_DEADLINE (10 * G_USEC_PER_SEC) /* of what is not long by nature */

/* A pool's content: what backend->refresh found. */
typedef struct {
    guint64 capacity, allocation, available;
    StoragePermissions *permissions; /* of its folder; NULL: it has none */
    GPtrArray *volumes;              /* of StorageVolume, complete, in the order of their names */
} Content;

typedef struct {
    StoragePoolType type;

    /* Pools. */
    gboolean (*build)(const StoragePool *pool, guint flags, GError **error);
    gboolean (*check)(const StoragePool *pool, gboolean *ret_active,
                      GError **error); /* after a restart of the host's */
    gboolean (*start)(const StoragePool *pool, GError **error);
    gboolean (*stop)(const StoragePool *pool, GError **error);
    gboolean (*delete)(const StoragePool *pool, guint flags, GError **error);
    gboolean (*refresh)(const StoragePool *pool, Content *ret_content, GError **error);
    char *(*find_sources)(const char *spec, GError **error);

    /* Volumes. `prepare` checks a new one and fills in path, key and type; the other functions find it by its path.
     * Those that write content run without the pool, on a volume that is marked as used. */
    gboolean (*volume_prepare)(const StoragePool *pool, StorageVolume *volume, GError **error);
    gboolean (*volume_build)(const StoragePool *pool, StorageVolume *volume, const StorageVolume *from, guint flags,
                             GError **error);
    gboolean (*volume_delete)(const StoragePool *pool, const StorageVolume *volume, guint flags, GError **error);
    gboolean (*volume_resize)(const StoragePool *pool, const StorageVolume *volume, guint64 capacity, guint flags,
                              GError **error);
    gboolean (*volume_wipe)(const StoragePool *pool, const StorageVolume *volume, guint algorithm, GError **error);
    StorageVolume *(*volume_refresh)(const StoragePool *pool, const StorageVolume *volume, GError **error);
    /* A descriptor of its content from OFFSET on, for a stream of LENGTH octets (0: all); and the process that serves
     * it. */
    gboolean (*volume_transfer)(const StoragePool *pool, const StorageVolume *volume, gboolean upload, guint64 offset,
                                guint64 length, int *ret_fd, pid_t *ret_pid, GError **error);
} Backend;

/* NULL with libvirt's words for a module that is missing. */
const Backend *backend_for(StoragePoolType type, GError **error);

extern const Backend backend_dir;
