/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Disks whose data are a volume of a storage pool. Where that is gets settled at each start; the document goes on naming the volume. */
#include "driver-kvm/argv.h"

/* Writes into DISK where its volume is, if it is of that type, and what follows from that. Errors of DriverHost.volume. */
gboolean block_volume_find(Disk *disk, const ArgvContext *context, GError **error);
