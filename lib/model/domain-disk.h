/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Disks of a domain as clients name them. Any thread. */
#include "lib/model/model.h"

/* The disk of DEF that NAME means, its target ("vda") or the path of its source; NULL: none. */
Disk *domain_disk_find(const Domain *def, const char *name);

/* The path or the name of DISK's source; NULL: it has none. */
const char *disk_path(const Disk *disk);
