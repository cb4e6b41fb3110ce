/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: which pools and volumes there are, and what is said of them. */
#include <string.h>

#include "daemon/storage/storage-ops.h"
#include "lib/uuid.h"

/* A property that a flag asks for; of a group that is asked for at all, a pool needs one. */
static gboolean is_active(const PoolView *view)
{
    return view->active;
}

static gboolean is_inactive(const PoolView *view)
{
    return !view->active;
}

static gboolean is_persistent(const PoolView *view)
{
    return view->persistent;
}

static gboolean is_transient(const PoolView *view)
{
    return !view->persistent;
}

static gboolean starts_with_host(const PoolView *view)
{
    return view->autostart;
}

static gboolean starts_by_hand(const PoolView *view)
{
    return !view->autostart;
}

static const struct {
    guint flag;
    guint group;
    gboolean (*has)(const PoolView *view);
} filters[] = {
    {VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE, 0, is_active},
    {VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE, 0, is_inactive},
    {VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT, 1, is_persistent},
    {VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT, 1, is_transient},
    {VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART, 2, starts_with_host},
    {VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART, 2, starts_by_hand},
};

static const struct {
    guint flag;
    StoragePoolType type;
} type_filters[] = {
    {VIR_CONNECT_LIST_STORAGE_POOLS_DIR, STORAGE_POOL_TYPE_DIR},
    {VIR_CONNECT_LIST_STORAGE_POOLS_FS, STORAGE_POOL_TYPE_FS},
    {VIR_CONNECT_LIST_STORAGE_POOLS_NETFS, STORAGE_POOL_TYPE_NETFS},
    {VIR_CONNECT_LIST_STORAGE_POOLS_LOGICAL, STORAGE_POOL_TYPE_LOGICAL},
    {VIR_CONNECT_LIST_STORAGE_POOLS_DISK, STORAGE_POOL_TYPE_DISK},
    {VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI, STORAGE_POOL_TYPE_ISCSI},
    {VIR_CONNECT_LIST_STORAGE_POOLS_SCSI, STORAGE_POOL_TYPE_SCSI},
    {VIR_CONNECT_LIST_STORAGE_POOLS_MPATH, STORAGE_POOL_TYPE_MPATH},
    {VIR_CONNECT_LIST_STORAGE_POOLS_RBD, STORAGE_POOL_TYPE_RBD},
    {VIR_CONNECT_LIST_STORAGE_POOLS_SHEEPDOG, STORAGE_POOL_TYPE_SHEEPDOG},
    {VIR_CONNECT_LIST_STORAGE_POOLS_GLUSTER, STORAGE_POOL_TYPE_GLUSTER},
    {VIR_CONNECT_LIST_STORAGE_POOLS_ZFS, STORAGE_POOL_TYPE_ZFS},
    {VIR_CONNECT_LIST_STORAGE_POOLS_VSTORAGE, STORAGE_POOL_TYPE_VSTORAGE},
    {VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT, STORAGE_POOL_TYPE_ISCSI_DIRECT},
};

static gboolean passes(const PoolView *view, guint flags)
{
    guint asked = 0, passed = 0;
    for (guint i = 0; i < G_N_ELEMENTS(filters); i++) {
        if (!(flags & filters[i].flag))
            continue;
        asked |= 1u << filters[i].group;
        if (filters[i].has(view))
            passed |= 1u << filters[i].group;
    }
    gboolean by_type = FALSE, of_type = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(type_filters); i++) {
        if (!(flags & type_filters[i].flag))
            continue;
        by_type = TRUE;
        of_type = of_type || view->def->type == type_filters[i].type;
    }
    return asked == passed && (!by_type || of_type);
}

static GPtrArray *chosen(guint flags)
{
    GPtrArray *some = g_ptr_array_new_with_free_func((GDestroyNotify)pool_unref);
    g_autoptr(GPtrArray) all = pools_all();
    for (guint i = 0; i < all->len; i++) {
        g_autoptr(PoolView) view = pool_view(all->pdata[i]);
        if (passes(view, flags))
            g_ptr_array_add(some, pool_ref(all->pdata[i]));
    }
    return some;
}

