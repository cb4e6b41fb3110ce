/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-defaults.h"
#include "lib/error.h"
#include "lib/model/domain-address.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-hostdev.h"
#include "lib/model/domain-interface.h"
#include "lib/model/domain-seclabel.h"
#include "lib/model/domain-source.h"
#include "lib/model/domain-sysinfo.h"
#include "lib/model/domain-validate.h"
#include "lib/uuid.h"

#define LOADPARM_MAX 8
#define LOADPARM_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789. "
#define BOOTS_MAX 4 /* as many kinds as there are */

char *domain_random_mac(void)
{
    guint32 random = g_random_int();

    return g_strdup_printf("52:54:00:%02x:%02x:%02x", random & 0xff, (random >> 8) & 0xff, (random >> 16) & 0xff);
}

static void name_things(Domain *def)
{
    if (!def->uuid.set) {
        uuid_generate(def->uuid.bytes);
        def->uuid.set = TRUE;
    }
    if (def->genid && (!def->genid->value || !*def->genid->value)) {
        guint8 bytes[UUID_BYTES];
        char text[UUID_TEXT];

        uuid_generate(bytes);
        uuid_format(bytes, text);
        g_free(def->genid->value);
        def->genid->value = g_strdup(text);
    }
}

static gboolean normalize_disk(Disk *disk, GError **error)
{
    if (g_str_has_prefix(disk->target->dev, "ioemu:")) {
        char *rest = g_strdup(disk->target->dev + 6);

        g_free(disk->target->dev);
        disk->target->dev = rest;
    }
    if (disk->device == DISK_DEVICE_CDROM)
        disk->readonly = TRUE;
    if (!domain_normalize_sources(disk, error))
        return FALSE;
    if (disk->device == DISK_DEVICE_LUN || disk->device == DISK_DEVICE_DISK)
        return TRUE;
    /* A removable drive without a medium has no source at all. */
    if (!disk->source)
        disk->type = STORAGE_TYPE_FILE;
    if (disk->source && disk->type == STORAGE_TYPE_FILE && !disk->source->file && !disk->source->fdgroup &&
        disk->source->startup_policy == DISK_STARTUP_UNSET)
        g_clear_pointer(&disk->source, disk_source_free);
    return TRUE;
}

static gint by_channel(gconstpointer a, gconstpointer b)
{
    const SpiceChannel *first = *(gconstpointer *)a, *second = *(gconstpointer *)b;

    return (gint)first->name - (gint)second->name;
}

/* Of each channel the last word counts; they stand in the order of their names. */
static void normalize_channels(GPtrArray *channels)
{
    for (guint i = 0; i < channels->len;) {
        const SpiceChannel *channel = g_ptr_array_index(channels, i);
        gboolean again = FALSE;

        for (guint k = i + 1; k < channels->len; k++)
            again = again || ((const SpiceChannel *)g_ptr_array_index(channels, k))->name == channel->name;
        if (again || channel->mode == SPICE_CHANNEL_MODE_ANY)
            g_ptr_array_remove_index(channels, i);
        else
            i++;
    }
    g_ptr_array_sort(channels, by_channel);
}

/* SPICE without any port listens nowhere. */
static void normalize_spice(Graphics *graphics, GraphicsListen *first)
{
    gboolean has_port = graphics->port != (gint32)UNSET32 || graphics->tls_port != (gint32)UNSET32;

    if (graphics->port == 0 && graphics->tls_port == 0) {
        graphics->port = graphics->tls_port = (gint32)UNSET32;
        graphics->autoport = TOGGLE_ON;
    }
    if (graphics->autoport == TOGGLE_UNSET && has_port)
        graphics->autoport = TOGGLE_OFF;
    if (graphics->autoport == TOGGLE_ON || has_port || first->type != LISTEN_TYPE_ADDRESS)
        return;
    first->type = LISTEN_TYPE_NONE;
    g_clear_pointer(&first->address, g_free);
    g_clear_pointer(&graphics->listen, g_free);
    graphics->autoport = TOGGLE_UNSET;
}

