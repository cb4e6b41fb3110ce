/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A disk's images as nodes of QEMU's block layer.
 *
 * Each image of a chain has a number, written into the live definition (source index='', backingStore index=''), and
 * two nodes: "libvirt-N-storage", the file, and "libvirt-N-format" on top of it.
 */
#include "driver-kvm/argv.h"
#include "lib/model/domain-disk.h"

/* How a cache mode is told to QEMU. FALSE for the default mode, where nothing is said. */
gboolean block_cache(DiskCache mode, gboolean *ret_writeback, gboolean *ret_direct, gboolean *ret_no_flush);

/* What the images' formats and places have to be for this driver. */
gboolean block_validate(const Disk *disk, GError **error);

gboolean block_validate_image(const DiskImage *image, GError **error);

gboolean block_has_medium(const Disk *disk);

/* A file, a device or a folder of this host. */
gboolean block_is_local(const DiskImage *image);

/* Whether an image of FORMAT can build on another one. */
gboolean block_may_build(StorageFormat format);

/* Looks at DISK's image; completes its chain in <backingStore> from what the images say, unless the document says it. */
gboolean block_prepare(Disk *disk, const ArgvContext *context, GError **error);

/* Number the images as libvirt does, from the last disk to the first: before block_prepare() what the document says,
 * after it what was found. */
void block_number_said(Domain *live, ArgvContext *context);
void block_number_found(Domain *live, ArgvContext *context);

/* The highest number that an image of LIVE has; 0: none has any. */
guint block_highest(const Domain *live);
guint block_highest_of(const Disk *disk);

/* Numbers those images of DISK that have no number, from NEXT on. */
void block_number_new(Disk *disk, guint next);

/* Appends the nodes of the chain, deepest first, each after its secrets, which CONTEXT has ready (block-secret.h). */
gboolean block_build(const Disk *disk, const ArgvContext *context, GPtrArray *parts, GError **error);

/* The node of the file of the image with the number INDEX; to free. And the other way round; FALSE: it is no such node. */
char *block_storage_node(guint index);
gboolean block_storage_index(const char *node, guint *ret_index);

/* The node of the image itself, DISK's (there is a medium) or that with the number INDEX. To free. */
char *block_format_node(const Disk *disk);
char *block_image_node(guint index);

/* The node that the device is attached to; NULL without a medium. To free. */
char *block_top(const Disk *disk);
