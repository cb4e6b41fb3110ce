/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where the disks of guests that name a volume have their data: DriverHost.volume. Never waits. */
#include "lib/driver/host.h"

gboolean volume_place(const char *pool, const char *volume, VolumePlace *ret_place, GError **error);
