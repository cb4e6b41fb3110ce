/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-disk.h"

#include <string.h>

#include "lib/error.h"

typedef struct {
    DiskImage image;
    const DiskBackingStore *next;
} Walk;

/* That of a volume is known once the domain has started. */
static StorageType type_of(StorageType type, const DiskSource *source)
{
    return type == STORAGE_TYPE_VOLUME && source && source->volume_path ? source->volume_type : type;
}

DiskImage disk_image(const Disk *disk)
{
    const DiskSource *source = disk->source;

    /* both may stand at the disk or in its source */
    return (DiskImage){.disk = disk, .type = type_of(disk->type, source), .source = source, .format = disk->driver ? disk->driver->type : STORAGE_FORMAT_UNSET,
                       .index = source ? source->index : UNSET32, .top = TRUE,
                       .encryption = source && source->encryption ? source->encryption : disk->encryption,
                       .auth = source && source->auth ? source->auth : disk->auth};
}

DiskImage disk_image_behind(const Disk *disk, const DiskBackingStore *store)
{
    const DiskSource *source = store->source;

    return (DiskImage){.disk = disk, .type = type_of(store->type, source), .source = source, .format = store->format ? store->format->type : STORAGE_FORMAT_UNSET,
                       .index = store->index, .encryption = source ? source->encryption : NULL, .auth = source ? source->auth : NULL};
}

static Walk walk_from(const Disk *disk)
{
    return (Walk){disk_image(disk), disk->backing_store};
}

/* To the next image of the chain; an empty <backingStore/> ends it. */
static gboolean walk_on(Walk *walk)
{
    const DiskBackingStore *store = walk->next;

    if (!store || !store->source)
        return FALSE;
    walk->image = disk_image_behind(walk->image.disk, store);
    walk->next = store->backing_store;
    return TRUE;
}

static gboolean numbered(const Disk *disk, guint index, DiskImage *ret_image)
{
    Walk walk = walk_from(disk);

    do {
        if (walk.image.source && walk.image.index == index) {
            *ret_image = walk.image;
            return TRUE;
        }
    } while (walk_on(&walk));
    return FALSE;
}

const char *disk_image_path(const DiskImage *image)
{
    const DiskSource *source = image->source;

    if (!source)
        return NULL;
    if (source->volume_path)
        return source->volume_path;
    switch (image->type) {
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

const char *disk_path(const Disk *disk)
{
    DiskImage image = disk_image(disk);

    return disk_image_path(&image);
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

/* Takes "vda[3]" apart; without a number RET_INDEX is 0. */
static gboolean parse(const char *name, char **ret_target, guint *ret_index)
{
    const char *bracket = strchr(name, '[');
    guint64 index = 0;
    char *end;

    if (bracket) {
        if (!g_ascii_isdigit(bracket[1]))
            return FALSE;
        index = g_ascii_strtoull(bracket + 1, &end, 10);
        if (index >= UNSET32 || strcmp(end, "]") != 0)
            return FALSE;
    }
    *ret_target = bracket ? g_strndup(name, (gsize)(bracket - name)) : g_strdup(name);
    *ret_index = (guint)index;
    return TRUE;
}

gboolean domain_disk_image(const Domain *def, const char *name, DiskImage *ret_image, GError **error)
{
    g_autofree char *target = NULL;
    gboolean found = FALSE;
    guint index;

    if (!parse(name, &target, &index))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "failed to parse block device '%s'", name);
    for (guint i = 0; i < def->devices->disks->len; i++) {
        const Disk *disk = def->devices->disks->pdata[i];
        if (g_strcmp0(disk->target->dev, target) != 0)
            continue;
        if (index > 0)
            found = numbered(disk, index, ret_image);
        else
            found = TRUE, *ret_image = disk_image(disk);
    }
    if (found)
        return TRUE;
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "failed to find disk '%s'", name);
}

gboolean domain_disk_image_at(const Domain *def, guint index, DiskImage *ret_image)
{
    for (guint i = 0; i < def->devices->disks->len; i++)
        if (numbered(def->devices->disks->pdata[i], index, ret_image))
            return TRUE;
    return FALSE;
}