gboolean remote_connect_list_all_storage_pools(Call *call, const RemoteConnectListAllStoragePoolsArgs *args,
                                               RemoteConnectListAllStoragePoolsRet *ret, GError **error)
{
    g_autoptr(GPtrArray) some = chosen(args->flags);
    ret->ret = some->len;
    if (!args->need_results)
        return TRUE;
    ret->n_pools = some->len;
    ret->pools = g_new0(RemoteNonnullStoragePool, some->len);
    for (guint i = 0; i < some->len; i++)
        ops_fill_pool(some->pdata[i], &ret->pools[i]);
    return TRUE;
}

gboolean remote_connect_num_of_storage_pools(Call *call, RemoteConnectNumOfStoragePoolsRet *ret, GError **error)
{
    g_autoptr(GPtrArray) some = chosen(VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
    ret->num = (gint32)some->len;
    return TRUE;
}

gboolean remote_connect_num_of_defined_storage_pools(Call *call, RemoteConnectNumOfDefinedStoragePoolsRet *ret,
                                                     GError **error)
{
    g_autoptr(GPtrArray) some = chosen(VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE);
    ret->num = (gint32)some->len;
    return TRUE;
}

static gboolean check_max(int max, const char *what, int limit, GError **error)
{
    return (max >= 0 && max <= limit) ||
           error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "too many %s to list: maxnames %d is not in 0 to %d", what, max,
                     limit);
}

static gboolean list_names(guint flags, int max, guint *ret_n, char ***ret_names, GError **error)
{
    if (!check_max(max, "storage pools", REMOTE_STORAGE_POOL_LIST_MAX, error))
        return FALSE;
    g_autoptr(GPtrArray) some = chosen(flags);
    *ret_names = g_new0(char *, some->len);
    for (guint i = 0; i < some->len && *ret_n < (guint)max; i++) {
        g_autoptr(PoolView) view = pool_view(some->pdata[i]);
        (*ret_names)[(*ret_n)++] = g_strdup(view->def->name);
    }
    return TRUE;
}

gboolean remote_connect_list_storage_pools(Call *call, const RemoteConnectListStoragePoolsArgs *args,
                                           RemoteConnectListStoragePoolsRet *ret, GError **error)
{
    return list_names(VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE, args->maxnames, &ret->n_names, &ret->names, error);
}

gboolean remote_connect_list_defined_storage_pools(Call *call, const RemoteConnectListDefinedStoragePoolsArgs *args,
                                                   RemoteConnectListDefinedStoragePoolsRet *ret, GError **error)
{
    return list_names(VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE, args->maxnames, &ret->n_names, &ret->names, error);
}

/* --- look-ups --- */

static gboolean answer_pool(VolumePool *pool, RemoteNonnullStoragePool *ret)
{
    ops_fill_pool(pool, ret);
    return TRUE;
}

gboolean remote_storage_pool_lookup_by_name(Call *call, const RemoteStoragePoolLookupByNameArgs *args,
                                            RemoteStoragePoolLookupByNameRet *ret, GError **error)
{
    g_autoptr(VolumePool) pool = pools_find_name(args->name);
    return pool ? answer_pool(pool, &ret->pool)
                : error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching name '%s'",
                            args->name);
}

gboolean remote_storage_pool_lookup_by_uuid(Call *call, const RemoteStoragePoolLookupByUuidArgs *args,
                                            RemoteStoragePoolLookupByUuidRet *ret, GError **error)
{
    char uuid[UUID_TEXT];
    g_autoptr(VolumePool) pool = pools_find_uuid(args->uuid);
    uuid_format(args->uuid, uuid);
    return pool ? answer_pool(pool, &ret->pool)
                : error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching uuid '%s'",
                            uuid);
}

gboolean remote_storage_pool_lookup_by_volume(Call *call, const RemoteStoragePoolLookupByVolumeArgs *args,
                                              RemoteStoragePoolLookupByVolumeRet *ret, GError **error)
{
    g_autoptr(VolumePool) pool = pools_find_name(args->vol.pool);
    return pool ? answer_pool(pool, &ret->pool)
                : error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching name '%s'",
                            args->vol.pool);
}

