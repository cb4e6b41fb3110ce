/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A device's place in the order of booting: its own <boot order=''/>, or what <os><boot dev=''/> makes of it: each kind of
 * device stands for the first of that kind. 0: it is not booted from. */
#include "lib/model/model.h"

guint boot_order_of_disk(const Domain *def, const Disk *disk);
guint boot_order_of_interface(const Domain *def, const Interface *interface);
