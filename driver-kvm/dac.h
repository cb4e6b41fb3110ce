/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Whose files are: QEMU's user gets the files of its guest while the guest runs, and the old owner gets them back after.
 *
 * Only what that user cannot use as it is changes hands, so a readable kernel or CD image stays as it is. Who had a file
 * before is on disk before it changes hands. A file that several guests share goes back with the last of them.
 *
 * Paths are touched in a killable copy of the process. Any thread but a loop's.
 */
#include <glib.h>
#include "lib/process.h"

typedef struct Dac Dac;

typedef struct {
    char *path;
    gboolean write;
} DacPath;

GPtrArray *dac_paths_new(void); /* of DacPath */
void dac_paths_add(GPtrArray *paths, const char *path, gboolean write); /* PATH may be NULL: nothing */

/* IDS: QEMU's user, borrowed; NULL: QEMU runs as we do, nothing is to be done. FOLDER: below it lie the runs' folders, whose
 * records are read now. */
Dac *dac_new(const ProcessIds *ids, const char *folder);
void dac_free(Dac *dac); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dac, dac_free)

/* Makes PATHS usable for the guest whose folder is RUN. VIR_ERR_SYSTEM_ERROR names the path, and the folder in it that is in
 * the way. */
gboolean dac_take(Dac *dac, const char *run, const GPtrArray *paths, GError **error);

/* Gives back those of GONE that the guest with folder RUN took and that are not among REST: the files of a device that has gone. */
void dac_drop(Dac *dac, const char *run, const GPtrArray *gone, const GPtrArray *rest);

/* Gives back what the guest with folder RUN took. What cannot be given back is left; QEMU's process must be gone. */
void dac_give_back(Dac *dac, const char *run);