/* The one listen that older documents put into attributes becomes an element; ports that are found at the start are -1. */
static gboolean normalize_graphics(Graphics *graphics, GError **error)
{
    GraphicsListen *first = graphics->listens->len ? g_ptr_array_index(graphics->listens, 0) : NULL;

    if (graphics->type != GRAPHICS_TYPE_VNC && graphics->type != GRAPHICS_TYPE_SPICE && graphics->type != GRAPHICS_TYPE_RDP)
        return TRUE;
    if (first && graphics->listen && first->type == LISTEN_TYPE_ADDRESS && g_strcmp0(first->address, graphics->listen) != 0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "graphics 'listen' attribute '%s' must match 'address' attribute of first listen element (found '%s')",
                         graphics->listen, first->address ? first->address : "none");
    if (first && graphics->socket && first->type == LISTEN_TYPE_SOCKET && g_strcmp0(first->socket, graphics->socket) != 0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "graphics 'socket' attribute '%s' must match 'socket' attribute of first listen element (found '%s')",
                         graphics->socket, first->socket ? first->socket : "none");
    if (!first) {
        first = graphics_listen_new();
        first->type = graphics->socket ? LISTEN_TYPE_SOCKET : LISTEN_TYPE_ADDRESS;
        first->socket = g_strdup(graphics->socket);
        first->address = first->type == LISTEN_TYPE_ADDRESS ? g_strdup(graphics->listen) : NULL;
        g_ptr_array_add(graphics->listens, first);
    }
    if (first->address && !*first->address)
        g_clear_pointer(&first->address, g_free);
    g_free(graphics->listen);
    graphics->listen = first->type == LISTEN_TYPE_ADDRESS ? g_strdup(first->address) : NULL;
    g_free(graphics->socket);
    graphics->socket = first->type == LISTEN_TYPE_SOCKET && graphics->type == GRAPHICS_TYPE_VNC ? g_strdup(first->socket) : NULL;

    normalize_channels(graphics->channels);
    if (first->type == LISTEN_TYPE_SOCKET || first->type == LISTEN_TYPE_NONE) {
        graphics->port = (gint32)UNSET32;
        graphics->tls_port = (gint32)UNSET32;
        graphics->websocket = (gint32)UNSET32;
        graphics->autoport = TOGGLE_UNSET;
        return TRUE;
    }
    if (graphics->type == GRAPHICS_TYPE_SPICE) {
        normalize_spice(graphics, first);
    } else if (graphics->port == (gint32)UNSET32 || graphics->port == 0) { /* -1 reads as unset, and means the same */
        graphics->autoport = TOGGLE_ON;
    } else if (graphics->autoport != TOGGLE_ON) {
        graphics->autoport = TOGGLE_OFF;
    }
    return TRUE;
}

static void normalize_chardev(Chardev *chardev)
{
    g_clear_pointer(&chardev->tty, g_free);
    if (chardev->type == CHARDEV_TYPE_PTY && chardev->source && chardev->source->path)
        g_clear_pointer(&chardev->source, chardev_source_free);
    /* A socket without a path: one is made up at each start, for QEMU to listen on. */
    if (chardev->type == CHARDEV_TYPE_UNIX && chardev->source && !chardev->source->path && !chardev->source->reconnect)
        g_clear_pointer(&chardev->source, chardev_source_free);
    if (!chardev->target)
        chardev->target = chardev_target_new();
}

/* The firmware writes to the first card. */
static gboolean put_primary_video_first(Domain *def, GError **error)
{
    GPtrArray *videos = def->devices->videos;
    gboolean seen = FALSE;

    for (guint i = 0; i < videos->len; i++) {
        Video *video = g_ptr_array_index(videos, i);

        if (!video->model || video->model->primary != TOGGLE_ON)
            continue;
        if (seen)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "Only one primary video device is supported");
        seen = TRUE;
        g_ptr_array_insert(videos, 0, g_ptr_array_steal_index(videos, i));
    }
    return TRUE;
}

