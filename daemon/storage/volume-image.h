/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Volumes whose format or encryption takes qemu-img. A passphrase goes to it by a pipe: it is in no file, and on no command line. Any thread
 * that may block.
 */
#include "daemon/storage/backend.h"

StorageVolumeFormat volume_image_format(const StorageVolume *volume);

/* VOLUME, which may have no encryption, can be made so. Libvirt's errors. */
gboolean volume_image_check(const StorageVolume *volume, GError **error);

/* Its content at PATH, which is there and empty; FROM (may be NULL): what is copied. */
gboolean volume_image_make(const StorageVolume *volume, const StorageVolume *from, const char *path, guint flags, GError **error);

gboolean volume_image_resize(const StorageVolume *volume, guint64 capacity, GError **error);
