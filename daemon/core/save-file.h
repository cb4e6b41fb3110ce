/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A file that a guest is being saved or dumped to. Nobody sees it under its name before it is whole and on the disk,
 * and kill -9 before that leaves nothing behind. One thread at a time; everything may block on the disk.
 */
#include <glib.h>

typedef struct SaveFile SaveFile;

/* For PATH, which may exist (it is then replaced at the end, unless it is a block device, which is written directly).
 * BYPASS_CACHE: what is written does not stay in the host's page cache. VIR_ERR_SYSTEM_ERROR in libvirt's words. */
SaveFile *save_file_new(const char *path, gboolean bypass_cache, GError **error);
void save_file_free(SaveFile *file); /* what was not committed is gone; NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SaveFile, save_file_free)

int save_file_fd(const SaveFile *file); /* for reading and writing; FILE's */
const char *save_file_path(const SaveFile *file);

/* What was written is on the disk, and PATH is its name. */
gboolean save_file_commit(SaveFile *file, GError **error);
