/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk's image builds on, as the images say; and the numbers that images have. */
#include <string.h>
#include <unistd.h>

#include "driver-kvm/block-probe.h"
#include "driver-kvm/block.h"
#include "driver-kvm/fd-groups.h"
#include "lib/error.h"

#define CHAIN_MAX 200 /* QEMU opens each image; a loop of links must end */

/* An empty <backingStore/> ends a chain. */
static gboolean is_end(const DiskBackingStore *store)
{
    return !store->source;
}

/* NAME as it stands in the header of PATH: relative to PATH's folder unless absolute; "file:" may stand before it. */
static char *resolve(const char *path, const char *name, GError **error)
{
    g_autofree char *folder = NULL;
    const char *colon = strchr(name, ':');
    const char *slash = strchr(name, '/');

    if (g_str_has_prefix(name, "file:")) {
        name += strlen("file:");
    } else if (colon && (!slash || colon < slash)) {
        error_set(error, VIR_FROM_STORAGE, VIR_ERR_CONFIG_UNSUPPORTED,
                  "the backing image '%s' of '%s' is not a local file: not supported by this driver", name, path);
        return NULL;
    }
    if (g_path_is_absolute(name))
        return g_strdup(name);
    folder = g_path_get_dirname(path);
    return g_build_filename(folder, name, NULL);
}

static StorageFormat format_of_backing(const char *path, const char *name, StorageFormat said, GError **error)
{
    g_autofree char *backing = NULL;
    StorageFormat seen, inner;

    if (said != STORAGE_FORMAT_UNSET)
        return said;
    /* The guest could have written a qcow2 header into what is meant to be raw: a header alone proves nothing. */
    if (!block_probe_image(name, name, &seen, &backing, &inner, NULL) || seen == STORAGE_FORMAT_RAW || seen == STORAGE_FORMAT_ISO)
        return STORAGE_FORMAT_RAW;
    error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED,
              "format of backing image '%s' of image '%s' was not specified in the image metadata (See "
              "https://libvirt.org/kbase/backing_chains.html for troubleshooting)", name, path);
    return STORAGE_FORMAT_UNSET;
}

static DiskBackingStore *chain_end(void)
{
    return disk_backing_store_new();
}

/* What libvirt says of an IMAGE of DISK that is not there. To free. */
static char *complaint(const Disk *disk, const DiskImage *image, const ArgvContext *context)
{
    DiskImage top = disk_image(disk);

    if (image->source != top.source)
        return g_strdup_printf("Cannot access backing file '%s' of storage file '%s' (as uid:%u, gid:%u)", disk_image_path(image),
                               disk_image_path(&top), context->uid, context->gid);
    if (block_may_build(image->format))
        return g_strdup_printf("Cannot access storage file '%s' (as uid:%u, gid:%u)", disk_image_path(image), context->uid,
                               context->gid);
    return g_strdup_printf("Cannot access storage file '%s'", disk_image_path(image));
}

/* What IMAGE, which is opened as OPENED, builds on, as its header says; an end if it builds on nothing. WHAT: see complaint(). */
static DiskBackingStore *look_behind(const DiskImage *image, const char *opened, const char *what, GError **error)
{
    const char *path = disk_image_path(image);
    g_autofree char *name = NULL, *backing = NULL;
    g_autoptr(DiskBackingStore) store = chain_end();
    StorageFormat seen, said, kind;

    if (!block_may_build(image->format))
        return block_probe_access(opened, what, error) ? g_steal_pointer(&store) : NULL;
    if (!block_probe_image(opened, what, &seen, &name, &said, error))
        return NULL;
    if (seen != image->format) {
        error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "%s: the image is not in %s format", opened,
                  storage_format_to_string(image->format));
        return NULL;
    }
    if (!name)
        return g_steal_pointer(&store);
    backing = resolve(path, name, error);
    kind = backing ? format_of_backing(path, backing, said, error) : STORAGE_FORMAT_UNSET;
    if (kind == STORAGE_FORMAT_UNSET)
        return NULL;
    store->type = g_str_has_prefix(backing, "/dev/") ? STORAGE_TYPE_BLOCK : STORAGE_TYPE_FILE;
    store->detected = TOGGLE_ON;
    store->format = disk_format_new();
    store->format->type = kind;
    store->source = disk_source_new();
    if (store->type == STORAGE_TYPE_BLOCK)
        store->source->dev = g_steal_pointer(&backing);
    else
        store->source->file = g_steal_pointer(&backing);
    return g_steal_pointer(&store);
}

