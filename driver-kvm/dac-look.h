/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What dac.c does with files themselves. Each is done in a forked copy of the process, which may hang in the kernel without
 * harm and is killed at a deadline.
 */
#include <sys/stat.h>

#include "driver-kvm/dac.h"

#define DAC_PATHS_MAX 4096

typedef struct {
    guint64 dev, ino;
} FileKey;

/* What the forked copy says of one path. */
typedef struct {
    int error;      /* of looking at it; 0: the rest is true */
    int forbidden;  /* errno of using it as QEMU's user; 0: it may */
    FileKey key;
    uid_t uid;
    gid_t gid;
    mode_t mode;
} Look;

/* Looks at PATHS (of DacPath, at most DAC_PATHS_MAX): one Look each, to free. CHANGE (or NULL) says which change hands to
 * IDS first, if they still are what LOOKED says. */
Look *dac_look(const ProcessIds *ids, const GPtrArray *paths, const gboolean *change, const Look *looked, GError **error);

/* The length of the part of PATH that IDS may not search; 0: none, or not known. */
gsize dac_obstacle(const ProcessIds *ids, DacPath *path);

/* PATH becomes UID's and GID's, if it still is KEY and IDS's. */
void dac_return(const ProcessIds *ids, const char *path, const FileKey *key, uid_t uid, gid_t gid);
