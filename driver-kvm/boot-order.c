/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/boot-order.h"

/* 1 for the first <boot> that names DEV, and so on; 0 if none does. */
static guint place_of(const Domain *def, BootDevice dev)
{
    guint place = 0;

    for (guint i = 0; i < def->os->boots->len; i++)
        if (((const OsBoot *)g_ptr_array_index(def->os->boots, i))->dev == dev)
            place = i + 1;
    return place;
}

static guint own_order(const Boot *boot)
{
    return boot && boot->order != UNSET32 ? boot->order : 0;
}

static BootDevice kind_of(const Disk *disk)
{
    switch (disk->device) {
    case DISK_DEVICE_CDROM:
        return BOOT_DEVICE_CDROM;
    case DISK_DEVICE_FLOPPY:
        return BOOT_DEVICE_FD;
    default:
        return BOOT_DEVICE_HD;
    }
}

guint boot_order_of_disk(const Domain *def, const Disk *disk)
{
    if (def->os->boots->len == 0)
        return own_order(disk->boot);
    for (guint i = 0; i < def->devices->disks->len; i++) {
        const Disk *first = g_ptr_array_index(def->devices->disks, i);

        if (kind_of(first) == kind_of(disk))
            return first == disk ? place_of(def, kind_of(disk)) : 0;
    }
    return 0;
}

guint boot_order_of_interface(const Domain *def, const Interface *interface)
{
    if (def->os->boots->len == 0)
        return own_order(interface->boot);
    return g_ptr_array_index(def->devices->interfaces, 0) == interface ? place_of(def, BOOT_DEVICE_NETWORK) : 0;
}
