/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-disk.h"

const char *disk_path(const Disk *disk)
{
    const DiskSource *source = disk->source;

    if (!source)
        return NULL;
    switch (disk->type) {
    case STORAGE_TYPE_FILE:
        return source->file;
    case STORAGE_TYPE_BLOCK:
        return source->dev;
    case STORAGE_TYPE_DIR:
        return source->dir;
    case STORAGE_TYPE_NETWORK:
        return source->name;
    default:
        return NULL;
    }
}

Disk *domain_disk_find(const Domain *def, const char *name)
{
    for (guint i = 0; i < def->devices->disks->len; i++) {
        Disk *disk = def->devices->disks->pdata[i];

        if (g_strcmp0(name[0] == '/' ? disk_path(disk) : disk->target->dev, name) == 0)
            return disk;
    }
    return NULL;
}
