/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/stats-block.h"

#include "lib/model/domain-disk.h"
#include "lib/sysfs.h"

#define COUNTERS "/sys/bus/xen-backend/devices/vbd-%u-%d/statistics/%s"
#define SECTOR 512 /* in the block interface's ring (xen/io/blkif.h), whatever the disk's own are */

static const struct {
    const char *counter, *field;
    guint64 unit;
} fields[] = {
    {"rd_req", "rd.reqs", 1},  {"rd_sect", "rd.bytes", SECTOR}, {"wr_req", "wr.reqs", 1},
    {"wr_sect", "wr.bytes", SECTOR}, {"f_req", "fl.reqs", 1},
};

/* Xen's number of the disk; -1: the guest has it no more. */
static int number_of(Context *context, guint32 domid, const Disk *disk)
{
    libxl_device_disk config;
    libxl_diskinfo info;
    int number = -1;

    libxl_device_disk_init(&config);
    libxl_diskinfo_init(&info);
    if (libxl_vdev_to_device_disk(context->libxl, domid, disk->target->dev, &config) == 0 &&
        libxl_device_disk_getinfo(context->libxl, domid, &config, &info) == 0)
        number = info.devid;
    libxl_diskinfo_dispose(&info);
    libxl_device_disk_dispose(&config);
    return number;
}

void stats_block(Context *context, guint32 domid, const Domain *live, Params *params)
{
    const GPtrArray *disks = live->devices->disks;

    params_uint(params, disks->len, "block.count");
    for (guint i = 0; i < disks->len; i++) {
        const Disk *disk = disks->pdata[i];
        const char *path = disk_path(disk);
        int number = number_of(context, domid, disk);

        params_string(params, disk->target->dev, "block.%u.name", i);
        if (path)
            params_string(params, path, "block.%u.path", i);
        for (gsize f = 0; f < G_N_ELEMENTS(fields) && number >= 0; f++) {
            gint64 value;

            if (sysfs_number(&value, "", COUNTERS, domid, number, fields[f].counter))
                params_ullong(params, (guint64)value * fields[f].unit, "block.%u.%s", i, fields[f].field);
        }
    }
}
