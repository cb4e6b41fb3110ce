/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A guest in a file, about to run again. One thread at a time; everything may block on the disk. */
#include "daemon/core/run.h"
#include "lib/process.h"
#include "lib/save-header.h"

typedef struct {
    char *path;
    int fd;               /* stands at the stream, unpacked if it was packed */
    SaveHeader *header;
    Domain *definition;   /* what the file says, with every default filled in by the driver */
    Process unpacker;     /* clear: the stream is not packed */
} SavedRun;

/* The file PATH (VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED or VIR_ERR_SYSTEM_ERROR if it is none). NEW_XML, unless it is
 * NULL, takes the place of the document in it, and may not change what the guest sees. */
SavedRun *saved_run_open(const DriverInstance *instance, const char *path, const char *new_xml, gboolean bypass_cache,
                         GError **error);
void saved_run_free(SavedRun *saved); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SavedRun, saved_run_free)

/* HOW starts what SAVED holds, which must stay until that has happened. Paused if it was saved so. */
void saved_run_apply(const SavedRun *saved, RunStart *how);

/* Opens a saved guest's file with FLAGS of open(2): a file, a block device, or a link to one of these. Nothing else is
 * opened, not even to look: there are devices that do something then. -1 with ERROR. */
int saved_run_open_file(const char *path, int flags, GError **error);
