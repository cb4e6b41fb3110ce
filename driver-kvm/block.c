/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/block.h"
#include "driver-kvm/block-network.h"
#include "driver-kvm/block-secret.h"
#include "driver-kvm/fd-groups.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include <stdio.h>
#include <string.h>

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

/* An empty <backingStore/> ends a chain. */
static gboolean is_end(const DiskBackingStore *store)
{
    return !store->source;
}

gboolean block_has_medium(const Disk *disk)
{
    DiskImage image = disk_image(disk);

    if (disk->type != STORAGE_TYPE_FILE && disk->type != STORAGE_TYPE_BLOCK)
        return disk->source != NULL;
    return disk_image_path(&image) != NULL;
}

/* What QEMU calls a format; QEMU's FAT is made where the folder is read, and is raw from there on. */
static const struct {
    StorageFormat format;
    const char *driver;
    gboolean builds;
} formats[] = {
    {STORAGE_FORMAT_RAW, "raw", FALSE},         {STORAGE_FORMAT_QCOW2, "qcow2", TRUE}, {STORAGE_FORMAT_QCOW, "qcow", TRUE},
    {STORAGE_FORMAT_QED, "qed", TRUE},          {STORAGE_FORMAT_VMDK, "vmdk", FALSE},  {STORAGE_FORMAT_VDI, "vdi", FALSE},
    {STORAGE_FORMAT_VPC, "vpc", FALSE},         {STORAGE_FORMAT_VHD, "vhdx", FALSE},   {STORAGE_FORMAT_BOCHS, "bochs", FALSE},
    {STORAGE_FORMAT_PLOOP, "parallels", FALSE}, {STORAGE_FORMAT_CLOOP, "cloop", FALSE}, {STORAGE_FORMAT_DMG, "dmg", FALSE},
    {STORAGE_FORMAT_FAT, "raw", FALSE},
};

static const char *driver_of(StorageFormat format)
{
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
        if (formats[i].format == format)
            return formats[i].driver;
    return NULL;
}

gboolean block_may_build(StorageFormat format)
{
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
        if (formats[i].format == format)
            return formats[i].builds;
    return FALSE;
}

gboolean block_is_local(const DiskImage *image)
{
    return image->type == STORAGE_TYPE_FILE || image->type == STORAGE_TYPE_BLOCK || image->type == STORAGE_TYPE_DIR;
}

gboolean block_validate_image(const DiskImage *image, GError **error)
{
    const char *target = image->disk->target->dev;

    if (!block_is_local(image) && image->type != STORAGE_TYPE_NETWORK)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "disk '%s': a source of type '%s' is not supported by this driver", target,
                         storage_type_to_string(image->type));
    if (!driver_of(image->format))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "disk '%s': an image of format '%s' is not supported by this driver", target,
                         image->format ? storage_format_to_string(image->format) : "none");
    return block_is_local(image) || block_network_check(image, error);
}

gboolean block_validate(const Disk *disk, GError **error)
{
    DiskImage image = disk_image(disk);
    const DiskBackingStore *store = disk->backing_store;

    if (!block_has_medium(disk))
        return TRUE;
    if (!block_validate_image(&image, error))
        return FALSE;
    for (; store && !is_end(store); store = store->backing_store) {
        image = disk_image_behind(disk, store);
        if (!block_validate_image(&image, error))
            return FALSE;
    }
    return TRUE;
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

static JsonObject *file_node(const Disk *disk, const DiskImage *image)
{
    JsonObject *props = props_new("driver", image->type == STORAGE_TYPE_BLOCK ? "host_device" : "file");

    if (image->source->fdgroup)
        props_format(props, "filename", "/dev/fdset/%u", fd_groups_set(image->source));
    else
        props_string(props, "filename", disk_image_path(image));
    props_string(props, "aio", disk_io_to_string(disk->driver->io));
    return props;
}

static JsonObject *folder_node(const Disk *disk, const DiskImage *image)
{
    JsonObject *props = props_new("driver", "vvfat");

    props_string(props, "dir", disk_image_path(image));
    props_bool(props, "floppy", disk->device == DISK_DEVICE_FLOPPY);
    props_bool(props, "rw", FALSE);
    return props;
}

static JsonObject *storage_node(const Disk *disk, const DiskImage *image)
{
    JsonObject *props = image->type == STORAGE_TYPE_DIR       ? folder_node(disk, image)
                        : image->type == STORAGE_TYPE_NETWORK ? block_network_node(image)
                                                              : file_node(disk, image);

    props_format(props, "node-name", "libvirt-%u-storage", image->index);
    add_cache(disk, props);
    if (image->source->fdgroup)
        props_bool(props, "read-only", disk->readonly); /* QEMU takes the descriptor of the set that fits */
    else
        props_bool(props, "auto-read-only", TRUE);
    props_string(props, "discard", "unmap");
    return props;
}

/* Raw data that are encrypted have a header, which makes them a format of their own; a qcow2 image has it within. */
static void add_encryption(const DiskImage *image, JsonObject *props)
{
    g_autofree char *passphrase = block_secret_passphrase(image);
    gboolean here = passphrase && image->encryption->engine != STORAGE_ENCRYPTION_ENGINE_LIBRBD;

    if (!here || image->format != STORAGE_FORMAT_QCOW2) {
        props_string(props, "driver", here ? "luks" : driver_of(image->format));
        props_string(props, "key-secret", here ? passphrase : NULL);
        return;
    }
    props_string(props, "driver", driver_of(image->format));
    JsonObject *encrypt = props_new("format", "luks");
    props_string(encrypt, "key-secret", passphrase);
    json_object_set_object_member(props, "encrypt", encrypt);
}

static JsonObject *format_node(const Disk *disk, const DiskImage *image, gboolean is_top, const DiskBackingStore *backing)
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
    if (image->format == STORAGE_FORMAT_QCOW2)
        props_toggle(props, "discard-no-unref", driver->discard_no_unref);
    add_encryption(image, props);
    props_format(props, "file", "libvirt-%u-storage", image->index);
    if (block_may_build(image->format) && backing && is_end(backing))
        props_null(props, "backing");
    else if (block_may_build(image->format) && backing)
        props_format(props, "backing", "libvirt-%u-format", backing->index);
    return props;
}

static void build_image(const Disk *disk, const DiskImage *image, gboolean is_top, const DiskBackingStore *backing,
                        const ArgvContext *context, GPtrArray *parts)
{
    if (backing && !is_end(backing)) {
        DiskImage behind = disk_image_behind(disk, backing);

        build_image(disk, &behind, FALSE, backing->backing_store, context, parts);
    }
    block_secret_build(image, context, parts);
    parts_add(parts, PART_BLOCKDEV, storage_node(disk, image));
    parts_add(parts, PART_BLOCKDEV, format_node(disk, image, is_top, backing));
}

gboolean block_build(const Disk *disk, const ArgvContext *context, GPtrArray *parts, GError **error)
{
    DiskImage image = disk_image(disk);

    if (!block_has_medium(disk))
        return TRUE;
    if (!block_validate(disk, error))
        return FALSE;
    build_image(disk, &image, TRUE, disk->backing_store, context, parts);
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

char *block_image_node(guint index)
{
    return g_strdup_printf("libvirt-%u-format", index);
}

char *block_format_node(const Disk *disk)
{
    return block_image_node(disk->source->index);
}

char *block_top(const Disk *disk)
{
    if (!block_has_medium(disk))
        return NULL;
    if (disk->driver->copy_on_read == TOGGLE_ON)
        return g_strdup_printf("libvirt-CoR-%s", disk->target->dev);
    return block_format_node(disk);
}
