/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The secrets of a disk's images: passphrases of what is encrypted, passwords and cookies for servers. */
#include "driver-kvm/argv.h"
#include "lib/model/domain-disk.h"

/* Has those of DISK's chain ready that the document names; its images are numbered. Errors of DriverHost.secret;
 * VIR_ERR_INTERNAL_ERROR: one that QEMU needs is not named. */
gboolean block_secret_take(const Disk *disk, ArgvContext *context, GError **error);

/* Appends IMAGE's as objects. */
void block_secret_build(const DiskImage *image, const ArgvContext *context, GPtrArray *parts);

/* The object's name, to free; NULL: it needs none. */
char *block_secret_password(const DiskImage *image);
char *block_secret_cookies(const DiskImage *image);
char *block_secret_passphrase(const DiskImage *image);
