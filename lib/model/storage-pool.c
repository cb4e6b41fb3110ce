/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/storage-pool.h"

#include <string.h>

#include "lib/error.h"
#include "lib/uuid.h"

#define BIT(value) (1ull << (value))
#define F(name) BIT(STORAGE_POOL_FORMAT_##name)

typedef enum {
    NEEDS_HOST = 1 << 0,
    NEEDS_DEVICE = 1 << 1,
    NEEDS_DIR = 1 << 2,
    NEEDS_ADAPTER = 1 << 3,
    HAS_NAME = 1 << 4, /* of its source; stands for the pool's own where that is missing, and the other way around */
    NO_TARGET = 1 << 5,
    HAS_FILES = 1 << 6,
} Rules;

#define FILE_SYSTEMS                                                                                                   \
    (F(AUTO) | F(EXT2) | F(EXT3) | F(EXT4) | F(UFS) | F(ISO9660) | F(UDF) | F(GFS) | F(GFS2) | F(VFAT) | F(HFS_) |     \
     F(XFS) | F(OCFS2) | F(VMFS))
#define PARTITION_TABLES (F(UNKNOWN) | F(DOS) | F(DVH) | F(GPT) | F(MAC) | F(BSD) | F(PC98) | F(SUN) | F(LVM2))

static const struct {
    guint rules;
    guint64 formats; /* of its source; 0: it has none */
    StoragePoolFormat format;
    const char *target; /* the folder of its volumes, with %s for the source's name; NULL: the document says */
} types[STORAGE_POOL_TYPE_LAST] = {
    [STORAGE_POOL_TYPE_DIR] = {HAS_FILES, 0, 0, NULL},
    [STORAGE_POOL_TYPE_FS] = {NEEDS_DEVICE | HAS_FILES, FILE_SYSTEMS, STORAGE_POOL_FORMAT_AUTO, NULL},
    [STORAGE_POOL_TYPE_NETFS] = {NEEDS_HOST | NEEDS_DIR | HAS_FILES, F(AUTO) | F(NFS) | F(GLUSTERFS) | F(CIFS),
                                 STORAGE_POOL_FORMAT_AUTO, NULL},
    [STORAGE_POOL_TYPE_LOGICAL] = {HAS_NAME, F(UNKNOWN) | F(LVM2), STORAGE_POOL_FORMAT_LVM2, "/dev/%s"},
    [STORAGE_POOL_TYPE_DISK] = {NEEDS_DEVICE, PARTITION_TABLES, STORAGE_POOL_FORMAT_UNKNOWN, NULL},
    [STORAGE_POOL_TYPE_ISCSI] = {NEEDS_HOST | NEEDS_DEVICE, 0, 0, NULL},
    [STORAGE_POOL_TYPE_ISCSI_DIRECT] = {NEEDS_HOST | NEEDS_DEVICE | NO_TARGET, 0, 0, NULL},
    [STORAGE_POOL_TYPE_SCSI] = {NEEDS_ADAPTER, 0, 0, NULL},
    [STORAGE_POOL_TYPE_RBD] = {NEEDS_HOST | HAS_NAME | NO_TARGET, 0, 0, NULL},
    [STORAGE_POOL_TYPE_SHEEPDOG] = {NEEDS_HOST | HAS_NAME | NO_TARGET, 0, 0, NULL},
    [STORAGE_POOL_TYPE_GLUSTER] = {NEEDS_HOST | NEEDS_DIR | HAS_NAME | NO_TARGET | HAS_FILES, 0, 0, NULL},
    [STORAGE_POOL_TYPE_ZFS] = {HAS_NAME, 0, 0, "/dev/zvol/%s"},
    [STORAGE_POOL_TYPE_VSTORAGE] = {HAS_NAME | HAS_FILES, 0, 0, NULL},
};

gboolean storage_pool_has_files(StoragePoolType type)
{
    return (types[type].rules & HAS_FILES) != 0;
}

const char *storage_pool_path(const StoragePool *pool)
{
    return pool->target ? pool->target->path : NULL;
}

static gboolean refuse(GError **error, const char *words)
{
    return error_set(error, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR, "%s", words);
}

/* Slashes in a row count once, but for two at the beginning; one at the end goes. As libvirt. */
char *storage_path_clean(const char *path)
{
    gsize n = strspn(path, "/");
    GString *out = g_string_new(n == 2 ? "//" : n ? "/" : "");
    for (const char *p = path + n; *p; p++)
        if (*p != '/' || p[-1] != '/')
            g_string_append_c(out, *p);
    if (out->len > 1 && out->str[out->len - 1] == '/')
        g_string_truncate(out, out->len - 1);
    return g_string_free(out, FALSE);
}

