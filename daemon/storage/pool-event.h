/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Who wants to know what happens to which pool. Emitting never waits. Any thread. */
#include "daemon/storage/pool.h"

void pool_event_lifecycle(VolumePool *pool, int event); /* virStoragePoolEventLifecycleType */
void pool_event_refresh(VolumePool *pool);
