/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a guest read and wrote. */
#include "driver-xen/context.h"
#include "lib/params.h"

/* Adds "block.count" and "block.N.*" of LIVE's disks. Counters are those of the kernel's block back end: of a disk that a process
 * serves there are none. */
void stats_block(Context *context, guint32 domid, const Domain *live, Params *params);
