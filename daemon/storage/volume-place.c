/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/storage/volume-place.h"

#include "daemon/storage/pool.h"

static StorageType type_of(const StorageVolume *volume)
{
    switch (volume->type) {
    case STORAGE_VOLUME_TYPE_BLOCK:
        return STORAGE_TYPE_BLOCK;
    case STORAGE_VOLUME_TYPE_DIR:
        return STORAGE_TYPE_DIR;
    case STORAGE_VOLUME_TYPE_FILE:
    case STORAGE_VOLUME_TYPE_UNSET:
        return STORAGE_TYPE_FILE;
    default:
        return STORAGE_TYPE_UNSET;
    }
}

gboolean volume_place(const char *pool, const char *volume, VolumePlace *ret_place, GError **error)
{
    g_autoptr(VolumePool) held = pools_find_name(pool);

    if (!held)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching name '%s'", pool);
    g_autoptr(PoolView) view = pool_view(held);
    if (!view->active)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "storage pool '%s' containing volume '%s' is not active", pool, volume);
    const StorageVolume *found = pool_find_volume(view, volume);
    if (!found || !g_str_equal(found->name, volume))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching name '%s'", volume);
    StorageType type = type_of(found);
    if (type == STORAGE_TYPE_UNSET || !found->target || !found->target->path)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "unexpected storage volume type '%s' for storage pool type '%s'",
                         storage_volume_type_to_string(found->type), storage_pool_type_to_string(view->def->type));
    *ret_place = (VolumePlace){type, g_strdup(found->target->path)};
    return TRUE;
}