/* A USB version of one decimal has two: 9.4 is 9.40. */
static void normalize_versions(const Redirfilter *filter)
{
    for (guint i = 0; filter && i < filter->usbdevs->len; i++) {
        RedirfilterDevice *rule = g_ptr_array_index(filter->usbdevs, i);
        const char *dot = rule->version ? strchr(rule->version, '.') : NULL;

        if (dot && strlen(dot) == 2) {
            char *longer = g_strconcat(rule->version, "0", NULL);

            g_free(rule->version);
            rule->version = longer;
        }
    }
}

static gboolean normalize_channel(const Chardev *channel, GError **error)
{
    return channel->target ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "target type must be specified for channel device");
}

gboolean domain_normalize(Domain *def, GError **error)
{
    Devices *devices = def->devices;
    GPtrArray *chardevs[] = {devices->serials, devices->parallels, devices->consoles, devices->channels};

    if (strchr(def->name, '/'))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "name %s cannot contain '/'", def->name);
    if (!domain_normalize_sysinfo(def, error))
        return FALSE;
    name_things(def);
    if (def->os->boots->len > BOOTS_MAX)
        g_ptr_array_set_size(def->os->boots, BOOTS_MAX);
    normalize_versions(def->devices->redirfilter);
    domain_normalize_seclabels(def);
    if (!domain_normalize_cpus(def, error) || !domain_normalize_resctrl(def, error) || !put_primary_video_first(def, error))
        return FALSE;
    /* Sorted before buses are guessed, as libvirt does: a disk without a bus is sorted among its like. */
    domain_sort_disks(def);
    domain_sort_controllers(def);
    domain_number_controllers(def);
    for (guint i = 0; i < devices->disks->len; i++)
        if (!normalize_disk(g_ptr_array_index(devices->disks, i), error))
            return FALSE;
    for (guint i = 0; i < devices->interfaces->len; i++)
        if (!domain_complete_interface(devices->interfaces->pdata[i], error))
            return FALSE;
    for (guint i = 0; i < devices->channels->len; i++)
        if (!normalize_channel(g_ptr_array_index(devices->channels, i), error))
            return FALSE;
    for (gsize n = 0; n < G_N_ELEMENTS(chardevs); n++)
        for (guint i = 0; i < chardevs[n]->len; i++)
            normalize_chardev(g_ptr_array_index(chardevs[n], i));
    for (guint i = 0; i < devices->graphics->len; i++)
        if (!normalize_graphics(g_ptr_array_index(devices->graphics, i), error))
            return FALSE;
    return domain_normalize_hostdevs(def, error);
}

gboolean domain_normalize_device(Domain *def, const DomainDevice *kind, gpointer held, GError **error)
{
    name_things(def);
    domain_number_controllers(def);
    if (kind->type == &disk_type)
        return normalize_disk(held, error);
    if (kind->type == &interface_type)
        return domain_complete_interface(held, error);
    if (kind->type == &graphics_type)
        return normalize_graphics(held, error);
    if (strcmp(kind->name, "channel") == 0 && !normalize_channel(held, error))
        return FALSE;
    if (kind->type == &chardev_type)
        normalize_chardev(held);
    return kind->type != &hostdev_type || domain_normalize_hostdevs(def, error);
}

void domain_want_input(Domain *def, InputType type, InputBus bus)
{
    Input *input;

    for (guint i = 0; i < def->devices->inputs->len; i++) {
        input = g_ptr_array_index(def->devices->inputs, i);
        if (input->type == type && input->bus == bus)
            return;
    }
    input = input_new();
    input->type = type;
    input->bus = bus;
    g_ptr_array_add(def->devices->inputs, input);
}

static guint32 power_of_two(guint32 value)
{
    guint32 power = 1;

    while (power < value && power < (1u << 31))
        power <<= 1;
    return power;
}