gboolean remote_storage_pool_lookup_by_target_path(Call *call, const RemoteStoragePoolLookupByTargetPathArgs *args,
                                                   RemoteStoragePoolLookupByTargetPathRet *ret, GError **error)
{
    g_autofree char *path = storage_path_clean(args->path);
    g_autoptr(GPtrArray) all = pools_all();
    for (guint i = 0; i < all->len; i++) {
        g_autoptr(PoolView) view = pool_view(all->pdata[i]);
        if (view->active && g_strcmp0(storage_pool_path(view->def), path) == 0)
            return answer_pool(all->pdata[i], &ret->pool);
    }
    return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching target path '%s'",
                     path);
}

/* --- what is said of one --- */

gboolean remote_storage_pool_get_info(Call *call, const RemoteStoragePoolGetInfoArgs *args,
                                      RemoteStoragePoolGetInfoRet *ret, GError **error)
{
    g_autoptr(VolumePool) pool = ops_pool(&args->pool, error);
    if (!pool)
        return FALSE;
    g_autoptr(PoolView) view = pool_view(pool);
    ret->state = view->active ? VIR_STORAGE_POOL_RUNNING : VIR_STORAGE_POOL_INACTIVE;
    ret->capacity = view->def->capacity;
    ret->allocation = view->def->allocation;
    ret->available = view->def->available;
    return TRUE;
}

gboolean remote_storage_pool_get_xml_desc(Call *call, const RemoteStoragePoolGetXmlDescArgs *args,
                                          RemoteStoragePoolGetXmlDescRet *ret, GError **error)
{
    g_autoptr(VolumePool) pool = ops_pool(&args->pool, error);
    if (!pool)
        return FALSE;
    g_autoptr(PoolView) view = pool_view(pool);
    gboolean inactive = (args->flags & VIR_STORAGE_XML_INACTIVE) && view->next;
    ret->xml = model_format_text(&storage_pool_type, inactive ? view->next : view->def,
                                 view->active ? 0 : MODEL_FORMAT_INACTIVE);
    return TRUE;
}

gboolean remote_storage_pool_get_autostart(Call *call, const RemoteStoragePoolGetAutostartArgs *args,
                                           RemoteStoragePoolGetAutostartRet *ret, GError **error)
{
    g_autoptr(VolumePool) pool = ops_pool(&args->pool, error);
    if (!pool)
        return FALSE;
    g_autoptr(PoolView) view = pool_view(pool);
    ret->autostart = view->autostart;
    return TRUE;
}

gboolean remote_storage_pool_is_active(Call *call, const RemoteStoragePoolIsActiveArgs *args,
                                       RemoteStoragePoolIsActiveRet *ret, GError **error)
{
    g_autoptr(VolumePool) pool = ops_pool(&args->pool, error);
    if (!pool)
        return FALSE;
    g_autoptr(PoolView) view = pool_view(pool);
    ret->active = view->active;
    return TRUE;
}

gboolean remote_storage_pool_is_persistent(Call *call, const RemoteStoragePoolIsPersistentArgs *args,
                                           RemoteStoragePoolIsPersistentRet *ret, GError **error)
{
    g_autoptr(VolumePool) pool = ops_pool(&args->pool, error);
    if (!pool)
        return FALSE;
    g_autoptr(PoolView) view = pool_view(pool);
    ret->persistent = view->persistent;
    return TRUE;
}

/* --- volumes --- */

/* The view of an active pool, a new reference. */
static PoolView *active_view(const RemoteNonnullStoragePool *wire, GError **error)
{
    g_autoptr(VolumePool) pool = ops_pool(wire, error);
    if (!pool)
        return NULL;
    g_autoptr(PoolView) view = pool_view(pool);
    return pool_check_active(view, error) ? g_steal_pointer(&view) : NULL;
}

gboolean remote_storage_pool_num_of_volumes(Call *call, const RemoteStoragePoolNumOfVolumesArgs *args,
                                            RemoteStoragePoolNumOfVolumesRet *ret, GError **error)
{
    g_autoptr(PoolView) view = active_view(&args->pool, error);
    if (!view)
        return FALSE;
    ret->num = (gint32)view->volumes->len;
    return TRUE;
}

