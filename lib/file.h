/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Files that must survive, files that are not trusted, and locks. Any thread; everything may block on the disk.
 *
 * Errors are VIR_ERR_SYSTEM_ERROR (VIR_FROM_NONE) and name the path.
 */
#include <glib.h>
#include <sys/types.h>

/* Makes PATH hold exactly DATA: a reader, and whoever looks after a crash or power loss, sees the old content or the new,
 * never a mixture. On return the new content and its name are on the disk; after a failure the old one is there. LENGTH -1:
 * strlen. A kill may leave a file PATH.new behind, as one in file_remove() may. */
gboolean file_replace(const char *path, const void *data, gssize length, mode_t mode, GError **error);

/* The same for a file system in memory: whoever looks after kill -9 sees the old or the new, but nothing is synced. */
gboolean file_replace_volatile(const char *path, const void *data, gssize length, mode_t mode, GError **error);

/* Removes PATH, no folder, and puts that on the disk; after a failure it is still there. A PATH that is not there is a
 * success. */
gboolean file_remove(const char *path, GError **error);

/* Puts what was created, renamed or removed in FOLDER on the disk. */
gboolean file_sync_folder(const char *folder, GError **error);

/* Opens an existing regular file for reading, without following a symbolic link in its last component and without ever
 * waiting for a pipe's other end. -1 with ERROR. */
int file_open(const char *path, GError **error);

/* Opens RELATIVE with open(2) FLAGS and MODE (O_CLOEXEC is added) below FOLDER_FD, which no "..", symbolic link or mount
 * of /proc in it can leave. -1 with ERROR. */
int file_open_beneath(int folder_fd, const char *relative, int flags, mode_t mode, GError **error);

/* The whole content, NUL terminated, of a regular file of at most MAX bytes; to free. NULL with ERROR. RET_LENGTH may be
 * NULL. */
char *file_read(const char *path, gsize max, gsize *ret_length, GError **error);

/* PATH and its parents, each made with MODE where missing. */
gboolean file_make_folder(const char *path, mode_t mode, GError **error);

/* Removes PATH and everything below it; symbolic links are removed, never followed. Missing is a success. */
gboolean file_remove_tree(const char *path, GError **error);

/* A descriptor that holds an exclusive lock on PATH (made where missing) until it and all its inherited duplicates are
 * closed. Does not wait: -1 with VIR_ERR_RESOURCE_BUSY if somebody else holds it. The descriptor is close-on-exec. */
int file_lock(const char *path, GError **error);
