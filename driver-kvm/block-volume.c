/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/block-volume.h"

#include "lib/error.h"

gboolean block_volume_find(Disk *disk, const ArgvContext *context, GError **error)
{
    DiskSource *source = disk->source;
    VolumePlace place;

    if (disk->type != STORAGE_TYPE_VOLUME || !source || !source->pool)
        return TRUE;
    if (!context->find_volume(source->pool, source->volume, &place, error))
        return FALSE;
    g_free(source->volume_path);
    source->volume_path = place.path;
    source->volume_type = place.type;
    if (source->mode != DISK_POOL_MODE_UNSET) /* pools of iSCSI, of which there are none */
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "disk source mode is only valid when storage pool is of iscsi type");
    if (source->startup_policy != DISK_STARTUP_UNSET && place.type != STORAGE_TYPE_FILE)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "'startupPolicy' is only valid for 'file' type volume");
    if (disk->driver->type == STORAGE_FORMAT_UNSET)
        disk->driver->type = STORAGE_FORMAT_RAW;
    return TRUE;
}
