/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/image.h"

#include <string.h>

#define EXTENSION_END 0
#define EXTENSION_FORMAT 0xe2792acau
#define INCOMPATIBLE_EXTENDED_L2 (1u << 4)
#define COMPATIBLE_LAZY (1u << 0)
#define SECTOR 512
#define QCOW2_AES 1
#define QCOW2_LUKS 2

static guint16 be16(const guint8 *p)
{
    return (guint16)(p[0] << 8 | p[1]);
}

static guint32 be32(const guint8 *p)
{
    return (guint32)p[0] << 24 | (guint32)p[1] << 16 | (guint32)p[2] << 8 | p[3];
}

static guint64 be64(const guint8 *p)
{
    return (guint64)be32(p) << 32 | be32(p + 4);
}

static guint32 le32(const guint8 *p)
{
    return (guint32)p[3] << 24 | (guint32)p[2] << 16 | (guint32)p[1] << 8 | p[0];
}

static guint64 le64(const guint8 *p)
{
    return (guint64)le32(p + 4) << 32 | le32(p);
}

typedef struct {
    StorageVolumeFormat format;
    guint offset; /* of its magic */
    const char *magic;
    guint magic_length;
    guint version_at;  /* 0: none; a 32-bit number in the image's own order of octets */
    guint versions[3]; /* which are known; ended by 0 */
    gboolean little;
    guint capacity_at; /* 0: the file's size counts; 64 bits */
    guint capacity_unit;
} Format;

#define MAGIC(text) text, sizeof(text) - 1

/* The order counts: a file can have the marks of several. */
static const Format formats[] = {
    {STORAGE_VOLUME_FORMAT_BOCHS, 0, MAGIC("Bochs Virtual HD Image"), 64, {0x10000, 0x20000}, TRUE, 76, 1},
    {STORAGE_VOLUME_FORMAT_VPC, 0, MAGIC("conectix"), 12, {0x10000}, FALSE, 40, 1},
    {STORAGE_VOLUME_FORMAT_VDI, 64, MAGIC("\x7f\x10\xda\xbe"), 68, {0x00010001}, TRUE, 368, 1},
    {STORAGE_VOLUME_FORMAT_PLOOP, 0, MAGIC("WithoutFreeSpace"), 16, {2}, TRUE, 36, SECTOR},
    {STORAGE_VOLUME_FORMAT_PLOOP, 0, MAGIC("WithouFreSpacExt"), 16, {2}, TRUE, 36, SECTOR},
    {STORAGE_VOLUME_FORMAT_COW, 0, MAGIC("OOOM"), 4, {2}, FALSE, 1040, 1},
    {STORAGE_VOLUME_FORMAT_QCOW, 0, MAGIC("QFI\xfb"), 4, {1}, FALSE, 24, 1},
    {STORAGE_VOLUME_FORMAT_QCOW2, 0, MAGIC("QFI\xfb"), 4, {2, 3}, FALSE, 24, 1},
    {STORAGE_VOLUME_FORMAT_QED, 0, MAGIC("QED\0"), 0, {0}, TRUE, 48, 1},
    {STORAGE_VOLUME_FORMAT_VMDK, 0, MAGIC("KDMV"), 4, {1, 2, 3}, TRUE, 12, SECTOR},
    {STORAGE_VOLUME_FORMAT_DMG, 0, MAGIC("koly"), 0, {0}, FALSE, 0, 0},
    {STORAGE_VOLUME_FORMAT_ISO, 32769, MAGIC("CD001"), 0, {0}, TRUE, 0, 0},
};

static gboolean has(const guint8 *header, gsize length, guint offset, const char *text, guint n)
{
    return offset + n <= length && memcmp(header + offset, text, n) == 0;
}

static gboolean matches(const Format *format, const guint8 *header, gsize length)
{
    if (!has(header, length, format->offset, format->magic, format->magic_length))
        return FALSE;
    if (!format->version_at)
        return TRUE;
    if (format->version_at + 4 > length)
        return FALSE;
    guint32 version = format->little ? le32(header + format->version_at) : be32(header + format->version_at);
    for (guint i = 0; i < G_N_ELEMENTS(format->versions) && format->versions[i]; i++)
        if (format->versions[i] == version)
            return TRUE;
    return FALSE;
}

static void read_capacity(const Format *format, const guint8 *header, gsize length, ImageInfo *info)
{
    if (!format->capacity_at || format->capacity_at + 8 > length)
        return;
    guint64 value = format->little ? le64(header + format->capacity_at) : be64(header + format->capacity_at);
    if (value <= G_MAXINT64 / format->capacity_unit)
        info->capacity = value * format->capacity_unit;
}

