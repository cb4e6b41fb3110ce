/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers: volumes. What only looks or takes a moment happens with the pool entered. What writes content of any size
 * does not: the volume is marked as used, the pool is left, and entered again to publish what came of it.
 */
#include <string.h>
#include <sys/stat.h>

#include "daemon/core/queue.h"
#include "daemon/rpc/stream.h"
#include "daemon/storage/pool-event.h"
#include "daemon/storage/pool-run.h"
#include "daemon/storage/storage-ops.h"
#include "lib/log.h"
#include "lib/process.h"

static gint64 allocation_of(const StorageVolume *volume)
{
    return volume && volume->allocation != UNSET64 ? (gint64)MIN(volume->allocation, (guint64)G_MAXINT64) : 0;
}

/* VOLUME as it is now, a new reference, published; NULL with ERROR. Without the pool. */
static StorageVolume *look_again(VolumePool *pool, const StorageVolume *volume, GError **error)
{
    g_autoptr(PoolView) view = pool_view(pool);
    const Backend *backend = backend_for(view->def->type, error);
    if (!backend)
        return NULL;
    if (!backend->volume_refresh) {
        error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT, "storage pool does not support volume refresh");
        return NULL;
    }
    return backend->volume_refresh(view->def, volume, error);
}

/* The same, of the volume that a wire argument names. */
static StorageVolume *current(const RemoteNonnullStorageVol *wire, GError **error)
{
    g_autoptr(StorageVolume) known = NULL;
    g_autoptr(VolumePool) pool = ops_volume(wire, &known, error);
    if (!pool)
        return NULL;
    pool_settle(pool, known->name);
    return look_again(pool, known, error);
}

static int info_type(const StorageVolume *volume)
{
    return volume->type ? (int)volume->type - 1 : VIR_STORAGE_VOL_FILE; /* libvirt counts from 0 */
}

gboolean remote_storage_vol_get_info(Call *call, const RemoteStorageVolGetInfoArgs *args,
                                     RemoteStorageVolGetInfoRet *ret, GError **error)
{
    g_autoptr(StorageVolume) volume = current(&args->vol, error);
    if (!volume)
        return FALSE;
    ret->type = (char)info_type(volume);
    ret->capacity = volume->capacity;
    ret->allocation = volume->allocation;
    return TRUE;
}

gboolean remote_storage_vol_get_info_flags(Call *call, const RemoteStorageVolGetInfoFlagsArgs *args,
                                           RemoteStorageVolGetInfoFlagsRet *ret, GError **error)
{
    g_autoptr(StorageVolume) volume = current(&args->vol, error);
    if (!volume)
        return FALSE;
    ret->type = (char)info_type(volume);
    ret->capacity = volume->capacity;
    ret->allocation = volume->allocation;
    if (args->flags & VIR_STORAGE_VOL_GET_PHYSICAL)
        ret->allocation = volume->physical == UNSET64 ? 0 : volume->physical;
    return TRUE;
}

gboolean remote_storage_vol_get_xml_desc(Call *call, const RemoteStorageVolGetXmlDescArgs *args,
                                         RemoteStorageVolGetXmlDescRet *ret, GError **error)
{
    g_autoptr(StorageVolume) volume = current(&args->vol, error);
    if (!volume)
        return FALSE;
    ret->xml = model_format_text(&storage_volume_type, volume, 0);
    return TRUE;
}

/* --- create --- */

typedef struct {
    VolumePool *pool;
    const Backend *backend;
    StorageVolume *volume; /* owned */
    const StorageVolume *from;
    guint flags;
} Make;

/* With the pool entered. */
static gboolean reserve(Make *make, GError **error)
{
    g_autoptr(PoolView) view = pool_view(make->pool);
    if (!pool_check_active(view, error))
        return FALSE;
    if (pool_find_volume(view, make->volume->name))
        return make->from ? error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR,
                                      "storage volume name '%s' already in use.", make->volume->name)
                          : error_set(error, VIR_FROM_STORAGE, VIR_ERR_STORAGE_VOL_EXIST, "'%s'", make->volume->name);
    if (!make->backend->volume_prepare || !make->backend->volume_build)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT, "storage pool does not support volume creation");
    return make->backend->volume_prepare(view->def, make->volume, error) &&
           pool_use(make->pool, make->volume->name, "being allocated", error);
}

