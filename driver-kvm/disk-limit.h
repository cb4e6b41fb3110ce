/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Limits of a disk (QMP: block_set_io_throttle). They are set on the device once it is there, and again when they change. */
#include "driver-kvm/argv.h"

/* Appends the command that gives QEMU the limits of DISK, all of them: what is not said has none. */
void disk_limit(const Disk *disk, ArgvContext *context);

/* The part of DISK's device that QEMU has given the image to, by which limits are set: also the name of the group that it is in alone. */
char *disk_limit_group(const Disk *disk);
