/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-device-find.h"

#include <string.h>

#include "lib/error.h"
#include "lib/model/domain-address.h"

#define MISSING VIR_FROM_QEMU, VIR_ERR_DEVICE_MISSING

/* --- disks --- */

static gpointer find_disk(const Domain *def, const DomainDevice *wanted, gboolean live, GError **error)
{
    const char *target = ((const Disk *)wanted->device)->target->dev;

    for (guint i = 0; i < def->devices->disks->len; i++) {
        Disk *disk = def->devices->disks->pdata[i];

        if (g_strcmp0(disk->target->dev, target) == 0)
            return disk;
    }
    error_set(error, MISSING, live ? "disk %s not found" : "no target device %s", target);
    return NULL;
}

static gboolean check_disk(const Domain *def, const DomainDevice *wanted, GError **error)
{
    return !find_disk(def, wanted, FALSE, NULL) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "target %s already exists",
                     ((const Disk *)wanted->device)->target->dev);
}

/* --- cards --- */

static gboolean is_card(const Interface *card, const Interface *wanted)
{
    const char *mac = wanted->mac ? wanted->mac->address : NULL;
    const char *alias = wanted->alias ? wanted->alias->name : NULL;
    const Address *address = wanted->address;

    if (mac && (!card->mac || g_strcmp0(card->mac->address, mac) != 0))
        return FALSE;
    if (alias && (!card->alias || g_strcmp0(card->alias->name, alias) != 0))
        return FALSE;
    return !address || address->type == ADDRESS_TYPE_UNSET ||
           (card->address && !domain_device_difference(&address_type, card->address, address));
}

static char *place_text(const Address *address)
{
    return address && address->type == ADDRESS_TYPE_PCI
               ? g_strdup_printf("%04x:%02x:%02x.%u", address->domain == UNSET32 ? 0 : address->domain, address->bus,
                                 address->slot, address->function)
               : g_strdup("(<null>)");
}

static gpointer find_card(const Domain *def, const DomainDevice *wanted, gboolean live, GError **error)
{
    const Interface *like = wanted->device;
    const char *mac = like->mac ? like->mac->address : NULL;
    const char *alias = like->alias && like->alias->name ? like->alias->name : "(<null>)";
    Interface *found = NULL;

    for (guint i = 0; i < def->devices->interfaces->len; i++) {
        Interface *card = def->devices->interfaces->pdata[i];

        if (!is_card(card, like))
            continue;
        if (found && mac)
            error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                      "multiple devices matching MAC address %s found", mac);
        else if (found)
            error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED, "multiple matching devices found");
        if (found)
            return NULL;
        found = card;
    }
    g_autofree char *place = place_text(like->address);
    if (!found)
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_DEVICE_MISSING,
                  "no device found at address '%s' matching MAC address '%s' and alias '%s'", place,
                  mac ? mac : "(<null>)", alias);
    return found;
}

/* --- controllers --- */

static gpointer find_controller(const Domain *def, const DomainDevice *wanted, gboolean live, GError **error)
{
    const Controller *like = wanted->device;
    Controller *found = like->index == UNSET32 ? NULL : domain_controller(def, like->type, like->index);

    if (!found && live)
        error_set(error, MISSING, "controller %s:%d not found", controller_type_to_string(like->type),
                  (gint32)like->index);
    else if (!found)
        error_set(error, MISSING, "device not present in domain configuration");
    return found;
}

static gboolean check_controller(const Domain *def, const DomainDevice *wanted, GError **error)
{
    const Controller *like = wanted->device;

    return like->index == UNSET32 || !domain_controller(def, like->type, like->index) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "controller index='%d' already exists",
                     (gint32)like->index);
}

/* --- shared folders --- */

static gpointer find_filesystem(const Domain *def, const DomainDevice *wanted, gboolean live, GError **error)
{
    const Filesystem *like = wanted->device;

    for (guint i = 0; i < def->devices->filesystems->len; i++) {
        Filesystem *folder = def->devices->filesystems->pdata[i];

        if (like->target && folder->target && g_strcmp0(folder->target->dir, like->target->dir) == 0)
            return folder;
    }
    error_set(error, MISSING, live ? "matching filesystem not found" : "no matching filesystem device was found");
    return NULL;
}

static gboolean check_filesystem(const Domain *def, const DomainDevice *wanted, GError **error)
{
    return !find_filesystem(def, wanted, FALSE, NULL) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "Target already exists");
}

/* --- the others --- */