gboolean remote_storage_pool_list_volumes(Call *call, const RemoteStoragePoolListVolumesArgs *args,
                                          RemoteStoragePoolListVolumesRet *ret, GError **error)
{
    if (!check_max(args->maxnames, "storage vols", REMOTE_STORAGE_VOL_LIST_MAX, error))
        return FALSE;
    g_autoptr(PoolView) view = active_view(&args->pool, error);
    if (!view)
        return FALSE;
    guint n = MIN(view->volumes->len, (guint)args->maxnames);
    ret->names = g_new0(char *, n);
    for (; ret->n_names < n; ret->n_names++)
        ret->names[ret->n_names] = g_strdup(((StorageVolume *)view->volumes->pdata[ret->n_names])->name);
    return TRUE;
}

gboolean remote_storage_pool_list_all_volumes(Call *call, const RemoteStoragePoolListAllVolumesArgs *args,
                                              RemoteStoragePoolListAllVolumesRet *ret, GError **error)
{
    g_autoptr(PoolView) view = active_view(&args->pool, error);
    if (!view)
        return FALSE;
    ret->ret = view->volumes->len;
    if (!args->need_results)
        return TRUE;
    ret->n_vols = MIN(view->volumes->len, REMOTE_STORAGE_VOL_LIST_MAX);
    ret->vols = g_new0(RemoteNonnullStorageVol, ret->n_vols);
    for (guint i = 0; i < ret->n_vols; i++)
        ops_fill_volume(view->def->name, view->volumes->pdata[i], &ret->vols[i]);
    return TRUE;
}

gboolean remote_storage_vol_lookup_by_name(Call *call, const RemoteStorageVolLookupByNameArgs *args,
                                           RemoteStorageVolLookupByNameRet *ret, GError **error)
{
    g_autoptr(PoolView) view = active_view(&args->pool, error);
    if (!view)
        return FALSE;
    const StorageVolume *volume = pool_find_volume(view, args->name);
    if (!volume)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching name '%s'",
                         args->name);
    ops_fill_volume(view->def->name, volume, &ret->vol);
    return TRUE;
}

typedef const char *(*Text)(const StorageVolume *volume);

static const char *key_of(const StorageVolume *volume)
{
    return volume->key;
}

static const char *path_of(const StorageVolume *volume)
{
    return volume->target->path;
}

/* The first volume of any active pool whose TEXT is WANTED. */
static gboolean find_anywhere(Text text, const char *wanted, RemoteNonnullStorageVol *ret)
{
    g_autoptr(GPtrArray) all = pools_all();
    for (guint i = 0; i < all->len; i++) {
        g_autoptr(PoolView) view = pool_view(all->pdata[i]);
        for (guint j = 0; view->active && j < view->volumes->len; j++) {
            if (g_strcmp0(text(view->volumes->pdata[j]), wanted) != 0)
                continue;
            ops_fill_volume(view->def->name, view->volumes->pdata[j], ret);
            return TRUE;
        }
    }
    return FALSE;
}

gboolean remote_storage_vol_lookup_by_key(Call *call, const RemoteStorageVolLookupByKeyArgs *args,
                                          RemoteStorageVolLookupByKeyRet *ret, GError **error)
{
    return find_anywhere(key_of, args->key, &ret->vol) ||
           error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching key %s", args->key);
}

gboolean remote_storage_vol_lookup_by_path(Call *call, const RemoteStorageVolLookupByPathArgs *args,
                                           RemoteStorageVolLookupByPathRet *ret, GError **error)
{
    g_autofree char *path = storage_path_clean(args->path);
    return find_anywhere(path_of, path, &ret->vol) || error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_VOL,
                                                                "no storage vol with matching path '%s'", args->path);
}

gboolean remote_storage_vol_get_path(Call *call, const RemoteStorageVolGetPathArgs *args,
                                     RemoteStorageVolGetPathRet *ret, GError **error)
{
    g_autoptr(StorageVolume) volume = NULL;
    g_autoptr(VolumePool) pool = ops_volume(&args->vol, &volume, error);
    if (!pool)
        return FALSE;
    ret->name = g_strdup(volume->target->path);
    return TRUE;
}
