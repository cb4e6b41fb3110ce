/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/disk-iotune.h"

#include "lib/error.h"

#define HIGHEST G_GUINT64_CONSTANT(1000000000000000) /* that QEMU takes */

/* What is inherited together: one of a family that is set stands for all of it. */
typedef enum { BYTES, IOPS, BYTES_MAX, IOPS_MAX, SIZE, GROUP, BYTES_LENGTH, IOPS_LENGTH } Family;

#define FIELD(name, family) {#name, offsetof(DiskIoTune, name), family}

/* In libvirt's order. */
static const struct {
    const char *name;
    gsize offset;
    Family family;
} fields[DISK_IOTUNE_FIELDS] = {
    FIELD(total_bytes_sec, BYTES),
    FIELD(read_bytes_sec, BYTES),
    FIELD(write_bytes_sec, BYTES),
    FIELD(total_iops_sec, IOPS),
    FIELD(read_iops_sec, IOPS),
    FIELD(write_iops_sec, IOPS),
    FIELD(total_bytes_sec_max, BYTES_MAX),
    FIELD(read_bytes_sec_max, BYTES_MAX),
    FIELD(write_bytes_sec_max, BYTES_MAX),
    FIELD(total_iops_sec_max, IOPS_MAX),
    FIELD(read_iops_sec_max, IOPS_MAX),
    FIELD(write_iops_sec_max, IOPS_MAX),
    FIELD(size_iops_sec, SIZE),
    FIELD(group_name, GROUP),
    FIELD(total_bytes_sec_max_length, BYTES_LENGTH),
    FIELD(read_bytes_sec_max_length, BYTES_LENGTH),
    FIELD(write_bytes_sec_max_length, BYTES_LENGTH),
    FIELD(total_iops_sec_max_length, IOPS_LENGTH),
    FIELD(read_iops_sec_max_length, IOPS_LENGTH),
    FIELD(write_iops_sec_max_length, IOPS_LENGTH),
};

/* The limits that have a burst and its length, by their places above. */
enum { LIMITS = 6, FIRST_MAX = 6, FIRST_LENGTH = 14 };

static guint64 get(const DiskIoTune *tune, guint index)
{
    guint64 value = tune ? *(const guint64 *)(gconstpointer)((const char *)tune + fields[index].offset) : UNSET64;
    return value == UNSET64 ? 0 : value;
}

static void set(DiskIoTune *tune, guint index, guint64 value)
{
    *(guint64 *)(gpointer)((char *)tune + fields[index].offset) = value ? value : UNSET64;
}

const char *disk_iotune_field(guint index, gboolean *ret_is_text)
{
    *ret_is_text = fields[index].family == GROUP;
    return fields[index].name;
}

/* As QEMU counts: without a limit there is no throttling, and a burst lasts a second where nothing else is said. */
static DiskIoTune *in_effect(const DiskIoTune *tune, const char *own_group)
{
    DiskIoTune *effect = disk_io_tune_new();
    guint64 any = 0;

    for (guint i = 0; i < LIMITS; i++)
        any |= get(tune, i);
    for (guint i = 0; i < FIRST_LENGTH && any; i++)
        if (fields[i].family != GROUP)
            set(effect, i, get(tune, i));
    for (guint i = 0; i < LIMITS; i++)
        if (get(effect, FIRST_MAX + i))
            set(effect, FIRST_LENGTH + i, MAX(get(tune, FIRST_LENGTH + i), 1));
    effect->group_name = any ? g_strdup(tune->group_name ? tune->group_name : own_group) : NULL;
    return effect;
}

void disk_iotune_to_params(const DiskIoTune *said, const char *own_group, Params *params)
{
    g_autoptr(DiskIoTune) effect = own_group ? in_effect(said, own_group) : NULL;
    const DiskIoTune *tune = own_group ? effect : said;

    for (guint i = 0; i < DISK_IOTUNE_FIELDS; i++) {
        if (fields[i].family == GROUP)
            params_string(params, tune && tune->group_name ? tune->group_name : "", "%s", fields[i].name);
        else
            params_ullong(params, get(tune, i), "%s", fields[i].name);
    }
}

static guint64 given(const Params *params, guint index)
{
    const Param *param = params_find(params, fields[index].name);
    return param ? param->value.ul : 0;
}

