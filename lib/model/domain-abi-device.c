/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>

#include "lib/error.h"
#include "lib/model/domain-abi-rows.h"

/* clang-format off: it takes them for blocks */
#define ABI_VIRTIO_OPTIONS                                                                                             \
    {"driver", "Target device virtio options don't match the source", NULL, ABI_PRESENCE},                             \
    {"driver/@iommu", "Target device iommu option", "default", ABI_QUOTED},                                            \
    {"driver/@ats", "Target device ats option", "default", ABI_QUOTED},                                                \
    {"driver/@packed", "Target device packed option", "default", ABI_QUOTED}
/* clang-format on */

static const AbiRow disk_rows[] = {
    {"@device", "Target disk device", "disk", ABI_PLAIN},
    {"target/@bus", "Target disk bus", NONE, ABI_PLAIN},
    {"target/@dev", "Target disk", NONE, ABI_PLAIN},
    {"serial", "Target disk serial", NONE, ABI_PLAIN},
    {"wwn", "Target disk wwn", NONE, ABI_QUOTED},
    {"readonly", "Target disk access mode does not match source", NULL, ABI_PRESENCE},
    {"@model", "Target disk model", "default", ABI_PLAIN},
    {"driver/@queues", "Target disk queue count", "0", ABI_PLAIN},
    {"driver/@queue_size", "Target disk queue size", "0", ABI_PLAIN},
    ABI_VIRTIO_OPTIONS,
    ABI_ROWS_END,
};
static const AbiRow controller_rows[] = {
    {"@type", "Target controller type", NONE, ABI_PLAIN},
    {"@index", "Target controller index", "-1", ABI_PLAIN},
    {"@model", "Target controller model", "-1", ABI_MODEL},
    {"@ports", "Target controller ports", "-1", ABI_PLAIN},
    {"@vectors", "Target controller vectors", "-1", ABI_PLAIN},
    ABI_VIRTIO_OPTIONS,
    ABI_ROWS_END,
};
static const AbiRow filesystem_rows[] = {
    {"target/@dir", "Target filesystem guest target", NONE, ABI_PLAIN},
    ABI_VIRTIO_OPTIONS,
    ABI_ROWS_END,
};
static const AbiRow interface_rows[] = {
    {"mac/@address", "Target network card mac", NONE, ABI_PLAIN},
    {"model/@type", "Target network card model", NONE, ABI_PLAIN},
    {"mtu/@size", "Target network card MTU", "0", ABI_PLAIN},
    ABI_VIRTIO_OPTIONS,
    ABI_ROWS_END,
};
static const AbiRow input_rows[] = {
    {"@type", "Target input device type", NONE, ABI_PLAIN},
    {"@bus", "Target input device bus", NONE, ABI_PLAIN},
    {"@model", "Target input model", "default", ABI_PLAIN},
    ABI_VIRTIO_OPTIONS,
    ABI_ROWS_END,
};
static const AbiRow sound_rows[] = {{"@model", "Target sound card model", NONE, ABI_PLAIN}, ABI_ROWS_END};
static const AbiRow video_rows[] = {
    {"model/@type", "Target video card model", NONE, ABI_PLAIN},
    {"model/@ram", "Target video card ram", "0", ABI_PLAIN},
    {"model/@vram", "Target video card vram", "0", ABI_PLAIN},
    {"model/@vgamem", "Target video card vgamem", "0", ABI_PLAIN},
    {"model/@heads", "Target video card heads", "0", ABI_PLAIN},
    {"model/acceleration", "Target video card acceleration does not match source", NULL, ABI_PRESENCE},
    ABI_ROWS_END,
};
static const AbiRow hostdev_rows[] = {
    {"@mode", "Target host device mode", NONE, ABI_PLAIN},
    {"@type", "Target host device subsystem", NONE, ABI_PLAIN},
    ABI_ROWS_END,
};
static const AbiRow smartcard_rows[] = {{"@mode", "Target smartcard mode", NONE, ABI_PLAIN}, ABI_ROWS_END};
static const AbiRow serial_rows[] = {
    {"target/@type", "Target serial type", NONE, ABI_QUOTED},
    {"target/@port", "Target serial port", "0", ABI_PLAIN},
    ABI_ROWS_END,
};
static const AbiRow parallel_rows[] = {{"target/@port", "Target parallel port", "0", ABI_PLAIN}, ABI_ROWS_END};
static const AbiRow channel_rows[] = {
    {"target/@type", "Target channel type", NONE, ABI_PLAIN},
    {"target/@name", "Target channel name", NONE, ABI_PLAIN},
    ABI_ROWS_END,
};
static const AbiRow console_rows[] = {{"target/@type", "Target console type", NONE, ABI_PLAIN}, ABI_ROWS_END};
static const AbiRow hub_rows[] = {{"@type", "Target hub device type", NONE, ABI_PLAIN}, ABI_ROWS_END};
static const AbiRow redirdev_rows[] = {
    {"@bus", "Target redirected device bus", NONE, ABI_PLAIN},
    {"@type", "Target redirected device source type", NONE, ABI_PLAIN},
    ABI_ROWS_END,
};
static const AbiRow watchdog_rows[] = {{"@model", "Target watchdog model", NONE, ABI_PLAIN}, ABI_ROWS_END};
static const AbiRow memballoon_rows[] = {
    {"@model", "Target balloon model", "none", ABI_PLAIN},
    {"@autodeflate", "Target balloon autodeflate attribute value", "default", ABI_QUOTED},
    {"@freePageReporting", "Target balloon freePageReporting attribute value", "default", ABI_QUOTED},
    ABI_VIRTIO_OPTIONS,
    ABI_ROWS_END,
};
static const AbiRow rng_rows[] = {{"@model", "Target RNG model", NONE, ABI_QUOTED}, ABI_VIRTIO_OPTIONS, ABI_ROWS_END};
static const AbiRow panic_rows[] = {{"@model", "Target panic model", "default", ABI_QUOTED}, ABI_ROWS_END};
static const AbiRow crypto_rows[] = {{"@model", "Target crypto model", NONE, ABI_QUOTED}, ABI_VIRTIO_OPTIONS, ABI_ROWS_END};
static const AbiRow pstore_rows[] = {
    {"@backend", "Target pstore backend", NONE, ABI_QUOTED},
    {"size", "Target pstore size", "0", ABI_QUOTED},
    ABI_ROWS_END,
};
static const AbiRow shmem_rows[] = {
    {"@name", "Target shared memory name", NONE, ABI_QUOTED},
    {"model/@type", "Target shared memory model", NONE, ABI_QUOTED},
    {"size", "Target shared memory size does not match source", NULL, ABI_SILENT},
    ABI_ROWS_END,
};
static const AbiRow memory_rows[] = {
    {"@model", "Target memory device model", NONE, ABI_QUOTED},
    {"target/size", "Target memory device size does not match source", NULL, ABI_SILENT},
    ABI_ROWS_END,
};
static const AbiRow tpm_rows[] = {
    {"@model", "Target TPM device model doesn't match source", NULL, ABI_SILENT},
    {"backend/@type", "Target TPM device type doesn't match source", NULL, ABI_SILENT},
    {"backend/@version", "Target TPM version doesn't match source", NULL, ABI_SILENT},
    ABI_ROWS_END,
};
static const AbiRow iommu_rows[] = {{"@model", "Target domain IOMMU device model", NONE, ABI_QUOTED}, ABI_ROWS_END};
static const AbiRow vsock_rows[] = {
    {"@model", "Target domain vsock device model", NONE, ABI_QUOTED}, ABI_VIRTIO_OPTIONS, ABI_ROWS_END};

