/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A file that a guest is being saved or dumped to. Nobody sees it under its name before it is whole and on the disk,
 * and kill -9 before that leaves nothing behind. One thread at a time.
 *
 * The disk is another process's to wait for: no call here takes longer than the patience for each thing that is asked of
 * it, and who writes to save_file_fd() hears of a disk that hangs by EPIPE.
 */
#include <glib.h>

#define SAVE_FILE_PATIENCE (30 * G_USEC_PER_SEC)

typedef struct {
    const GByteArray *partial, *whole; /* as many bytes each: what the file begins with until, and when, it is complete; NULL:
                                          nothing of ours */
    gboolean bypass_cache; /* what is written does not stay in the host's page cache */
    gboolean seekable;     /* who writes wants the file itself; then a disk that hangs is his to wait for */
    gint64 patience;       /* microseconds */
} SaveFileHow;

typedef struct SaveFile SaveFile;

/* For PATH, which may exist (it is then replaced at the end, unless it is a block device, which is written directly).
 * HOW is not needed afterwards. VIR_ERR_SYSTEM_ERROR in libvirt's words. */
SaveFile *save_file_new(const char *path, const SaveFileHow *how, GError **error);
void save_file_free(SaveFile *file); /* what was not committed is gone; NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SaveFile, save_file_free)

int save_file_fd(const SaveFile *file); /* for writing, from behind the head on; FILE's */
const char *save_file_path(const SaveFile *file);

/* Who wrote to it has failed: *ERROR becomes what the disk says, if it was the disk. */
void save_file_explain(SaveFile *file, GError **error);

/* What was written is on the disk, and PATH is its name. No more can be written. */
gboolean save_file_commit(SaveFile *file, GError **error);