gboolean disk_iotune_check(const Params *params, GError **error)
{
    static const struct {
        guint first; /* total, read, write */
        const char *name;
    } sums[] = {{0, "bytes_sec"}, {3, "iops_sec"}, {6, "bytes_sec_max"}, {9, "iops_sec_max"}};

    for (guint i = 0; i < DISK_IOTUNE_FIELDS; i++)
        if (fields[i].family != GROUP && given(params, i) > HIGHEST)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_ARGUMENT_UNSUPPORTED,
                             "block I/O throttle limit value must be no more than %" G_GUINT64_FORMAT, HIGHEST);
    for (guint i = 0; i < G_N_ELEMENTS(sums); i++)
        if (given(params, sums[i].first) && (given(params, sums[i].first + 1) || given(params, sums[i].first + 2)))
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "total and read/write of %s cannot be set at the same time",
                             sums[i].name);
    return TRUE;
}

static gboolean has_family(const Params *params, Family family)
{
    for (guint i = 0; i < DISK_IOTUNE_FIELDS; i++)
        if (fields[i].family == family && params_find(params, fields[i].name))
            return TRUE;
    return FALSE;
}

static gboolean in_group(const Disk *disk, const char *group)
{
    return disk->iotune && g_strcmp0(disk->iotune->group_name, group) == 0;
}

/* Whose limits those of DISK build on when it is in GROUP (NULL: that stays): its own, or those of the group that it joins. */
static const DiskIoTune *base_of(const Domain *def, const Disk *disk, const char *group)
{
    if (!group || in_group(disk, group))
        return disk->iotune;
    for (guint i = 0; i < def->devices->disks->len; i++) {
        const Disk *other = def->devices->disks->pdata[i];
        if (in_group(other, group))
            return other->iotune;
    }
    return disk->iotune;
}

static gboolean is_limited(const DiskIoTune *tune)
{
    for (guint i = 0; i < DISK_IOTUNE_FIELDS; i++)
        if (fields[i].family != GROUP && get(tune, i))
            return TRUE;
    return FALSE;
}

static gboolean check_bursts(const DiskIoTune *tune, GError **error)
{
    for (guint i = 0; i < LIMITS; i++) {
        guint64 limit = get(tune, i), burst = get(tune, FIRST_MAX + i);
        if (burst && !limit)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "cannot reset '%s' when '%s_max' is set",
                             fields[i].name, fields[i].name);
        if (burst && burst < limit)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "value '%s_max' cannot be smaller than '%s'",
                             fields[i].name, fields[i].name);
    }
    return TRUE;
}

DiskIoTune *disk_iotune_merge(const Domain *def, const Disk *disk, const Params *params, gboolean live, GError **error)
{
    const Param *group = params_find(params, "group_name");
    const DiskIoTune *base = base_of(def, disk, group ? group->value.s : NULL);
    g_autoptr(DiskIoTune) tune = disk_io_tune_new();

    for (guint i = 0; i < DISK_IOTUNE_FIELDS; i++)
        if (fields[i].family != GROUP)
            set(tune, i, has_family(params, fields[i].family) ? given(params, i) : get(base, i));
    tune->group_name = g_strdup(group ? group->value.s : base ? base->group_name : NULL);
    /* A length that is taken back is the shortest where there is something for it to be the length of. */
    for (guint i = 0; i < LIMITS; i++)
        if (has_family(params, fields[FIRST_LENGTH + i].family) && get(base, FIRST_LENGTH + i) && !get(tune, FIRST_LENGTH + i))
            set(tune, FIRST_LENGTH + i, get(tune, i) || get(tune, FIRST_MAX + i) ? 1 : 0);
    if (!is_limited(tune)) {
        if (tune->group_name && !in_group(disk, tune->group_name)) {
            error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                      "creating a new group/updating existing with all tune parameters zero is not supported");
            return NULL;
        }
        g_clear_pointer(&tune->group_name, g_free);
    }
    if (live && !check_bursts(tune, error))
        return NULL;
    return g_steal_pointer(&tune);
}

void disk_iotune_set(Domain *def, Disk *disk, const DiskIoTune *tune)
{
    for (guint i = 0; i < def->devices->disks->len; i++) {
        Disk *other = def->devices->disks->pdata[i];
        if (other != disk && !(tune->group_name && in_group(other, tune->group_name)))
            continue;
        disk_io_tune_free(other->iotune);
        other->iotune = disk_io_tune_copy(tune);
    }
}