/* Without it. */
static gboolean make_reserved(Make *make, StorageVolume **ret_now, GError **error)
{
    g_autoptr(PoolView) view = pool_view(make->pool);
    if (!make->backend->volume_build(view->def, make->volume, make->from, make->flags, error))
        return FALSE;
    *ret_now = look_again(make->pool, make->volume, error);
    return *ret_now != NULL;
}

static gboolean make_volume(Make *make, RemoteNonnullStorageVol *ret, GError **error)
{
    StorageVolume *now = NULL;
    if (!pool_enter(make->pool, error))
        return FALSE;
    gboolean ok = reserve(make, error);
    pool_leave(make->pool);
    if (!ok)
        return FALSE;
    ok = make_reserved(make, &now, error);
    pool_unuse(make->pool, make->volume->name);
    if (!ok)
        return FALSE;
    g_autoptr(PoolView) view = pool_view(make->pool);
    ops_fill_volume(view->def->name, now, ret);
    pool_run_account(make->pool, allocation_of(now));
    pool_put_volume(make->pool, now);
    return TRUE;
}

static StorageVolume *read_volume(const PoolView *view, const char *xml, gboolean validate, guint how, GError **error)
{
    g_autoptr(XmlDocument) document = ops_document(xml, "volume", validate, error);
    return document ? storage_volume_read(document, view->def->type, how, error) : NULL;
}

gboolean remote_storage_vol_create_xml(Call *call, const RemoteStorageVolCreateXmlArgs *args,
                                       RemoteStorageVolCreateXmlRet *ret, GError **error)
{
    g_autoptr(VolumePool) pool = ops_pool(&args->pool, error);
    g_autoptr(PoolView) view = pool ? pool_view(pool) : NULL;
    if (!view || !pool_check_active(view, error))
        return FALSE;
    Make make = {.pool = pool, .backend = backend_for(view->def->type, error), .flags = args->flags};
    g_autoptr(StorageVolume) volume = make.backend
                                          ? read_volume(view, args->xml, args->flags & VIR_STORAGE_VOL_CREATE_VALIDATE,
                                                        STORAGE_VOLUME_OPTIONAL_CAPACITY, error)
                                          : NULL;
    make.volume = volume;
    return volume && make_volume(&make, &ret->vol, error);
}

/* A copy is never smaller than what it is of. */
static void take_sizes(StorageVolume *volume, const StorageVolume *from)
{
    if (volume->capacity == UNSET64 || volume->capacity < from->capacity)
        volume->capacity = from->capacity;
    if (volume->allocation == UNSET64)
        volume->allocation = volume->capacity;
    volume->allocation = MAX(volume->allocation, MIN(from->allocation, volume->capacity));
}

gboolean remote_storage_vol_create_xml_from(Call *call, const RemoteStorageVolCreateXmlFromArgs *args,
                                            RemoteStorageVolCreateXmlFromRet *ret, GError **error)
{
    g_autoptr(VolumePool) pool = ops_pool(&args->pool, error);
    g_autoptr(PoolView) view = pool ? pool_view(pool) : NULL;
    g_autoptr(StorageVolume) known = NULL;
    if (!view || !pool_check_active(view, error))
        return FALSE;
    g_autoptr(VolumePool) other = ops_volume(&args->clonevol, &known, error);
    Make make = {.pool = pool, .backend = backend_for(view->def->type, error), .flags = args->flags};
    g_autoptr(StorageVolume) volume = other && make.backend
                                          ? read_volume(view, args->xml, args->flags & VIR_STORAGE_VOL_CREATE_VALIDATE,
                                                        STORAGE_VOLUME_NO_CAPACITY, error)
                                          : NULL;
    if (!volume || !pool_use(other, known->name, "in use", error))
        return FALSE;
    g_autoptr(StorageVolume) from = look_again(other, known, error);
    if (from)
        take_sizes(volume, from);
    make.volume = volume;
    make.from = from;
    gboolean ok = from && make_volume(&make, &ret->vol, error);
    pool_unuse(other, known->name);
    return ok;
}

