/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Disks whose image is not opened by name but is among the open files that a client has left with the domain. QEMU gets them as a set
 * of descriptors for each disk.
 */
#include "driver-kvm/argv.h"
#include "driver-kvm/kvm.h"

/* Gives CONTEXT what VM (NULL: nothing is left with it) has for LIVE's disks. VIR_ERR_INVALID_ARG if that is nothing. */
gboolean fd_groups_pass(const Kvm *kvm, Vm *vm, const Domain *live, ArgvContext *context, GError **error);

/* Our first descriptor for DISK; -1: CONTEXT has none. */
int fd_groups_first(const ArgvContext *context, const Disk *disk);

/* The number of the set for DISK, which has a number itself. */
guint fd_groups_set(const DiskSource *source);

/* Tells QEMU of all sets. */
void fd_groups_build(const Domain *live, const ArgvContext *context, GPtrArray *parts);
