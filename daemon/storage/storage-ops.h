/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What handlers about pools and volumes share. */
#include "daemon/rpc/call.h"
#include "daemon/storage/backend.h"

/* The pool of a wire argument: a new reference, or NULL with VIR_ERR_NO_STORAGE_POOL. */
VolumePool *ops_pool(const RemoteNonnullStoragePool *pool, GError **error);

/* The same, entered. */
VolumePool *ops_enter(const RemoteNonnullStoragePool *pool, GError **error);
/* Leaves and forgets it; NULL is allowed. */
void ops_leave(VolumePool *pool);

/* The pool and the volume (both new references) of a wire argument; the pool is active. */
VolumePool *ops_volume(const RemoteNonnullStorageVol *vol, StorageVolume **ret_volume, GError **error);

void ops_fill_pool(VolumePool *pool, RemoteNonnullStoragePool *ret);
void ops_fill_volume(const char *pool, const StorageVolume *volume, RemoteNonnullStorageVol *ret);

/* The document TEXT, held against our schema for WHAT ("pool", "volume") if VALIDATE. */
XmlDocument *ops_document(const char *text, const char *what, gboolean validate, GError **error);