/* How we can open IMAGE of DISK: by its path, or as the open file that stands for it. To free; NULL with ERROR. */
static char *way_to(const Disk *disk, const DiskImage *image, const ArgvContext *context, GError **error)
{
    int fd;

    if (!image->source->fdgroup)
        return g_strdup(disk_image_path(image));
    fd = image->source == disk->source ? fd_groups_first(context, disk) : -1;
    if (fd >= 0)
        return g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), fd); /* it is opened by a copy that has no descriptors */
    error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "disk '%s': descriptors can only stand for the image that a guest starts with",
              disk->target->dev);
    return NULL;
}

static gboolean complete_chain(Disk *disk, const ArgvContext *context, GError **error)
{
    DiskImage image = disk_image(disk);
    DiskBackingStore **next = &disk->backing_store;

    for (guint depth = 0; depth < CHAIN_MAX; depth++) {
        if (!block_is_local(&image)) { /* nobody looks into it: the document says what is behind, or QEMU finds it */
            if (!*next || is_end(*next))
                return TRUE;
            image = disk_image_behind(disk, *next);
            next = &(*next)->backing_store;
            continue;
        }
        g_autofree char *what = complaint(disk, &image, context);
        g_autofree char *opened = way_to(disk, &image, context, error);

        if (!opened)
            return FALSE;
        if (!*next)
            *next = look_behind(&image, opened, what, error);
        else if (!is_end(*next) && !block_probe_access(opened, what, error))
            return FALSE;
        if (!*next)
            return FALSE;
        if (is_end(*next))
            return TRUE;
        image = disk_image_behind(disk, *next);
        if (!block_validate_image(&image, error))
            return FALSE;
        next = &(*next)->backing_store;
    }
    return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_UNSUPPORTED,
                     "disk '%s': backing chain has more than %d images", disk->target->dev, CHAIN_MAX);
}

/* What the document says of the chain; an empty drive has a number too. */
static void number_said(Disk *disk, ArgvContext *context)
{
    context->images++;
    if (!block_has_medium(disk))
        return;
    disk->source->index = context->images;
    for (DiskBackingStore *store = disk->backing_store; store && !is_end(store); store = store->backing_store)
        store->index = ++context->images;
}

static void number_found(Disk *disk, ArgvContext *context)
{
    if (!block_has_medium(disk))
        return;
    for (DiskBackingStore *store = disk->backing_store; store && !is_end(store); store = store->backing_store)
        if (store->index == UNSET32)
            store->index = ++context->images;
}

static void number_each(Domain *live, ArgvContext *context, void (*number)(Disk *disk, ArgvContext *context))
{
    GPtrArray *disks = live->devices->disks;

    for (guint i = disks->len; i > 0; i--)
        if (((const Disk *)disks->pdata[i - 1])->target->bus != DISK_BUS_SD) /* a card is no node */
            number(disks->pdata[i - 1], context);
}

void block_number_said(Domain *live, ArgvContext *context)
{
    number_each(live, context, number_said);
}

void block_number_found(Domain *live, ArgvContext *context)
{
    number_each(live, context, number_found);
}

guint block_highest_of(const Disk *disk)
{
    guint top = disk->source && disk->source->index != UNSET32 ? disk->source->index : 0;

    for (const DiskBackingStore *store = disk->backing_store; store; store = store->backing_store)
        if (store->index != UNSET32)
            top = MAX(top, store->index);
    return top;
}

guint block_highest(const Domain *live)
{
    guint top = 0;

    for (guint i = 0; i < live->devices->disks->len; i++)
        top = MAX(top, block_highest_of(live->devices->disks->pdata[i]));
    return top;
}

void block_number_new(Disk *disk, guint next)
{
    if (!block_has_medium(disk))
        return;
    if (disk->source->index == UNSET32)
        disk->source->index = next++;
    for (DiskBackingStore *store = disk->backing_store; store && !is_end(store); store = store->backing_store)
        if (store->index == UNSET32)
            store->index = next++;
}

/* What is chosen where the document leaves it open, and told by the live definition. */
static void settle(DiskSource *source)
{
    if (source && source->protocol == STORAGE_PROTOCOL_NBD && source->tls == TOGGLE_UNSET)
        source->tls = TOGGLE_OFF;
}

gboolean block_prepare(Disk *disk, const ArgvContext *context, GError **error)
{
    settle(disk->source);
    for (DiskBackingStore *store = disk->backing_store; store; store = store->backing_store)
        settle(store->source);
    return !block_has_medium(disk) || complete_chain(disk, context, error);
}
