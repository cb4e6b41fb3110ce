/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/block.h"
#include "driver-kvm/block-probe.h"
#include "driver-kvm/fd-groups.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHAIN_MAX 200 /* QEMU opens each image; a loop of links must end */

/* One image of a chain, wherever it stands in the model. */
typedef struct {
    StorageType type;
    const DiskSource *source;
    StorageFormat format;
    guint32 index;
} Image;

gboolean block_cache(DiskCache mode, gboolean *ret_writeback, gboolean *ret_direct, gboolean *ret_no_flush)
{
    static const struct {
        DiskCache mode;
        gboolean writeback, direct, no_flush;
    } modes[] = {
        {DISK_CACHE_NONE, TRUE, TRUE, FALSE},         {DISK_CACHE_WRITETHROUGH, FALSE, FALSE, FALSE},
        {DISK_CACHE_WRITEBACK, TRUE, FALSE, FALSE},   {DISK_CACHE_DIRECTSYNC, FALSE, TRUE, FALSE},
        {DISK_CACHE_UNSAFE, TRUE, FALSE, TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (modes[i].mode != mode)
            continue;
        *ret_writeback = modes[i].writeback;
        *ret_direct = modes[i].direct;
        *ret_no_flush = modes[i].no_flush;
        return TRUE;
    }
    return FALSE;
}

static Image image_of_disk(const Disk *disk)
{
    return (Image){disk->type, disk->source, disk->driver ? disk->driver->type : STORAGE_FORMAT_UNSET,
                   disk->source ? disk->source->index : UNSET32};
}

static Image image_of_backing(const DiskBackingStore *store)
{
    return (Image){store->type, store->source, store->format ? store->format->type : STORAGE_FORMAT_UNSET, store->index};
}

static const char *path_of(const Image *image)
{
    if (!image->source)
        return NULL;
    return image->type == STORAGE_TYPE_BLOCK ? image->source->dev : image->source->file;
}

/* An empty <backingStore/> ends a chain. */
static gboolean is_end(const DiskBackingStore *store)
{
    return !store->source;
}

gboolean block_has_medium(const Disk *disk)
{
    Image image = image_of_disk(disk);

    if (disk->type != STORAGE_TYPE_FILE && disk->type != STORAGE_TYPE_BLOCK)
        return disk->source != NULL;
    return path_of(&image) != NULL;
}

static gboolean validate_image(const Image *image, const char *target, GError **error)
{
    if (image->type != STORAGE_TYPE_FILE && image->type != STORAGE_TYPE_BLOCK)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "disk '%s': a source of type '%s' is not supported by this driver", target,
                         storage_type_to_string(image->type));
    if (image->format != STORAGE_FORMAT_RAW && image->format != STORAGE_FORMAT_QCOW2)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "disk '%s': an image of format '%s' is not supported by this driver", target,
                         image->format ? storage_format_to_string(image->format) : "none");
    return TRUE;
}

gboolean block_validate(const Disk *disk, GError **error)
{
    Image image = image_of_disk(disk);
    const DiskBackingStore *store = disk->backing_store;

    if (!block_has_medium(disk))
        return TRUE;
    if (!validate_image(&image, disk->target->dev, error))
        return FALSE;
    for (; store && !is_end(store); store = store->backing_store) {
        image = image_of_backing(store);
        if (!validate_image(&image, disk->target->dev, error))
            return FALSE;
    }
    return TRUE;
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

static StorageFormat format_of_backing(const char *path, const char *name, const char *format, GError **error)
{
    StorageFormat known = storage_format_from_string(format);
    g_autofree char *backing = NULL, *inner = NULL;

    if (format && known != STORAGE_FORMAT_UNSET)
        return known;
    /* The guest could have written a qcow2 header into what is meant to be raw: a header alone proves nothing. */
    if (!block_probe_qcow2(name, name, &backing, &inner, NULL))
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
static char *complaint(const Disk *disk, const Image *image, const ArgvContext *context)
{
    Image top = image_of_disk(disk);

    if (image->source != top.source)
        return g_strdup_printf("Cannot access backing file '%s' of storage file '%s' (as uid:%u, gid:%u)", path_of(image),
                               path_of(&top), context->uid, context->gid);
    if (image->format == STORAGE_FORMAT_QCOW2)
        return g_strdup_printf("Cannot access storage file '%s' (as uid:%u, gid:%u)", path_of(image), context->uid,
                               context->gid);
    return g_strdup_printf("Cannot access storage file '%s'", path_of(image));
}

/* What IMAGE, which is opened as OPENED, builds on, as its header says; an end if it builds on nothing. WHAT: see complaint(). */
static DiskBackingStore *look_behind(const Image *image, const char *opened, const char *what, GError **error)
{
    const char *path = path_of(image);
    g_autofree char *name = NULL, *format = NULL, *backing = NULL;
    g_autoptr(DiskBackingStore) store = chain_end();
    StorageFormat kind;

    if (image->format != STORAGE_FORMAT_QCOW2)
        return block_probe_access(opened, what, error) ? g_steal_pointer(&store) : NULL;
    if (!block_probe_qcow2(opened, what, &name, &format, error))
        return NULL;
    if (!name)
        return g_steal_pointer(&store);
    backing = resolve(path, name, error);
    kind = backing ? format_of_backing(path, backing, format, error) : STORAGE_FORMAT_UNSET;
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
static char *way_to(const Disk *disk, const Image *image, const ArgvContext *context, GError **error)
{
    int fd;

    if (!image->source->fdgroup)
        return g_strdup(path_of(image));
    fd = image->source == disk->source ? fd_groups_first(context, disk) : -1;
    if (fd >= 0)
        return g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), fd); /* it is opened by a copy that has no descriptors */
    error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "disk '%s': descriptors can only stand for the image that a guest starts with",
              disk->target->dev);
    return NULL;
}