typedef struct {
    gsize offset; /* in Devices, of the list or of the device */
    const ModelType *type;
    const char *counted; /* what libvirt calls them when it counts; where there can be one only, the whole message */
    const AbiRow *rows;
    gsize address; /* in the device */
    gboolean single;
} Kind;

#define MANY(member, Type, type, rows, counted)                                                                        \
    {                                                                                                                  \
        offsetof(Devices, member), &type, counted, rows, offsetof(Type, address), FALSE                                \
    }
#define ONE(member, Type, type, rows, counted)                                                                         \
    {                                                                                                                  \
        offsetof(Devices, member), &type, counted, rows, offsetof(Type, address), TRUE                                 \
    }

static const Kind kinds[] = {
    MANY(disks, Disk, disk_type, disk_rows, "disk"),
    MANY(controllers, Controller, controller_type, controller_rows, "controller"),
    MANY(filesystems, Filesystem, filesystem_type, filesystem_rows, "filesystem"),
    MANY(interfaces, Interface, interface_type, interface_rows, "net card"),
    MANY(inputs, Input, input_type, input_rows, "input device"),
    MANY(sounds, Sound, sound_type, sound_rows, "sound card"),
    MANY(videos, Video, video_type, video_rows, "video card"),
    MANY(hostdevs, Hostdev, hostdev_type, hostdev_rows, "host device"),
    MANY(smartcards, Smartcard, smartcard_type, smartcard_rows, "smartcard"),
    MANY(serials, Chardev, chardev_type, serial_rows, "serial port"),
    MANY(parallels, Chardev, chardev_type, parallel_rows, "parallel port"),
    MANY(channels, Chardev, chardev_type, channel_rows, "channel"),
    MANY(consoles, Chardev, chardev_type, console_rows, "console"),
    MANY(hubs, Hub, hub_type, hub_rows, "hub device"),
    MANY(redirdevs, Redirdev, redirdev_type, redirdev_rows, "redirected devices"),
    MANY(watchdogs, Watchdog, watchdog_type, watchdog_rows, "watchdog"),
    ONE(memballoon, Memballoon, memballoon_type, memballoon_rows, "Target domain memory balloon does not match source"),
    MANY(rngs, Rng, rng_type, rng_rows, "RNG device"),
    MANY(panics, Panic, panic_type, panic_rows, "panic device"),
    MANY(shmems, Shmem, shmem_type, shmem_rows, "shared memory device"),
    MANY(memories, MemoryDevice, memory_device_type, memory_rows, "memory device"),
    MANY(tpms, Tpm, tpm_type, tpm_rows, "TPM device"),
    ONE(iommu, Iommu, iommu_type, iommu_rows, "Target domain IOMMU device count does not match source"),
    MANY(cryptos, Crypto, crypto_type, crypto_rows, "crypto device"),
    ONE(pstore, Pstore, pstore_type, pstore_rows, "Target domain pstore device count does not match source"),
    ONE(vsock, Vsock, vsock_type, vsock_rows, "Target domain vsock device count does not match source"),
};

