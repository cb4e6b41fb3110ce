/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/block-secret.h"
#include "driver-kvm/block-volume.h"
#include "driver-kvm/block.h"
#include "driver-kvm/boot-order.h"
#include "driver-kvm/device.h"
#include "driver-kvm/disk-limit.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "driver-kvm/validate.h"
#include "lib/error.h"
#include "lib/model/domain-address.h"
#include "lib/model/pci-map.h"

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Disk *disk = device;

    if (!disk->driver)
        disk->driver = disk_driver_new();
    if (!disk->driver->name)
        disk->driver->name = g_strdup("qemu");
    if (disk->driver->type == STORAGE_FORMAT_UNSET && disk->type != STORAGE_TYPE_VOLUME)
        disk->driver->type = STORAGE_FORMAT_RAW;
    if (disk->target->bus == DISK_BUS_UNSET)
        disk->target->bus = domain_disk_bus(disk);
    if (disk->readonly && disk->snapshot == DISK_SNAPSHOT_NO) /* goes without saying */
        disk->snapshot = DISK_SNAPSHOT_UNSET;
    if (disk->address && disk->address->type != ADDRESS_TYPE_UNSET)
        return TRUE;
    return domain_address_disk(disk, error);
}

/* What each bus takes; a disk of another bus is refused. */
static const struct {
    DiskBus bus;
    AddressType address;
    gboolean cdrom_only_readonly; /* a hard disk cannot be read-only */
} buses[] = {
    {DISK_BUS_IDE, ADDRESS_TYPE_DRIVE, TRUE},   {DISK_BUS_SATA, ADDRESS_TYPE_DRIVE, TRUE},
    {DISK_BUS_SCSI, ADDRESS_TYPE_DRIVE, FALSE}, {DISK_BUS_FDC, ADDRESS_TYPE_DRIVE, FALSE},
    {DISK_BUS_USB, ADDRESS_TYPE_USB, FALSE},    {DISK_BUS_VIRTIO, ADDRESS_TYPE_UNSET, FALSE},
    {DISK_BUS_SD, ADDRESS_TYPE_UNSET, FALSE},
};

static gboolean unsupported(GError **error, const char *text)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "%s", text);
}

static gboolean validate_bus(const Disk *disk, GError **error)
{
    DiskBus bus = disk->target->bus;
    const char *name = disk_bus_to_string(bus);

    for (gsize i = 0; i < G_N_ELEMENTS(buses); i++) {
        if (buses[i].bus != bus)
            continue;
        if (disk->address && disk->address->type != ADDRESS_TYPE_UNSET && buses[i].address != ADDRESS_TYPE_UNSET &&
            disk->address->type != buses[i].address)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "unexpected address type for %s disk", name);
        if (buses[i].cdrom_only_readonly && disk->readonly && disk->device == DISK_DEVICE_DISK)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "readonly %s disks are not supported", name);
        return TRUE;
    }
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "disk bus '%s' is not supported by this driver", name);
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Disk *disk = device;
    DiskBus bus = disk->target->bus;
    StorageFormat format = disk->driver->type;

    if (disk->wwn && bus != DISK_BUS_IDE && bus != DISK_BUS_SCSI)
        return unsupported(error, "Only ide and scsi disk support wwn");
    if ((disk->vendor || disk->product) && bus != DISK_BUS_SCSI)
        return unsupported(error, "Only scsi disk supports vendor and product");
    if (g_strcmp0(disk->driver->name, "qemu") != 0)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported driver name '%s' for disk '%s'",
                         disk->driver->name, disk->target->dev);
    if (!validate_disk(def, disk, caps, error))
        return FALSE;
    if (disk->shareable && !disk->readonly && block_has_medium(disk) && format != STORAGE_FORMAT_RAW)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "shared access for disk '%s' requires use of supported storage format", disk->target->dev);
    return validate_bus(disk, error);
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Disk *disk = device;

    if (disk->target->bus != DISK_BUS_VIRTIO)
        return 0;
    return disk->model == DISK_MODEL_VIRTIO_TRANSITIONAL ? PCI_CONNECT_DEVICE : PCI_CONNECT_EXPRESS;
}