static void complete_video_memory(VideoModel *model)
{
    guint32 usual = UNSET32;

    switch (model->type) {
    case VIDEO_TYPE_QXL:
        usual = 64 * 1024;
        break;
    case VIDEO_TYPE_VGA:
    case VIDEO_TYPE_CIRRUS:
    case VIDEO_TYPE_VMVGA:
    case VIDEO_TYPE_BOCHS:
        usual = 16 * 1024;
        break;
    case VIDEO_TYPE_XEN:
        usual = 4 * 1024;
        break;
    default:
        break;
    }
    if (model->ram == UNSET32 && model->type == VIDEO_TYPE_QXL)
        model->ram = usual;
    if (model->vram == UNSET32)
        model->vram = usual;
    if (model->ram != UNSET32)
        model->ram = power_of_two(model->ram);
    if (model->vram != UNSET32)
        model->vram = power_of_two(model->vram);
}

void domain_complete_video(const Domain *def, Video *video)
{
    VideoModel *model = video->model;

    if (model->heads == UNSET32)
        model->heads = 1;
    model->primary = g_ptr_array_index(def->devices->videos, 0) == video ? TOGGLE_ON : TOGGLE_UNSET;
    complete_video_memory(model);
}

static gboolean imply_memory(Domain *def, GError **error)
{
    guint64 cells = 0, modules = 0;

    if (def->cpu && def->cpu->numa)
        for (guint i = 0; i < def->cpu->numa->cells->len; i++)
            cells += ((NumaCell *)g_ptr_array_index(def->cpu->numa->cells, i))->memory;
    for (guint i = 0; i < def->devices->memories->len; i++) {
        const MemoryDevice *module = g_ptr_array_index(def->devices->memories, i);

        if (module->target && module->target->size != UNSET64)
            modules += module->target->size;
    }
    if (cells)
        def->memory = cells + modules;
    else if (def->memory != UNSET64 && modules > def->memory)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                         "Total size of memory devices exceeds the total memory size");
    if (def->memory == UNSET64 || def->memory == modules)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                         "Memory size must be specified via <memory> or in the <numa> configuration");
    if (def->current_memory == UNSET64 || def->current_memory == 0 || def->current_memory > def->memory)
        def->current_memory = def->memory;
    if ((def->max_memory == UNSET64 || def->max_memory == 0) && def->max_memory_slots != UNSET32 && def->max_memory_slots > 0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                         "maximum memory size must be specified when specifying number of memory slots");
    if (def->max_memory != UNSET64 && def->max_memory != 0 && (def->max_memory_slots == UNSET32 || def->max_memory_slots == 0))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                         "both maximum memory size and memory slot count must be specified");
    if (def->max_memory != UNSET64 && def->max_memory != 0 && def->max_memory < def->memory)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                         "maximum memory size must be equal or greater than the actual memory size");
    return TRUE;
}

static gboolean validate_load(const Boot *boot, GError **error)
{
    const char *text = boot ? boot->loadparm : NULL;

    if (!text)
        return TRUE;
    if (!*text || strlen(text) > LOADPARM_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                         "loadparm value '%s' must be between 1 and %d characters", text, LOADPARM_MAX);
    return strspn(text, LOADPARM_LETTERS) == strlen(text) ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                     "invalid loadparm value '%s', expecting chars in set of [a-zA-Z0-9.] and blank spaces", text);
}

static gboolean take_order(GHashTable *orders, const Boot *boot, GError **error)
{
    if (!validate_load(boot, error))
        return FALSE;
    if (!boot || boot->order == UNSET32 || boot->order == 0)
        return TRUE;
    if (!g_hash_table_add(orders, GUINT_TO_POINTER(boot->order)))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "boot order '%u' used for more than one device", boot->order);
    return TRUE;
}

#define TAKE_ORDERS(list, type)                                                                 \
    for (guint i_ = 0; i_ < (list)->len; i_++)                                                  \
        if (!take_order(orders, ((const type *)g_ptr_array_index((list), i_))->boot, error))    \
            return FALSE;