static char *address_text(const Address *address)
{
    switch (address->type) {
    case ADDRESS_TYPE_PCI:
        return g_strdup_printf("%04x:%02x:%02x.%x", address->domain, address->bus, address->slot, address->function);
    case ADDRESS_TYPE_DRIVE:
        return g_strdup_printf("%u:%u:%u", address->controller, address->bus, address->unit);
    case ADDRESS_TYPE_VIRTIO_SERIAL:
        return g_strdup_printf("%u:%u:%s", address->controller, address->bus, address->port ? address->port : "0");
    case ADDRESS_TYPE_ISA:
        return g_strdup_printf("%u:%u", address->iobase, address->irq);
    default:
        return g_strdup("");
    }
}

static const char *address_noun(AddressType type)
{
    static const char *const nouns[] = {
        [ADDRESS_TYPE_PCI] = "PCI",
        [ADDRESS_TYPE_DRIVE] = "drive",
        [ADDRESS_TYPE_VIRTIO_SERIAL] = "virtio serial",
        [ADDRESS_TYPE_ISA] = "isa",
    };

    return type < G_N_ELEMENTS(nouns) && nouns[type] ? nouns[type] : "";
}

static gboolean same_address(const Address *source, const Address *target, GError **error)
{
    AddressType one = source ? source->type : ADDRESS_TYPE_UNSET, other = target ? target->type : ADDRESS_TYPE_UNSET;

    if (one != other)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "Target device address type %s does not match source %s",
                         other ? address_type_to_string(other) : "none", one ? address_type_to_string(one) : "none");
    if (!source || !target)
        return TRUE;
    g_autofree char *from = address_text(source), *to = address_text(target);
    return g_str_equal(from, to) ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                     "Target device %s address %s%sdoes not match source %s", address_noun(one), to,
                     one == ADDRESS_TYPE_PCI ? "" : " ", from); /* libvirt's own slip */
}

static gboolean same_device(const Kind *kind, gconstpointer source, gconstpointer target, GError **error)
{
    return abi_same_rows(kind->rows, kind->type, source, target, error) &&
           same_address(*(Address *const *)((const char *)source + kind->address),
                        *(Address *const *)((const char *)target + kind->address), error);
}

static gboolean same_list(const Kind *kind, const GPtrArray *source, const GPtrArray *target, GError **error)
{
    if (source->len != target->len)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "Target domain %s count %u does not match source %u", kind->counted, target->len, source->len);
    for (guint i = 0; i < source->len; i++)
        if (!same_device(kind, source->pdata[i], target->pdata[i], error))
            return FALSE;
    return TRUE;
}

static gboolean same_kind(const Kind *kind, const Devices *source, const Devices *target, GError **error)
{
    gconstpointer one = *(gconstpointer const *)((const char *)source + kind->offset);
    gconstpointer other = *(gconstpointer const *)((const char *)target + kind->offset);

    if (!kind->single)
        return same_list(kind, one, other, error);
    if (!one || !other)
        return one == other || abi_differ(error, kind->counted);
    return same_device(kind, one, other, error);
}

gboolean abi_same_devices(const Devices *source, const Devices *target, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (!same_kind(&kinds[i], source, target, error))
            return FALSE;
    return TRUE;
}
