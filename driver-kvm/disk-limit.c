/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/disk-limit.h"

#include "driver-kvm/props.h"

static void limit_by(JsonObject *limits, const char *key, guint64 value)
{
    props_int(limits, key, value == UNSET64 ? 0 : (gint64)MIN(value, (guint64)G_MAXINT64));
}

static void limit_also_by(JsonObject *limits, const char *key, guint64 value)
{
    if (value != UNSET64 && value > 0)
        limit_by(limits, key, value);
}

/* The part of a disk's device that QEMU has given the image to: some devices have it inside. */
char *disk_limit_group(const Disk *disk)
{
    switch (disk->target->bus) {
    case DISK_BUS_VIRTIO:
        return g_strdup_printf("/machine/peripheral/%s/virtio-backend", disk->alias->name);
    case DISK_BUS_USB:
        return g_strdup_printf("/machine/peripheral/%s/%s.0/legacy[0]", disk->alias->name, disk->alias->name);
    default:
        return g_strdup(disk->alias->name);
    }
}

void disk_limit(const Disk *disk, ArgvContext *context)
{
    const DiskIoTune *tune = disk->iotune;
    g_autofree char *id = disk_limit_group(disk);
    JsonObject *limits = props_new("id", id);

    limit_by(limits, "bps", tune->total_bytes_sec);
    limit_by(limits, "bps_rd", tune->read_bytes_sec);
    limit_by(limits, "bps_wr", tune->write_bytes_sec);
    limit_by(limits, "iops", tune->total_iops_sec);
    limit_by(limits, "iops_rd", tune->read_iops_sec);
    limit_by(limits, "iops_wr", tune->write_iops_sec);
    limit_also_by(limits, "bps_max", tune->total_bytes_sec_max);
    limit_also_by(limits, "bps_rd_max", tune->read_bytes_sec_max);
    limit_also_by(limits, "bps_wr_max", tune->write_bytes_sec_max);
    limit_also_by(limits, "iops_max", tune->total_iops_sec_max);
    limit_also_by(limits, "iops_rd_max", tune->read_iops_sec_max);
    limit_also_by(limits, "iops_wr_max", tune->write_iops_sec_max);
    limit_also_by(limits, "iops_size", tune->size_iops_sec);
    limit_also_by(limits, "bps_max_length", tune->total_bytes_sec_max_length);
    limit_also_by(limits, "bps_rd_max_length", tune->read_bytes_sec_max_length);
    limit_also_by(limits, "bps_wr_max_length", tune->write_bytes_sec_max_length);
    limit_also_by(limits, "iops_max_length", tune->total_iops_sec_max_length);
    limit_also_by(limits, "iops_rd_max_length", tune->read_iops_sec_max_length);
    limit_also_by(limits, "iops_wr_max_length", tune->write_iops_sec_max_length);
    props_string(limits, "group", tune->group_name);
    argv_context_command(context, "block_set_io_throttle", limits);
}