/* -1 and what reads like it say nothing. */
static void forget_nobody(StoragePermissions *permissions)
{
    if (permissions && permissions->owner == G_MAXUINT32)
        permissions->owner = (gint64)UNSET64;
    if (permissions && permissions->group == G_MAXUINT32)
        permissions->group = (gint64)UNSET64;
}

static gboolean complete_format(StoragePool *pool, GError **error)
{
    StoragePoolSource *source = pool->source;
    guint64 formats = types[pool->type].formats;
    if (!formats) {
        g_clear_pointer(&source->format, storage_pool_source_format_free);
        return TRUE;
    }
    if (!source->format)
        source->format = storage_pool_source_format_new();
    if (!source->format->type)
        source->format->type = types[pool->type].format;
    return (formats & BIT(source->format->type)) ||
           error_set(error, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR, "unknown pool format type %s",
                     storage_pool_format_to_string(source->format->type));
}

static gboolean complete_name(StoragePool *pool, GError **error)
{
    if (!pool->name && (types[pool->type].rules & HAS_NAME))
        pool->name = g_strdup(pool->source->name);
    if (!pool->name || pool->name[0] == '\0')
        return refuse(error, "missing pool source name element");
    if (strchr(pool->name, '/'))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR, "name %s cannot contain '/'", pool->name);
    if (strchr(pool->name, '\n'))
        return error_set(error, VIR_FROM_XML, VIR_ERR_XML_DETAIL, "invalid char in name: %s", "\n");
    if (!pool->uuid.set)
        uuid_generate(pool->uuid.bytes);
    pool->uuid.set = TRUE;
    return TRUE;
}

static void complete_source(StoragePool *pool)
{
    StoragePoolSource *source = pool->source;
    if (pool->type == STORAGE_POOL_TYPE_GLUSTER && !source->dir)
        source->dir = storage_pool_dir_new();
    if (pool->type == STORAGE_POOL_TYPE_GLUSTER && !source->dir->path)
        source->dir->path = g_strdup("/");
    if (!source->name && (types[pool->type].rules & HAS_NAME))
        source->name = g_strdup(pool->name);
    if (source->adapter && !source->adapter->type)
        source->adapter->type = STORAGE_POOL_ADAPTER_TYPE_SCSI_HOST;
}

static gboolean check_source(const StoragePool *pool, GError **error)
{
    const StoragePoolSource *source = pool->source;
    guint rules = types[pool->type].rules;
    if ((rules & NEEDS_HOST) && !source->hosts->len)
        return refuse(error, "missing storage pool source host name");
    if ((rules & NEEDS_DIR) && !(source->dir && source->dir->path))
        return refuse(error, "missing storage pool source path");
    if ((rules & NEEDS_ADAPTER) && !source->adapter)
        return refuse(error, "missing storage pool source adapter");
    if ((rules & NEEDS_DEVICE) && !source->devices->len)
        return refuse(error, "missing storage pool source device name");
    if (pool->type == STORAGE_POOL_TYPE_ISCSI_DIRECT && !(source->initiator && source->initiator->iqn))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_CONFIG_UNSUPPORTED, "missing initiator IQN");
    return TRUE;
}

static gboolean complete_target(StoragePool *pool, GError **error)
{
    const char *form = types[pool->type].target;
    if (types[pool->type].rules & NO_TARGET) {
        g_clear_pointer(&pool->target, storage_pool_target_free);
        return TRUE;
    }
    if (!form && !(pool->target && pool->target->path))
        return refuse(error, "missing storage pool target path");
    if (!pool->target)
        pool->target = storage_pool_target_new();
    g_autofree char *old = g_steal_pointer(&pool->target->path);
    /* FORM is one of the table's own */
    g_auto(GStrv) around = form ? g_strsplit(form, "%s", 2) : NULL;
    pool->target->path = form ? g_strconcat(around[0], pool->source->name, NULL) : storage_path_clean(old);
    forget_nobody(pool->target->permissions);
    return TRUE;
}

StoragePool *storage_pool_read(XmlDocument *document, GError **error)
{
    if (!xml_check_root(document, "pool", error))
        return NULL;
    g_autoptr(StoragePool) pool =
        model_parse(&storage_pool_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error);
    if (!pool || !complete_format(pool, error) || !complete_name(pool, error))
        return NULL;
    complete_source(pool);
    if (!check_source(pool, error) || !complete_target(pool, error))
        return NULL;
    pool->capacity = pool->allocation = pool->available = 0;
    return g_steal_pointer(&pool);
}