static gboolean is_usb(gconstpointer device)
{
    const Disk *disk = device;

    return disk->target->bus == DISK_BUS_USB;
}

static gboolean is_lsi(const Domain *def, const Disk *disk)
{
    const Controller *controller = domain_controller(def, CONTROLLER_TYPE_SCSI, disk->address->controller);

    return controller && controller->model == CONTROLLER_MODEL_LSILOGIC;
}

static char *make_alias(const Domain *def, gconstpointer device, guint index)
{
    const Disk *disk = device;
    const Address *address = disk->address;
    const char *bus = disk_bus_to_string(disk->target->bus);

    if (!address || address->type != ADDRESS_TYPE_DRIVE)
        return g_strdup_printf("%s-disk%d", bus, MAX(domain_disk_number(disk->target->dev), 0));
    if (disk->target->bus == DISK_BUS_SCSI && !is_lsi(def, disk))
        return g_strdup_printf("%s%u-%u-%u-%u", bus, address->controller, address->bus, address->target, address->unit);
    return g_strdup_printf("%s%u-%u-%u", bus, address->controller, address->bus, address->unit);
}

/* A removable drive may start empty where its medium is missing and the document allows that. */
static gboolean may_be_missing(const Disk *disk)
{
    return disk->source && (disk->source->startup_policy == DISK_STARTUP_OPTIONAL);
}

