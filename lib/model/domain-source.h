/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where the data of a disk, a backing image, a mirror lies. */
#include "lib/model/model.h"

/* Fills in what a source leaves open (ports, LUNs, who decrypts), for a disk, what it builds on and its copies, and refuses
 * what is wrong with it alone. */
gboolean domain_normalize_source(StorageType type, DiskSource *source, GError **error); /* the same of one; NULL is allowed */
gboolean domain_normalize_sources(Disk *disk, GError **error);

/* What a disk's source allows the disk to be: credentials, encryption, LUNs, reservations, vhost-user. */
gboolean domain_validate_source(const Disk *disk, GError **error);
