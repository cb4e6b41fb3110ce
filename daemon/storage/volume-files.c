/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes that are files: what raw content is not, qemu-img makes. */
#include "daemon/storage/volume-files.h"

#include <errno.h>
#include <string.h>

#include "daemon/storage/scan.h"
#include "daemon/storage/volume-image.h"
#include "daemon/storage/volume-program.h"
#include "lib/patient.h"

static gint64 soon(void)
{
    return g_get_monotonic_time() + BACKEND_DEADLINE;
}

gboolean volume_file_prepare(const StoragePool *pool, StorageVolume *volume, GError **error)
{
    if (strchr(volume->name, '/'))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID, "volume name '%s' cannot contain '/'",
                         volume->name);
    if (g_str_equal(volume->name, ".") || g_str_equal(volume->name, "..") ||
        g_str_has_prefix(volume->name, SCAN_TEMPORARY))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID, "volume name '%s' is not allowed",
                         volume->name);
    g_free(volume->target->path);
    g_free(volume->key);
    volume->target->path = g_build_filename(storage_pool_path(pool), volume->name, NULL);
    volume->key = g_strdup(volume->target->path);
    volume->type = volume_image_format(volume) == STORAGE_VOLUME_FORMAT_DIR ? STORAGE_VOLUME_TYPE_DIR : STORAGE_VOLUME_TYPE_FILE;
    return TRUE;
}

static gboolean check_new(const StorageVolume *volume, guint flags, GError **error)
{
    StorageVolumeFormat format = volume_image_format(volume);
    struct stat info;
    if (!volume_image_check(volume, error))
        return FALSE;
    if (format == STORAGE_VOLUME_FORMAT_RAW && volume->backing_store)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT, "backing storage not supported for raw volumes");
    if (format == STORAGE_VOLUME_FORMAT_RAW && (flags & VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_CONFIG_UNSUPPORTED,
                         "metadata preallocation is not supported for raw volumes");
    return !volume->backing_store || patient_stat(volume->backing_store->path, &info, soon()) ||
           error_set_errno(error, VIR_FROM_STORAGE, errno, "inaccessible backing store volume %s",
                           volume->backing_store->path);
}

static gint64 id_of(gint64 id)
{
    return id == (gint64)UNSET64 ? -1 : id;
}

static VolumeWork work_of(const StoragePool *pool, const StorageVolume *volume)
{
    const StoragePermissions *wish = volume->target->permissions;
    VolumeWork work = {.path = volume->target->path,
                       .folder = storage_pool_path(pool),
                       .owner = -1,
                       .group = -1,
                       .mode = wish && wish->mode != UNSET32 ? wish->mode : 0600};
    if (wish) {
        work.owner = id_of(wish->owner);
        work.group = id_of(wish->group);
    }
    return work;
}

static gboolean make_image(VolumeWork *work, const StorageVolume *volume, const StorageVolume *from, guint flags,
                           GError **error)
{
    if (!volume_copy_begin(work, error))
        return FALSE;
    g_autofree char *path = g_build_filename(work->folder, work->temporary, NULL);
    if (volume_image_make(volume, from, path, flags, error) && volume_copy_finish(work, error))
        return TRUE;
    volume_copy_forget(work);
    return FALSE;
}

/* What the file has is what a guest sees. */
static gboolean is_raw(const StorageVolume *volume)
{
    return volume_image_format(volume) == STORAGE_VOLUME_FORMAT_RAW && !volume->target->encryption;
}

gboolean volume_file_build(const StoragePool *pool, StorageVolume *volume, const StorageVolume *from, guint flags,
                           GError **error)
{
    VolumeWork work = work_of(pool, volume);
    if (!check_new(volume, flags, error))
        return FALSE;
    work.is_folder = volume->type == STORAGE_VOLUME_TYPE_DIR;
    if (!work.is_folder && !(is_raw(volume) && (!from || is_raw(from))))
        return make_image(&work, volume, from, flags, error);
    work.source = from ? from->target->path : NULL;
    work.reflink = (flags & VIR_STORAGE_VOL_CREATE_REFLINK) != 0;
    work.capacity = volume->capacity;
    work.allocation = volume->allocation == UNSET64 ? volume->capacity : MIN(volume->allocation, volume->capacity);
    return volume_copy_make(&work, error);
}

