/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Pools on disk: definitions (state/storage), which survive kill -9 and loss of power, and which are active
 * (run/storage), which survive a restart of the daemon. Each may block. */
#include "daemon/storage/pool.h"
#include "lib/driver/host.h"

gboolean pool_store_open(const DriverPaths *paths, GError **error);

gboolean pool_store_save(const StoragePool *def, GError **error);
gboolean pool_store_remove(const VolumePool *pool, GError **error); /* and its marker */
gboolean pool_store_set_autostart(const VolumePool *pool, gboolean autostart, GError **error);

/* A pool that is active, by its live definition; and one that is no longer. */
gboolean pool_store_save_run(const StoragePool *def, GError **error);
gboolean pool_store_remove_run(const VolumePool *pool, GError **error);

typedef void (*PoolStoreFound)(StoragePool *def, gboolean autostart); /* DEF is borrowed */
void pool_store_load(PoolStoreFound definition, PoolStoreFound run);