static gboolean complete_chain(Disk *disk, const ArgvContext *context, GError **error)
{
    Image image = image_of_disk(disk);
    DiskBackingStore **next = &disk->backing_store;

    for (guint depth = 0; depth < CHAIN_MAX; depth++) {
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
        image = image_of_backing(*next);
        if (!validate_image(&image, disk->target->dev, error))
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

guint block_highest(const Domain *live)
{
    guint top = 0;

    for (guint i = 0; i < live->devices->disks->len; i++) {
        const Disk *disk = g_ptr_array_index(live->devices->disks, i);

        if (disk->source && disk->source->index != UNSET32)
            top = MAX(top, disk->source->index);
        for (const DiskBackingStore *store = disk->backing_store; store; store = store->backing_store)
            if (store->index != UNSET32)
                top = MAX(top, store->index);
    }
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

gboolean block_prepare(Disk *disk, const ArgvContext *context, GError **error)
{
    return !block_has_medium(disk) || complete_chain(disk, context, error);
}

static void add_cache(const Disk *disk, JsonObject *props)
{
    gboolean writeback, direct, no_flush;
    JsonObject *cache;

    if (!block_cache(disk->driver->cache, &writeback, &direct, &no_flush))
        return;
    cache = json_object_new();
    props_bool(cache, "direct", direct);
    props_bool(cache, "no-flush", no_flush);
    json_object_set_object_member(props, "cache", cache);
}

static JsonObject *storage_node(const Disk *disk, const Image *image)
{
    JsonObject *props = props_new("driver", image->type == STORAGE_TYPE_BLOCK ? "host_device" : "file");

    if (image->source->fdgroup)
        props_format(props, "filename", "/dev/fdset/%u", fd_groups_set(image->source));
    else
        props_string(props, "filename", path_of(image));
    props_string(props, "aio", disk_io_to_string(disk->driver->io));
    props_format(props, "node-name", "libvirt-%u-storage", image->index);
    add_cache(disk, props);
    if (image->source->fdgroup)
        props_bool(props, "read-only", disk->readonly); /* QEMU takes the descriptor of the set that fits */
    else
        props_bool(props, "auto-read-only", TRUE);
    props_string(props, "discard", "unmap");
    return props;
}

static JsonObject *format_node(const Disk *disk, const Image *image, gboolean is_top, const DiskBackingStore *backing)
{
    JsonObject *props = json_object_new();
    const DiskDriver *driver = disk->driver;

    props_format(props, "node-name", "libvirt-%u-format", image->index);
    props_bool(props, "read-only", !is_top || disk->readonly);
    props_string(props, "discard", disk_discard_to_string(driver->discard));
    if (is_top) {
        /* QEMU refuses to turn zeroes into discards where discards are not passed on. */
        gboolean weaker = driver->detect_zeroes == DISK_DETECT_ZEROES_UNMAP && driver->discard != DISK_DISCARD_UNMAP;

        props_string(props, "detect-zeroes",
                     disk_detect_zeroes_to_string(weaker ? DISK_DETECT_ZEROES_ON : driver->detect_zeroes));
    }
    add_cache(disk, props);
    props_string(props, "driver", storage_format_to_string(image->format));
    props_format(props, "file", "libvirt-%u-storage", image->index);
    if (image->format == STORAGE_FORMAT_QCOW2 && backing && is_end(backing))
        props_null(props, "backing");
    else if (image->format == STORAGE_FORMAT_QCOW2 && backing)
        props_format(props, "backing", "libvirt-%u-format", backing->index);
    return props;
}

static void build_image(const Disk *disk, const Image *image, gboolean is_top, const DiskBackingStore *backing,
                        GPtrArray *parts)
{
    if (backing && !is_end(backing)) {
        Image behind = image_of_backing(backing);

        build_image(disk, &behind, FALSE, backing->backing_store, parts);
    }
    parts_add(parts, PART_BLOCKDEV, storage_node(disk, image));
    parts_add(parts, PART_BLOCKDEV, format_node(disk, image, is_top, backing));
}

gboolean block_build(const Disk *disk, GPtrArray *parts, GError **error)
{
    Image image = image_of_disk(disk);

    if (!block_has_medium(disk))
        return TRUE;
    if (!block_validate(disk, error))
        return FALSE;
    build_image(disk, &image, TRUE, disk->backing_store, parts);
    if (disk->driver->copy_on_read == TOGGLE_ON) {
        JsonObject *props = props_new("driver", "copy-on-read");

        props_format(props, "node-name", "libvirt-CoR-%s", disk->target->dev);
        props_format(props, "file", "libvirt-%u-format", image.index);
        props_string(props, "discard", "unmap");
        parts_add(parts, PART_BLOCKDEV, props);
    }
    return TRUE;
}

char *block_storage_node(guint index)
{
    return g_strdup_printf("libvirt-%u-storage", index);
}

gboolean block_storage_index(const char *node, guint *ret_index)
{
    guint index;
    int end = 0;

    if (!node || sscanf(node, "libvirt-%9u-storage%n", &index, &end) != 1 || end == 0 || node[end])
        return FALSE;
    *ret_index = index;
    return TRUE;
}

char *block_format_node(const Disk *disk)
{
    return g_strdup_printf("libvirt-%u-format", disk->source->index);
}

char *block_top(const Disk *disk)
{
    if (!block_has_medium(disk))
        return NULL;
    if (disk->driver->copy_on_read == TOGGLE_ON)
        return g_strdup_printf("libvirt-CoR-%s", disk->target->dev);
    return block_format_node(disk);
}