static gpointer find_like(const Domain *def, const DomainDevice *wanted)
{
    for (guint i = 0; i < domain_device_count(def, wanted); i++) {
        gpointer held = domain_device_at(def, wanted, i);

        if (!domain_device_difference(wanted->type, held, wanted->device))
            return held;
    }
    return NULL;
}

static gboolean check_memory(const Domain *def, const DomainDevice *wanted, GError **error)
{
    const MemoryDevice *like = wanted->device;
    guint64 size = like->target->size, most = def->max_memory;
    gboolean slotted = like->model == MEMORY_DEVICE_MODEL_DIMM || like->model == MEMORY_DEVICE_MODEL_NVDIMM;

    if (like->target->node != UNSET32 && (!def->cpu || !def->cpu->numa || def->cpu->numa->cells->len == 0))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL,
                         "can't add memory backend as guest has no NUMA nodes configured");
    for (guint i = 0; slotted && like->address && i < def->devices->memories->len; i++) {
        const MemoryDevice *other = def->devices->memories->pdata[i];

        if (other->address && other->address->type == like->address->type &&
            other->address->slot == like->address->slot)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                             "Domain already contains a device with the same address");
    }
    if (most != UNSET64 && most > 0 && size > most - MIN(def->memory, most))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "Attaching memory device with size '%" G_GUINT64_FORMAT
                         "' would exceed domain's maxMemory config size '%" G_GUINT64_FORMAT "'",
                         size, most);
    return !most || most == UNSET64 || def->devices->memories->len < def->max_memory_slots ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "no free memory device slot available");
}

static gboolean check_chardev(const Domain *def, const DomainDevice *wanted, GError **error)
{
    const Chardev *like = wanted->device;
    /* what has no name of its own can be there any number of times */
    gboolean named = like->target && like->target->name;

    for (guint i = 0; named && i < domain_device_count(def, wanted); i++) {
        const Chardev *held = domain_device_at(def, wanted, i);

        if (held->target && g_strcmp0(held->target->name, like->target->name) == 0)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "chardev already exists");
    }
    return TRUE;
}

static gboolean check_console(const Domain *def, const DomainDevice *wanted, GError **error)
{
    const Chardev *like = wanted->device;

    return (like->target && like->target->type != CHARDEV_TARGET_TYPE_UNSET &&
            like->target->type != CHARDEV_TARGET_TYPE_SERIAL) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "attaching serial console is not supported");
}

static gboolean check_like(const Domain *def, const DomainDevice *wanted, GError **error)
{
    return !find_like(def, wanted) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "device is already in the domain configuration");
}

static gboolean check_lease(const Domain *def, const DomainDevice *wanted, GError **error)
{
    const Lease *like = wanted->device;

    return !find_like(def, wanted) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "Lease %s in lockspace %s already exists",
                     like->key, like->lockspace ? like->lockspace : "(null)");
}

static gboolean check_only(const Domain *def, const DomainDevice *wanted, GError **error)
{
    return domain_device_count(def, wanted) == 0 ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                     strcmp(wanted->name, "vsock") == 0 ? "domain already has a %s device" : "domain already has a %s",
                     wanted->name);
}

static gpointer find_hostdev(const Domain *def, const DomainDevice *wanted, gboolean live, GError **error)
{
    const Hostdev *like = wanted->device;
    const HostdevSource *source = like->source;
    const HostdevAddress *place = source ? source->address : NULL;
    gpointer found = find_like(def, wanted);

    if (found)
        return found;
    if (!live)
        error_set(error, MISSING, "device not present in domain configuration");
    else if (like->type == HOSTDEV_TYPE_PCI && place)
        error_set(error, MISSING, "host pci device %04x:%02x:%02x.%u not found",
                  place->domain == UNSET32 ? 0 : place->domain, place->bus, place->slot, place->function);
    else if (like->type == HOSTDEV_TYPE_USB && source && source->vendor && source->product)
        error_set(error, MISSING, "host usb device vendor=0x%.4x product=0x%.4x not found", source->vendor->id,
                  source->product->id);
    else
        error_set(error, MISSING, "host device not found");
    return NULL;
}

/* What is said when there is none: of a guest that runs, with the model's or kind's word in it or without, and of a
 * definition. */