/* The drive is empty then. */
static void leave_out(Disk *disk)
{
    g_clear_pointer(&disk->source, disk_source_free);
    disk->driver->type = STORAGE_FORMAT_UNSET;
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    Disk *disk = device;
    g_autoptr(GError) why = NULL;

    if (!block_volume_find(disk, context, &why)) {
        if (!may_be_missing(disk)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        leave_out(disk);
        return TRUE;
    }
    if (!block_validate(disk, error))
        return FALSE;
    if (!block_has_medium(disk))
        disk->driver->type = STORAGE_FORMAT_UNSET;
    disk->target->tray = DISK_TRAY_UNSET; /* the tray of a machine that is made is closed */
    /* What several write at once must not be cached by each. */
    if (disk->shareable && !disk->readonly && disk->driver->cache == DISK_CACHE_UNSET && block_has_medium(disk))
        disk->driver->cache = DISK_CACHE_NONE;
    if (disk->iotune && block_has_medium(disk)) /* QEMU refuses limits of an empty drive; they come with a medium */
        disk_limit(disk, context);
    if (!block_secret_take(disk, context, error))
        return FALSE;
    if (!context->touch_host || block_prepare(disk, context, &why))
        return TRUE;
    if (!may_be_missing(disk) || !error_is(why, VIR_ERR_SYSTEM_ERROR)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    leave_out(disk);
    return TRUE;
}

static gboolean address_props(const Domain *live, const Disk *disk, JsonObject *props, GError **error)
{
    const Address *address = disk->address;
    const Controller *controller;
    const char *bus;

    if (!address || address->type != ADDRESS_TYPE_DRIVE)
        return device_address_props(live, address, props, error);
    if (disk->target->bus == DISK_BUS_FDC) {
        props_int(props, "unit", address->unit);
        return TRUE;
    }
    controller = domain_controller(live,
                                   disk->target->bus == DISK_BUS_SCSI   ? CONTROLLER_TYPE_SCSI
                                   : disk->target->bus == DISK_BUS_SATA ? CONTROLLER_TYPE_SATA
                                                                        : CONTROLLER_TYPE_IDE,
                                   address->controller);
    if (!controller || !controller->alias)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "Could not find controller %u of disk '%s'",
                         address->controller, disk->target->dev);
    bus = controller->alias->name;
    switch (disk->target->bus) {
    case DISK_BUS_IDE:
        props_format(props, "bus", "%s.%u", bus, address->bus);
        props_int(props, "unit", address->unit);
        return TRUE;
    case DISK_BUS_SATA:
        props_format(props, "bus", "%s.%u", bus, address->unit);
        return TRUE;
    default:
        break;
    }
    if (is_lsi(live, disk)) {
        props_format(props, "bus", "%s.%u", bus, address->bus);
        props_int(props, "scsi-id", address->unit);
        return TRUE;
    }
    props_format(props, "bus", "%s.0", bus);
    props_int(props, "channel", address->bus);
    props_int(props, "scsi-id", address->target);
    props_int(props, "lun", address->unit);
    return TRUE;
}

static const char *driver_name(const Disk *disk)
{
    gboolean cdrom = disk->device == DISK_DEVICE_CDROM;

    switch (disk->target->bus) {
    case DISK_BUS_IDE:
    case DISK_BUS_SATA:
        return cdrom ? "ide-cd" : "ide-hd";
    case DISK_BUS_SCSI:
        return disk->device == DISK_DEVICE_LUN ? "scsi-block" : cdrom ? "scsi-cd" : "scsi-hd";
    case DISK_BUS_USB:
        return "usb-storage";
    case DISK_BUS_FDC:
        return "floppy";
    default:
        return disk->model == DISK_MODEL_VIRTIO_TRANSITIONAL       ? "virtio-blk-pci-transitional"
               : disk->model == DISK_MODEL_VIRTIO_NON_TRANSITIONAL ? "virtio-blk-pci-non-transitional"
                                                                   : "virtio-blk-pci";
    }
}

/* Which queue of the disk each thread serves. */
static void add_iothreads(const DiskIothreads *threads, JsonObject *props)
{
    JsonArray *all = json_array_new();

    for (guint i = 0; i < threads->iothreads->len; i++) {
        const DiskIothread *thread = threads->iothreads->pdata[i];
        JsonObject *one = json_object_new();

        props_format(one, "iothread", "iothread%u", thread->id);
        if (thread->queues->len) {
            JsonArray *queues = json_array_new();
            for (guint n = 0; n < thread->queues->len; n++)
                json_array_add_int_element(queues, ((const DiskIothreadQueue *)thread->queues->pdata[n])->id);
            json_object_set_array_member(one, "vqs", queues);
        }
        json_array_add_object_element(all, one);
    }
    json_object_set_array_member(props, "iothread-vq-mapping", all);
}

static void add_virtio(const Disk *disk, JsonObject *props)
{
    const DiskDriver *driver = disk->driver;

    props_virtio(props, driver);
    if (driver->iothread != UNSET32)
        props_format(props, "iothread", "iothread%u", driver->iothread);
    if (driver->iothreads)
        add_iothreads(driver->iothreads, props);
    props_toggle(props, "ioeventfd", driver->ioeventfd);
    props_toggle(props, "event_idx", driver->event_idx);
    props_positive(props, "num-queues", driver->queues);
    props_positive(props, "queue-size", driver->queue_size);
}

static const char *policy_name(DiskErrorPolicy policy)
{
    return policy == DISK_ERROR_POLICY_ENOSPACE ? "enospc" : disk_error_policy_to_string(policy);
}

/* Historically a SCSI disk without a serial number showed the name of QEMU's drive. */
static void add_scsi_identity(const Disk *disk, JsonObject *props)
{
    if (disk->target->bus != DISK_BUS_SCSI || disk->device == DISK_DEVICE_LUN)
        return;
    if (disk->serial)
        props_string(props, "device_id", disk->serial);
    else
        props_format(props, "device_id", "drive-%s", disk->alias->name);
}

static void add_cache_mode(const Disk *disk, JsonObject *props)
{
    gboolean writeback, direct, no_flush;

    if (disk->device != DISK_DEVICE_LUN && block_cache(disk->driver->cache, &writeback, &direct, &no_flush))
        props_string(props, "write-cache", writeback ? "on" : "off");
}

static void add_policies(const Disk *disk, JsonObject *props)
{
    DiskErrorPolicy write = disk->driver->error_policy, read = disk->driver->rerror_policy;

    /* One policy for both, but "enospace" is about writing. */
    if (read == DISK_ERROR_POLICY_UNSET && write != DISK_ERROR_POLICY_ENOSPACE)
        read = write;
    props_string(props, "werror", policy_name(write));
    props_string(props, "rerror", policy_name(read));
}

static void add_media(const Domain *live, const Disk *disk, JsonObject *props)
{
    g_autofree char *top = block_top(disk);
    Toggle removable = disk->target->removable;

    add_scsi_identity(disk, props);
    if (disk->shareable)
        props_bool(props, "share-rw", TRUE);
    props_string(props, "drive", top);
    props_string(props, "id", disk->alias->name);
    if (disk->device != DISK_DEVICE_FLOPPY)
        props_positive(props, "bootindex", boot_order_of_disk(live, disk));
    if (disk->blockio) {
        props_positive(props, "logical_block_size", disk->blockio->logical_block_size);
        props_positive(props, "physical_block_size", disk->blockio->physical_block_size);
        props_uint(props, "discard_granularity", disk->blockio->discard_granularity);
    }
    if (disk->wwn)
        props_int(props, "wwn", (gint64)g_ascii_strtoull(disk->wwn, NULL, 16));
    props_positive(props, "rotation_rate", disk->target->rotation_rate);
    props_toggle(props, "dpofua", disk->target->dpofua);
    props_string(props, "vendor", disk->vendor);
    props_string(props, "product", disk->product);
    if (disk->target->bus == DISK_BUS_USB && removable == TOGGLE_UNSET)
        removable = TOGGLE_OFF;
    props_toggle(props, "removable", removable);
    add_cache_mode(disk, props);
    if (disk->geometry) {
        props_positive(props, "cyls", disk->geometry->cyls);
        props_positive(props, "heads", disk->geometry->heads);
        props_positive(props, "secs", disk->geometry->secs);
        props_string(props, "bios-chs-trans", disk_geometry_trans_to_string(disk->geometry->trans));
    }
    props_string(props, "serial", disk->serial);
    add_policies(disk, props);
}

/* A card in the slot of a board: QEMU has no device to plug in, and takes the file by its old option. */
static gboolean build_card(const Disk *disk, GPtrArray *parts, GError **error)
{
    g_autofree char *path = NULL;

    if (!block_has_medium(disk))
        return unsupported(error, "a disk of bus 'sd' without a medium is not supported by this driver");
    if ((disk->type != STORAGE_TYPE_FILE && disk->type != STORAGE_TYPE_BLOCK) || disk->source->fdgroup)
        return unsupported(error, "a disk of bus 'sd' that is no file or block device is not supported by this driver");
    path = part_escape(disk->type == STORAGE_TYPE_FILE ? disk->source->file : disk->source->dev);
    parts_add_option(parts, "-drive",
                     g_strdup_printf("file=%s,format=%s,if=sd,index=%d%s", path,
                                     storage_format_to_string(disk->driver->type),
                                     domain_disk_number(disk->target->dev), disk->readonly ? ",readonly=on" : ""));
    return TRUE;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Disk *disk = device;
    g_autoptr(JsonObject) props = NULL;

    if (disk->target->bus == DISK_BUS_SD)
        return build_card(disk, parts, error);
    props = props_new("driver", driver_name(disk));
    if (!block_build(disk, context, parts, error))
        return FALSE;
    if (disk->target->bus == DISK_BUS_VIRTIO)
        add_virtio(disk, props);
    if (!address_props(live, disk, props, error))
        return FALSE;
    add_media(live, disk, props);
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_disk = {
    .name = "disk", .offset = offsetof(Devices, disks), .alias = offsetof(Disk, alias), .address = offsetof(Disk, address),
    .make_alias = make_alias, .complete = complete, .validate = validate, .connect = connect_pci, .is_usb = is_usb,
    .backwards = TRUE, /* the first disk's image gets the highest number, as in libvirt */
    .prepare = prepare, .build = build,
};