/* --- volumes --- */

#define V(name) BIT(STORAGE_VOLUME_FORMAT_##name)
#define IMAGES                                                                                                         \
    (V(RAW) | V(DIR) | V(BOCHS) | V(CLOOP) | V(DMG) | V(ISO) | V(VPC) | V(VDI) | V(FAT) | V(VHD) | V(PLOOP) | V(COW) | \
     V(QCOW) | V(QCOW2) | V(QED) | V(VMDK))
#define PARTITIONS                                                                                                     \
    (V(NONE) | V(LINUX) | V(FAT16) | V(FAT32) | V(LINUX_SWAP) | V(LINUX_LVM) | V(LINUX_RAID) | V(EXTENDED))

/* FORMAT becomes the type's usual one where it says nothing; a type without formats forgets it. */
static gboolean complete_volume_format(StoragePoolType type, StorageVolumeTarget *target, GError **error)
{
    gboolean files = storage_pool_has_files(type), disk = type == STORAGE_POOL_TYPE_DISK;
    if (!files && !disk) {
        g_clear_pointer(&target->format, storage_volume_target_format_free);
        return TRUE;
    }
    if (!target->format)
        target->format = storage_volume_target_format_new();
    if (!target->format->type)
        target->format->type = files ? STORAGE_VOLUME_FORMAT_RAW : STORAGE_VOLUME_FORMAT_NONE;
    return ((files ? IMAGES : PARTITIONS) & BIT(target->format->type)) ||
           error_set(error, VIR_FROM_STORAGE, VIR_ERR_CONFIG_UNSUPPORTED, "unknown volume format type %s",
                     storage_volume_format_to_string(target->format->type));
}

static gboolean check_compat(const char *compat, GError **error)
{
    g_auto(GStrv) parts = compat ? g_strsplit(compat, ".", 2) : NULL;
    for (guint i = 0; parts && i < 2; i++)
        if (!parts[i] || !g_ascii_isdigit(parts[i][0]) || strspn(parts[i], "0123456789") != strlen(parts[i]))
            return refuse(error, "forbidden characters in 'compat' attribute");
    return TRUE;
}

static gboolean complete_capacity(StorageVolume *volume, guint flags, GError **error)
{
    gboolean may_lack =
        (flags & STORAGE_VOLUME_NO_CAPACITY) || ((flags & STORAGE_VOLUME_OPTIONAL_CAPACITY) && volume->backing_store);
    if (volume->capacity == UNSET64 && !may_lack)
        return refuse(error, "missing capacity element");
    return TRUE;
}

static gboolean complete_volume_target(StorageVolumeTarget *target, GError **error)
{
    forget_nobody(target->permissions);
    if (!check_compat(target->compat, error))
        return FALSE;
    if (target->features && !target->compat)
        target->compat = g_strdup("1.1");
    return TRUE;
}

StoragePoolFormats storage_pool_formats(StoragePoolType type)
{
    StoragePoolFormats formats = {.source = types[type].formats, .usual_source = types[type].format};
    if (storage_pool_has_files(type)) {
        formats.volume = IMAGES | V(NONE);
        formats.usual_volume = STORAGE_VOLUME_FORMAT_RAW;
    } else if (type == STORAGE_POOL_TYPE_DISK) {
        formats.volume = PARTITIONS;
        formats.usual_volume = STORAGE_VOLUME_FORMAT_NONE;
    } else if (type == STORAGE_POOL_TYPE_RBD) {
        formats.usual_volume = STORAGE_VOLUME_FORMAT_RAW; /* and no other */
    }
    return formats;
}

StorageVolume *storage_volume_read(XmlDocument *document, StoragePoolType type, guint flags, GError **error)
{
    if (!xml_check_root(document, "volume", error))
        return NULL;
    g_autoptr(StorageVolume) volume =
        model_parse(&storage_volume_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error);
    if (!volume)
        return NULL;
    if (volume->backing_store && !volume->backing_store->path)
        g_clear_pointer(&volume->backing_store, storage_volume_target_free);
    if ((volume->backing_store && (!complete_volume_format(type, volume->backing_store, error) ||
                                   !complete_volume_target(volume->backing_store, error))) ||
        !complete_capacity(volume, flags, error) || !complete_volume_format(type, volume->target, error) ||
        !complete_volume_target(volume->target, error))
        return NULL;
    return g_steal_pointer(&volume);
}
