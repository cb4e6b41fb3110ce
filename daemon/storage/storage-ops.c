/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/storage/storage-ops.h"

#include <string.h>

#include "daemon/core/core-config.h"
#include "daemon/core/place.h"

VolumePool *ops_pool(const RemoteNonnullStoragePool *wire, GError **error)
{
    VolumePool *pool = pools_find_uuid(wire->uuid);
    if (pool)
        return pool;
    char uuid[37];
    g_autoptr(StoragePool) nobody = storage_pool_new();
    memcpy(nobody->uuid.bytes, wire->uuid, sizeof nobody->uuid.bytes);
    g_autoptr(VolumePool) shape = pool_new(g_steal_pointer(&nobody));
    g_strlcpy(uuid, shape->uuid_text, sizeof uuid);
    error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching uuid '%s' (%s)", uuid,
              wire->name);
    return NULL;
}

VolumePool *ops_enter(const RemoteNonnullStoragePool *wire, GError **error)
{
    g_autoptr(VolumePool) pool = ops_pool(wire, error);
    return pool && pool_enter(pool, error) ? g_steal_pointer(&pool) : NULL;
}

void ops_leave(VolumePool *pool)
{
    if (pool)
        pool_leave(pool);
    pool_unref(pool);
}

VolumePool *ops_volume(const RemoteNonnullStorageVol *wire, StorageVolume **ret_volume, GError **error)
{
    g_autoptr(VolumePool) pool = pools_find_name(wire->pool);
    if (!pool) {
        error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching name '%s'",
                  wire->pool);
        return NULL;
    }
    g_autoptr(PoolView) view = pool_view(pool);
    if (!pool_check_active(view, error))
        return NULL;
    StorageVolume *volume = pool_find_volume(view, wire->name);
    if (!volume) {
        error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching name '%s'",
                  wire->name);
        return NULL;
    }
    *ret_volume = storage_volume_ref(volume);
    return g_steal_pointer(&pool);
}

void ops_fill_pool(VolumePool *pool, RemoteNonnullStoragePool *ret)
{
    g_autoptr(PoolView) view = pool_view(pool);
    ret->name = g_strdup(view->def->name);
    memcpy(ret->uuid, pool->uuid, sizeof ret->uuid);
}

void ops_fill_volume(const char *pool, const StorageVolume *volume, RemoteNonnullStorageVol *ret)
{
    ret->pool = g_strdup(pool);
    ret->name = g_strdup(volume->name);
    ret->key = g_strdup(volume->key);
}

XmlDocument *ops_document(const char *text, const char *what, gboolean validate, GError **error)
{
    g_autofree char *name = g_strdup_printf("storage_%s", what);
    g_autoptr(XmlDocument) document = xml_parse(text, name, error);
    g_autofree char *in_build = g_strdup_printf("lib/model/storage-%s.rng", what);
    g_autofree char *installed = g_strdup_printf("%s/storage-%s.rng", SCHEMA_FOLDER, what);
    g_autofree char *schema = place_of(in_build, installed);
    if (!document || (validate && !xml_validate(document, schema, error)))
        return NULL;
    return g_steal_pointer(&document);
}