/* NAME is not terminated. */
static StorageVolumeFormat format_named(const guint8 *name, gsize length)
{
    for (StorageVolumeFormat i = STORAGE_VOLUME_FORMAT_RAW; i <= STORAGE_VOLUME_FORMAT_LUKS; i++) {
        const char *known = storage_volume_format_to_string(i);
        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return i;
    }
    return STORAGE_VOLUME_FORMAT_UNSET;
}

static void read_extensions(const guint8 *header, gsize length, gsize at, ImageInfo *info)
{
    while (at + 8 <= length) {
        guint32 kind = be32(header + at), size = be32(header + at + 4);
        at += 8;
        if (kind == EXTENSION_END || size > length - at)
            return;
        if (kind == EXTENSION_FORMAT) {
            info->has_backing_format = TRUE;
            info->backing_format = format_named(header + at, size);
            return;
        }
        at += ((gsize)size + 7) / 8 * 8;
    }
}

static void set_backing(guint64 offset, guint32 size, ImageInfo *info)
{
    if (offset == 0)
        return;
    info->damaged = offset > G_MAXINT64 || size == 0 || size > IMAGE_BACKING_MAX;
    if (info->damaged)
        return;
    info->backing_offset = offset;
    info->backing_length = size;
}

static void read_backing(const guint8 *header, gsize length, ImageInfo *info)
{
    guint64 offset = length >= 20 ? be64(header + 8) : 0;
    guint32 size = length >= 20 ? be32(header + 16) : 0;
    set_backing(offset, size, info);
}

#define QED_HAS_BACKING (1u << 0)
#define QED_BACKING_IS_RAW (1u << 2)

static void read_qed(const guint8 *header, gsize length, ImageInfo *info)
{
    if (length < 64 || !(le64(header + 16) & QED_HAS_BACKING))
        return;
    set_backing(le32(header + 56), le32(header + 60), info);
    info->has_backing_format = (le64(header + 16) & QED_BACKING_IS_RAW) != 0;
    info->backing_format = info->has_backing_format ? STORAGE_VOLUME_FORMAT_RAW : STORAGE_VOLUME_FORMAT_UNSET;
}

static void read_qcow2(const guint8 *header, gsize length, ImageInfo *info)
{
    if (length < 72)
        return;
    guint32 bits = be32(header + 20);
    info->cluster_size = bits >= 9 && bits <= 21 ? 1ull << bits : 0;
    info->compat_1_1 = be32(header + 4) == 3;
    info->within = be32(header + 32) == QCOW2_LUKS  ? STORAGE_ENCRYPTION_FORMAT_LUKS
                   : be32(header + 32) == QCOW2_AES ? STORAGE_ENCRYPTION_FORMAT_QCOW
                                                    : STORAGE_ENCRYPTION_FORMAT_UNSET;
    read_backing(header, length, info);
    if (!info->compat_1_1 || length < 104) {
        read_extensions(header, length, 72, info);
        return;
    }
    info->extended_l2 = (be64(header + 72) & INCOMPATIBLE_EXTENDED_L2) != 0;
    info->lazy_refcounts = (be64(header + 80) & COMPATIBLE_LAZY) != 0;
    read_extensions(header, length, be32(header + 100), info);
}

static gboolean look_luks(const guint8 *header, gsize length, guint64 size, ImageInfo *info)
{
    if (!has(header, length, 0, "LUKS\xba\xbe", 6) || length < 108 || (be16(header + 6) != 1 && be16(header + 6) != 2))
        return FALSE;
    info->luks = TRUE;
    guint64 payload = be16(header + 6) == 1 ? (guint64)be32(header + 104) * SECTOR : 0;
    info->capacity = payload < size ? size - payload : 0;
    return TRUE;
}

void image_look(const guint8 *header, gsize length, guint64 size, ImageInfo *ret_info)
{
    memset(ret_info, 0, sizeof *ret_info);
    ret_info->format = STORAGE_VOLUME_FORMAT_RAW;
    if (look_luks(header, length, size, ret_info))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (!matches(&formats[i], header, length))
            continue;
        ret_info->format = formats[i].format;
        read_capacity(&formats[i], header, length, ret_info);
        break;
    }
    if (ret_info->format == STORAGE_VOLUME_FORMAT_QCOW2)
        read_qcow2(header, length, ret_info);
    else if (ret_info->format == STORAGE_VOLUME_FORMAT_QCOW)
        read_backing(header, length, ret_info);
    else if (ret_info->format == STORAGE_VOLUME_FORMAT_QED)
        read_qed(header, length, ret_info);
}