static const struct {
    const char *name;
    gboolean (*check)(const Domain *def, const DomainDevice *wanted, GError **error);
    gpointer (*find)(const Domain *def, const DomainDevice *wanted, gboolean live, GError **error);
    int live_code, config_code;
    const char *live, *config;
} rows[] = {
    {"disk", check_disk, find_disk, 0, 0, NULL, NULL},
    {"interface", NULL, find_card, 0, 0, NULL, NULL},
    {"controller", check_controller, find_controller, 0, 0, NULL, NULL},
    {"filesystem", check_filesystem, find_filesystem, 0, 0, NULL, NULL},
    {"memory", check_memory, NULL, VIR_ERR_DEVICE_MISSING, VIR_ERR_DEVICE_MISSING,
     "model '%s' memory device not present in the domain configuration", "matching memory device was not found"},
    {"channel", check_chardev, NULL, VIR_ERR_DEVICE_MISSING, VIR_ERR_INVALID_ARG,
     "chr type 'channel' device not present in domain configuration", "device not present in domain configuration"},
    {"console", check_console, NULL, VIR_ERR_DEVICE_MISSING, VIR_ERR_INVALID_ARG,
     "chr type 'console' device not present in domain configuration", "device not present in domain configuration"},
    {"serial", NULL, NULL, VIR_ERR_DEVICE_MISSING, VIR_ERR_INVALID_ARG,
     "chr type 'serial' device not present in domain configuration", "device not present in domain configuration"},
    {"parallel", NULL, NULL, VIR_ERR_DEVICE_MISSING, VIR_ERR_INVALID_ARG,
     "chr type 'parallel' device not present in domain configuration", "device not present in domain configuration"},
    {"redirdev", NULL, NULL, VIR_ERR_DEVICE_MISSING, VIR_ERR_DEVICE_MISSING, "no matching redirdev was not found",
     "no matching redirdev was not found"},
    {"rng", NULL, NULL, VIR_ERR_DEVICE_MISSING, VIR_ERR_DEVICE_MISSING,
     "model '%s' RNG device not present in domain configuration", "no matching RNG device was found"},
    {"shmem", check_like, NULL, VIR_ERR_DEVICE_MISSING, VIR_ERR_DEVICE_MISSING,
     "model '%s' shmem device not present in domain configuration", "matching shmem device was not found"},
    {"watchdog", check_only, NULL, VIR_ERR_DEVICE_MISSING, VIR_ERR_DEVICE_MISSING,
     "model '%s' watchdog device not present in domain configuration", "domain has no watchdog"},
    {"input", NULL, NULL, VIR_ERR_DEVICE_MISSING, VIR_ERR_DEVICE_MISSING, "matching input device not found",
     "matching input device not found"},
    {"vsock", check_only, NULL, VIR_ERR_DEVICE_MISSING, VIR_ERR_OPERATION_FAILED, "matching vsock device not found",
     "matching vsock device not found"},
    {"lease", check_lease, NULL, VIR_ERR_INVALID_ARG, VIR_ERR_INVALID_ARG, "Lease does not exist",
     "Lease does not exist"},
    {"hostdev", check_like, find_hostdev, 0, 0, NULL, NULL},
};

static gsize row_of(const DomainDevice *device)
{
    gsize i = 0;

    while (i < G_N_ELEMENTS(rows) && strcmp(rows[i].name, device->name) != 0)
        i++;
    return i;
}

/* The word for DEVICE's model, where messages have it. */
static const char *model_of(const DomainDevice *device)
{
    if (device->type == &memory_device_type)
        return memory_device_model_to_string(((const MemoryDevice *)device->device)->model);
    if (device->type == &rng_type)
        return rng_model_to_string(((const Rng *)device->device)->model);
    if (device->type == &watchdog_type)
        return watchdog_model_to_string(((const Watchdog *)device->device)->model);
    if (device->type == &shmem_type) {
        const Shmem *shmem = device->device;

        return shmem_model_to_string(shmem->model ? shmem->model->type : SHMEM_MODEL_IVSHMEM);
    }
    return device->name;
}

gpointer domain_device_find(const Domain *def, const DomainDevice *wanted, gboolean live, GError **error)
{
    gsize row = row_of(wanted);
    gboolean known = row < G_N_ELEMENTS(rows);
    gpointer found;

    if (known && rows[row].find)
        return rows[row].find(def, wanted, live, error);
    found = find_like(def, wanted);
    if (!found && !known)
        error_set(error, MISSING, "device not present in domain configuration");
    else if (!found && live && strstr(rows[row].live, "%s"))
        error_set(error, VIR_FROM_QEMU, rows[row].live_code, rows[row].live, model_of(wanted));
    else if (!found)
        error_set(error, VIR_FROM_QEMU, live ? rows[row].live_code : rows[row].config_code, "%s",
                  live ? rows[row].live : rows[row].config);
    return found;
}

gboolean domain_device_check_new(const Domain *def, const DomainDevice *wanted, GError **error)
{
    gsize row = row_of(wanted);

    return row == G_N_ELEMENTS(rows) || !rows[row].check || rows[row].check(def, wanted, error);
}