gboolean volume_file_delete(const StoragePool *pool, const StorageVolume *volume, guint flags, GError **error)
{
    if (flags)
        return error_set_plain(error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                               "unsupported flags (0x%x) in function virStorageBackendVolDeleteLocal", flags);
    return volume_copy_remove(volume->target->path, volume->type == STORAGE_VOLUME_TYPE_DIR, error);
}

gboolean volume_file_resize(const StoragePool *pool, const StorageVolume *volume, guint64 capacity, guint flags,
                            GError **error)
{
    gboolean allocate = (flags & VIR_STORAGE_VOL_RESIZE_ALLOCATE) != 0;
    if (is_raw(volume))
        return volume_copy_resize(volume->target->path, capacity, allocate, error);
    if (allocate)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_UNSUPPORTED, "preallocate is only supported for %s",
                         volume_image_format(volume) == STORAGE_VOLUME_FORMAT_RAW ? "an unencrypted raw volume" : "raw type volume");
    return volume_image_resize(volume, capacity, error);
}

/* What libvirt's other algorithms are called by scrub. */
static const char *const scrub_names[] = {
    [VIR_STORAGE_VOL_WIPE_ALG_NNSA] = "nnsa",
    [VIR_STORAGE_VOL_WIPE_ALG_DOD] = "dod",
    [VIR_STORAGE_VOL_WIPE_ALG_BSI] = "bsi",
    [VIR_STORAGE_VOL_WIPE_ALG_GUTMANN] = "gutmann",
    [VIR_STORAGE_VOL_WIPE_ALG_SCHNEIER] = "schneier",
    [VIR_STORAGE_VOL_WIPE_ALG_PFITZNER7] = "pfitzner7",
    [VIR_STORAGE_VOL_WIPE_ALG_PFITZNER33] = "pfitzner33",
    [VIR_STORAGE_VOL_WIPE_ALG_RANDOM] = "random",
};

gboolean volume_file_wipe(const StoragePool *pool, const StorageVolume *volume, guint algorithm, GError **error)
{
    if (algorithm == VIR_STORAGE_VOL_WIPE_ALG_ZERO)
        return volume_copy_zero(volume->target->path, error);
    if (algorithm >= G_N_ELEMENTS(scrub_names))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_ARGUMENT_UNSUPPORTED, "'trim' algorithm not supported");
    g_autoptr(VolumeProgram) program = volume_program_new("scrub");
    for (const char *const *word = (const char *[]){"-f", "-p", scrub_names[algorithm], volume->target->path, NULL}; *word; word++)
        volume_program_add(program, "%s", *word);
    return volume_program_run(program, error);
}

/* Whose passphrase it is, no image says. */
static void keep_encryption(const StorageVolume *before, StorageVolume *now)
{
    const StorageEncryption *known = before->target->encryption, *found = now->target->encryption;

    if (!known || !found || known->format != found->format)
        return;
    storage_encryption_free(now->target->encryption);
    now->target->encryption = storage_encryption_copy(known);
}

StorageVolume *volume_file_refresh(const StoragePool *pool, const StorageVolume *volume, GError **error)
{
    StorageVolume *now = scan_file(storage_pool_path(pool), volume->name, error);
    /* an image of a CD that is not written yet looks like nothing */
    if (now && volume_image_format(volume) == STORAGE_VOLUME_FORMAT_ISO && now->target->format->type == STORAGE_VOLUME_FORMAT_RAW)
        now->target->format->type = STORAGE_VOLUME_FORMAT_ISO;
    /* libvirt learns it at a refresh of the pool only */
    if (now && volume_image_format(now) == volume_image_format(volume))
        now->target->cluster_size = volume->target->cluster_size;
    if (now)
        keep_encryption(volume, now);
    return now;
}
