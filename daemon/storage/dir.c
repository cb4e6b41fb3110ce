/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pools that are folders. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/storage/scan.h"
#include "daemon/storage/volume-files.h"
#include "lib/process.h"

typedef struct {
    const char *path;
    guint mode; /* UNSET32: as it is, or 0711 where it is new */
    gint64 owner, group;
    gboolean remove;
} Folder;

/* In the copy. Missing parents are made. An errno comes back. */
static int make_path(const Folder *folder)
{
    static char path[PATH_MAX];
    gsize length = strlen(folder->path);
    gboolean new = FALSE;
    if (length >= sizeof path)
        return ENAMETOOLONG;
    for (gsize i = 1; i <= length; i++) {
        if (i < length && folder->path[i] != '/')
            continue;
        memcpy(path, folder->path, i);
        path[i] = '\0';
        new = mkdir(path, i < length ? 0755 : 0711) == 0;
        if (!new &&errno != EEXIST)
            return errno;
    }
    if (new &&chmod(folder->path, folder->mode == UNSET32 ? 0711 : folder->mode) < 0)
        return errno;
    if (!new && folder->mode != UNSET32 && chmod(folder->path, folder->mode) < 0)
        return errno;
    if ((folder->owner >= 0 || folder->group >= 0) &&
        chown(folder->path, (uid_t)folder->owner, (gid_t)folder->group) < 0)
        return errno;
    return 0;
}

static int change_folder(gpointer data, int out)
{
    const Folder *folder = data;
    int errnum = folder->remove ? (rmdir(folder->path) < 0 ? errno : 0) : make_path(folder);
    return write(out, &errnum, sizeof errnum) != sizeof errnum;
}

static gboolean change(const Folder *folder, virErrorDomain from, const char *words, GError **error)
{
    g_autofree char *what = g_strdup_printf("changing folder '%s'", folder->path);
    g_autoptr(GByteArray) answer = process_call(what, change_folder, (gpointer)folder, sizeof(int),
                                                g_get_monotonic_time() + BACKEND_DEADLINE, error);
    int errnum;
    if (!answer)
        return FALSE;
    if (answer->len != sizeof errnum)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "%s: no answer", what);
    memcpy(&errnum, answer->data, sizeof errnum);
    return errnum == 0 || error_set_errno(error, from, errnum, words, folder->path);
}

static gboolean dir_build(const StoragePool *pool, guint flags, GError **error)
{
    const StoragePermissions *wish = pool->target->permissions;
    Folder folder = {pool->target->path, wish ? wish->mode : UNSET32, -1, -1, FALSE};
    if (flags & (VIR_STORAGE_POOL_BUILD_OVERWRITE | VIR_STORAGE_POOL_BUILD_NO_OVERWRITE))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID,
                         "No source device specified when formatting pool '%s'", pool->name);
    if (flags)
        return error_set_plain(error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                               "unsupported flags (0x%x) in function virStorageBackendFileSystemBuild", flags);
    if (!g_path_is_absolute(folder.path))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG, "path '%s' is not absolute", folder.path);
    if (wish && wish->owner != (gint64)UNSET64)
        folder.owner = wish->owner;
    if (wish && wish->group != (gint64)UNSET64)
        folder.group = wish->group;
    return change(&folder, VIR_FROM_STORAGE, "failed to create directory '%s'", error);
}

static gboolean dir_delete(const StoragePool *pool, guint flags, GError **error)
{
    const Folder folder = {.path = pool->target->path, .remove = TRUE};
    if (flags)
        return error_set_plain(error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                               "unsupported flags (0x%x) in function virStorageBackendDeleteLocal", flags);
    return change(&folder, VIR_FROM_STORAGE, "failed to remove pool '%s'", error);
}

/* Nothing is being made while a pool is refreshed: what looks like it, a kill left. */
static gboolean dir_refresh(const StoragePool *pool, Content *ret_content, GError **error)
{
    return scan_folder(pool->target->path, TRUE, ret_content, error);
}

const Backend backend_dir = {
    .type = STORAGE_POOL_TYPE_DIR,
    .build = dir_build,
    .delete = dir_delete,
    .refresh = dir_refresh,
    .volume_prepare = volume_file_prepare,
    .volume_build = volume_file_build,
    .volume_delete = volume_file_delete,
    .volume_resize = volume_file_resize,
    .volume_wipe = volume_file_wipe,
    .volume_refresh = volume_file_refresh,
    .volume_transfer = volume_file_transfer,
};
