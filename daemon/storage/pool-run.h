/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A pool begins, is looked at, ends. With the pool entered. */
#include "daemon/storage/backend.h"

gboolean pool_run_start(VolumePool *pool, guint flags, GError **error); /* virStoragePoolCreateFlags */
gboolean pool_run_stop(VolumePool *pool, GError **error);
/* Where it fails the pool is stopped, as libvirt has it. */
gboolean pool_run_refresh(VolumePool *pool, GError **error);
/* Its sizes only: after a volume has changed. */
void pool_run_account(VolumePool *pool, gint64 allocated);

/* A pool that is active already, by its record. */
gboolean pool_run_resume(VolumePool *pool, GError **error);