static gboolean imply_boot(Domain *def, GError **error)
{
    g_autoptr(GHashTable) orders = g_hash_table_new(NULL, NULL);

    TAKE_ORDERS(def->devices->disks, Disk)
    TAKE_ORDERS(def->devices->interfaces, Interface)
    TAKE_ORDERS(def->devices->hostdevs, Hostdev)
    TAKE_ORDERS(def->devices->redirdevs, Redirdev)
    TAKE_ORDERS(def->devices->filesystems, Filesystem)
    if (def->os->boots->len > 0 && g_hash_table_size(orders) > 0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "per-device boot elements cannot be used together with os/boot elements");
    if (def->os->boots->len == 0 && g_hash_table_size(orders) == 0 && def->os->type->value == OS_TYPE_HVM) {
        OsBoot *boot = os_boot_new();

        boot->dev = BOOT_DEVICE_HD;
        g_ptr_array_add(def->os->boots, boot);
    }
    return TRUE;
}

static void imply_video(Domain *def)
{
    Video *video;

    if (def->devices->graphics->len == 0 || def->devices->videos->len > 0)
        return;
    video = video_new();
    video->model = video_model_new();
    g_ptr_array_add(def->devices->videos, video);
}

static gboolean is_serial_console(const Chardev *console)
{
    return !console->target || console->target->type == CHARDEV_TARGET_TYPE_UNSET ||
           console->target->type == CHARDEV_TARGET_TYPE_SERIAL;
}

/* What stands for a serial port in the eyes of older clients. */
static Chardev *twin_of(const Chardev *serial)
{
    Chardev *console = chardev_copy(serial);

    chardev_target_free(console->target);
    console->target = chardev_target_new();
    console->target->type = CHARDEV_TARGET_TYPE_SERIAL;
    console->target->port = g_strdup(serial->target->port);
    return console;
}

/* Older clients look for the terminal of console 0, whatever it is attached to. */
static void show_terminal(Chardev *console)
{
    gboolean shown = console->type == CHARDEV_TYPE_PTY && console->source && console->target &&
                     g_strcmp0(console->target->port, "0") == 0;

    g_free(console->tty);
    console->tty = g_strdup(shown ? console->source->path : NULL);
}

void domain_twin_consoles(Domain *def)
{
    GPtrArray *consoles = def->devices->consoles;

    for (guint i = 0; i < MIN(consoles->len, def->devices->serials->len); i++) {
        const Chardev *serial = g_ptr_array_index(def->devices->serials, i);
        Chardev *console = g_ptr_array_index(consoles, i);

        if (!is_serial_console(console) || !serial->target)
            continue;
        chardev_free(console);
        consoles->pdata[i] = twin_of(serial);
    }
    for (guint i = 0; i < consoles->len; i++)
        show_terminal(consoles->pdata[i]);
}

/* The first console of a machine with serial ports has always meant the first port. */
static void imply_console(Domain *def)
{
    GPtrArray *serials = def->devices->serials;
    GPtrArray *consoles = def->devices->consoles;
    const Chardev *first = consoles->len ? g_ptr_array_index(consoles, 0) : NULL;
    ChardevTargetType type;

    if (first && is_serial_console(first)) {
        if (serials->len == 0) {
            Chardev *serial = chardev_copy(first);

            chardev_target_free(serial->target);
            serial->target = chardev_target_new();
            serial->target->port = g_strdup("0");
            g_ptr_array_add(serials, serial);
        }
        return;
    }
    if (serials->len == 0)
        return;
    type = ((Chardev *)g_ptr_array_index(serials, 0))->target->type;
    if (type == CHARDEV_TARGET_TYPE_USB_SERIAL || type == CHARDEV_TARGET_TYPE_PCI_SERIAL || type == CHARDEV_TARGET_TYPE_ISA_DEBUG)
        return;
    g_ptr_array_insert(consoles, 0, twin_of(g_ptr_array_index(serials, 0)));
}

gboolean domain_imply(Domain *def, GError **error)
{
    if (!imply_memory(def, error) || !domain_validate_controllers(def, error) || !imply_boot(def, error))
        return FALSE;
    imply_console(def);
    domain_want_disk_controllers(def);
    domain_want_serial_controllers(def);
    domain_want_card_controllers(def);
    domain_want_hostdev_controllers(def);
    imply_video(def);
    return TRUE;
}