/* --- delete --- */

static gboolean delete_now(VolumePool *pool, const StorageVolume *volume, guint flags, GError **error)
{
    g_autoptr(PoolView) view = pool_view(pool);
    const Backend *backend = backend_for(view->def->type, error);
    if (!backend || !pool_check_active(view, error))
        return FALSE;
    if (!backend->volume_delete)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT, "storage pool does not support vol deletion");
    if (!pool_use(pool, volume->name, "in use", error))
        return FALSE;
    gboolean ok = backend->volume_delete(view->def, volume, flags, error);
    pool_unuse(pool, volume->name);
    if (!ok)
        return FALSE;
    pool_drop_volume(pool, volume->name);
    pool_run_account(pool, -allocation_of(volume));
    return TRUE;
}

gboolean remote_storage_vol_delete(Call *call, const RemoteStorageVolDeleteArgs *args, GError **error)
{
    g_autoptr(StorageVolume) volume = NULL;
    g_autoptr(VolumePool) pool = ops_volume(&args->vol, &volume, error);
    if (!pool || !pool_enter(pool, error))
        return FALSE;
    gboolean ok = delete_now(pool, volume, args->flags, error);
    pool_leave(pool);
    return ok;
}

/* --- content --- */

typedef gboolean (*Work)(const Backend *backend, const StoragePool *pool, const StorageVolume *volume, guint64 number,
                         guint flags, GError **error);

/* WORK on the volume as it is now, then what it is after. */
static gboolean work_on(const RemoteNonnullStorageVol *wire, Work work, guint64 number, guint flags, GError **error)
{
    g_autoptr(StorageVolume) known = NULL;
    g_autoptr(VolumePool) pool = ops_volume(wire, &known, error);
    g_autoptr(PoolView) view = pool ? pool_view(pool) : NULL;
    const Backend *backend = view ? backend_for(view->def->type, error) : NULL;
    if (!backend || !pool_use(pool, known->name, "in use", error))
        return FALSE;
    g_autoptr(StorageVolume) before = look_again(pool, known, error);
    gboolean ok = before && work(backend, view->def, before, number, flags, error);
    StorageVolume *after = before ? look_again(pool, before, NULL) : NULL;
    if (after) {
        pool_run_account(pool, allocation_of(after) - allocation_of(known));
        pool_put_volume(pool, after);
    }
    pool_unuse(pool, known->name);
    return ok;
}

static gboolean resize(const Backend *backend, const StoragePool *pool, const StorageVolume *volume, guint64 number,
                       guint flags, GError **error)
{
    guint64 capacity = number;
    gboolean shrink = (flags & VIR_STORAGE_VOL_RESIZE_SHRINK) != 0;
    if (flags & VIR_STORAGE_VOL_RESIZE_DELTA) {
        if (!shrink && number > G_MAXUINT64 - volume->capacity)
            return error_set(error, VIR_FROM_NONE, VIR_ERR_OVERFLOW, "capacity is too large");
        capacity = shrink ? volume->capacity - MIN(number, volume->capacity) : volume->capacity + number;
    }
    if (capacity < volume->allocation && volume->target->format->type == STORAGE_VOLUME_FORMAT_RAW)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                         "can't shrink capacity below existing allocation");
    if (capacity < volume->capacity && !shrink)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                         "Can't shrink capacity below current capacity unless shrink flag explicitly specified");
    if ((flags & VIR_STORAGE_VOL_RESIZE_ALLOCATE) && capacity > volume->allocation + pool->available)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED, "Not enough space left in storage pool");
    if (!backend->volume_resize)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT,
                         "storage pool does not support changing of volume capacity");
    return backend->volume_resize(pool, volume, capacity, flags, error);
}

gboolean remote_storage_vol_resize(Call *call, const RemoteStorageVolResizeArgs *args, GError **error)
{
    return work_on(&args->vol, resize, args->capacity, args->flags, error);
}

static gboolean wipe(const Backend *backend, const StoragePool *pool, const StorageVolume *volume, guint64 number,
                     guint flags, GError **error)
{
    if (!backend->volume_wipe)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT, "storage pool doesn't support volume wiping");
    return backend->volume_wipe(pool, volume, (guint)number, error);
}

gboolean remote_storage_vol_wipe(Call *call, const RemoteStorageVolWipeArgs *args, GError **error)
{
    return work_on(&args->vol, wipe, VIR_STORAGE_VOL_WIPE_ALG_ZERO, 0, error);
}

gboolean remote_storage_vol_wipe_pattern(Call *call, const RemoteStorageVolWipePatternArgs *args, GError **error)
{
    if (args->algorithm > VIR_STORAGE_VOL_WIPE_ALG_TRIM)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG, "wiping algorithm %u not supported",
                         args->algorithm);
    return work_on(&args->vol, wipe, args->algorithm, 0, error);
}

/* --- streams --- */

typedef struct {
    VolumePool *pool;
    StorageVolume *volume;
    gboolean upload;
    Process process;
} Session;

static void session_free(Session *session)
{
    pool_unuse(session->pool, session->volume->name);
    pool_unref(session->pool);
    storage_volume_unref(session->volume);
    g_free(session);
}

/* The copy has its end of the socket closed now; what it still has goes to the disk. */
static void finish_session(gpointer data)
{
    Session *session = data;
    int status;
    if (!process_wait(&session->process, g_get_monotonic_time() + BACKEND_DEADLINE, &status, NULL))
        process_end(&session->process);
    StorageVolume *after = session->upload ? look_again(session->pool, session->volume, NULL) : NULL;
    if (after)
        pool_put_volume(session->pool, after);
    if (session->upload)
        pool_event_refresh(session->pool);
    session_free(session);
}

/* On the I/O loop. */
static void on_ended(gpointer data)
{
    Session *session = data;
    pool_use_ending(session->pool, session->volume->name);
    if (pool_push(POOL_CONTROL, finish_session, session, NULL))
        return;
    process_end(&session->process);
    session_free(session);
}

static gboolean transfer(Call *call, const RemoteNonnullStorageVol *wire, gboolean upload, guint64 offset,
                         guint64 length, GError **error)
{
    g_autoptr(StorageVolume) volume = NULL;
    g_autoptr(VolumePool) pool = ops_volume(wire, &volume, error);
    g_autoptr(PoolView) view = pool ? pool_view(pool) : NULL;
    const Backend *backend = view ? backend_for(view->def->type, error) : NULL;
    pid_t pid;
    int fd;
    if (!backend)
        return FALSE;
    if (!backend->volume_transfer)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT, "storage pool doesn't support volume %s",
                         upload ? "upload" : "download");
    if (!pool_use_shared(pool, volume->name, error))
        return FALSE;
    if (!backend->volume_transfer(view->def, volume, upload, offset, length, &fd, &pid, error)) {
        pool_unuse(pool, volume->name);
        return FALSE;
    }
    Session *session = g_new0(Session, 1);
    *session = (Session){g_steal_pointer(&pool), g_steal_pointer(&volume), upload, {pid, process_open(pid)}};
    g_autoptr(Stream) stream = stream_new(call, fd, on_ended, session, error);
    if (stream)
        return TRUE;
    process_end(&session->process);
    session_free(session);
    return FALSE;
}

static gboolean no_holes(GError **error)
{
    return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT, "sparse streams");
}

gboolean remote_storage_vol_upload(Call *call, const RemoteStorageVolUploadArgs *args, GError **error)
{
    return args->flags & VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM
               ? no_holes(error)
               : transfer(call, &args->vol, TRUE, args->offset, args->length, error);
}

gboolean remote_storage_vol_download(Call *call, const RemoteStorageVolDownloadArgs *args, GError **error)
{
    return args->flags & VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM
               ? no_holes(error)
               : transfer(call, &args->vol, FALSE, args->offset, args->length, error);
}
