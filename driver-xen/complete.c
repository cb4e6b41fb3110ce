/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/complete.h"

#include <string.h>

#include "driver-xen/config.h"
#include "lib/error.h"
#include "lib/model/domain-address.h"
#include "lib/model/domain-clock.h"
#include "lib/model/domain-defaults.h"
#include "lib/model/domain-validate.h"

#define UNSUPPORTED VIR_FROM_LIBXL, VIR_ERR_CONFIG_UNSUPPORTED
#define CIRRUS_MEMORY (8 * 1024) /* KiB, as are the others: what QEMU has for Xen */
#define VGA_MEMORY (16 * 1024)
#define QXL_MEMORY (128 * 1024)

static gboolean is_hvm(const Domain *def)
{
    return def->os->type->value == OS_TYPE_HVM;
}

/* --- the machine --- */

static gboolean complete_machine(Domain *def, GError **error)
{
    DomainOsType *type = def->os->type;

    if (type->value == OS_TYPE_XEN)
        type->value = OS_TYPE_LINUX; /* how documents have always called it */
    if (!type->arch)
        type->arch = g_strdup("x86_64");
    gboolean narrow = g_str_equal(type->arch, "i686");
    if ((narrow && type->value != OS_TYPE_LINUX) || g_str_equal(type->arch, "x86_64"))
        return TRUE;
    return error_set(error, VIR_FROM_CAPABILITIES, VIR_ERR_INVALID_ARG,
                     "could not find capabilities for ostype=%s arch=%s domaintype=xen ",
                     type->value == OS_TYPE_LINUX ? "xen" : os_type_to_string(type->value), type->arch);
}

/* --- devices --- */

/* An address of those that were given to Xen. */
static void name_interfaces(Domain *def)
{
    for (guint i = 0; i < def->devices->interfaces->len; i++) {
        Interface *interface = def->devices->interfaces->pdata[i];
        guint32 random = g_random_int();

        if (!interface->mac)
            interface->mac = interface_mac_new();
        if (!interface->mac->address)
            interface->mac->address = g_strdup_printf("00:16:3e:%02x:%02x:%02x", random & 0x7f, random >> 8 & 0xff, random >> 16 & 0xff);
    }
}

/* A guest without hardware has a console of the hypervisor's. */
static void want_console(Domain *def)
{
    GPtrArray *consoles = def->devices->consoles;

    if (is_hvm(def))
        return;
    if (consoles->len == 0) {
        Chardev *console = chardev_new();

        console->type = CHARDEV_TYPE_PTY;
        console->target = chardev_target_new();
        g_ptr_array_add(consoles, console);
    }
    for (guint i = 0; i < consoles->len; i++) {
        Chardev *console = consoles->pdata[i];

        if (!console->target)
            console->target = chardev_target_new();
        if (console->target->type == CHARDEV_TARGET_TYPE_UNSET)
            console->target->type = CHARDEV_TARGET_TYPE_XEN;
        if (!console->target->port)
            console->target->port = g_strdup_printf("%u", i);
    }
}

static void want_inputs(Domain *def)
{
    InputBus bus = is_hvm(def) ? INPUT_BUS_PS2 : INPUT_BUS_XEN;

    domain_want_input(def, INPUT_TYPE_MOUSE, bus);
    domain_want_input(def, INPUT_TYPE_KEYBOARD, bus);
}

static void want_balloon(Domain *def)
{
    if (def->devices->memballoon)
        return;
    def->devices->memballoon = memballoon_new();
    def->devices->memballoon->model = MEMBALLOON_MODEL_XEN;
}

static void want_xenbus(Domain *def)
{
    if (!domain_controller(def, CONTROLLER_TYPE_XENBUS, 0))
        domain_add_controller(def, CONTROLLER_TYPE_XENBUS, 0, CONTROLLER_MODEL_UNSET);
}

static void complete_video(const Domain *def, Video *video)
{
    if (!video->model)
        video->model = video_model_new();
    VideoModel *model = video->model;
    if (model->type == VIDEO_TYPE_UNSET)
        model->type = is_hvm(def) ? VIDEO_TYPE_CIRRUS : VIDEO_TYPE_XEN;
    if (is_hvm(def) && model->vram == UNSET32)
        model->vram = model->type == VIDEO_TYPE_CIRRUS ? CIRRUS_MEMORY
                      : model->type == VIDEO_TYPE_QXL  ? QXL_MEMORY
                      : model->type == VIDEO_TYPE_VGA || model->type == VIDEO_TYPE_XEN ? VGA_MEMORY
                                                                                        : UNSET32;
    domain_complete_video(def, video);
}

static gboolean complete_disk(Disk *disk, GError **error)
{
    if (disk->target->bus == DISK_BUS_UNSET)
        disk->target->bus = domain_disk_bus(disk);
    if (!disk->driver)
        disk->driver = disk_driver_new();
    if (disk->driver->type == STORAGE_FORMAT_UNSET)
        disk->driver->type = STORAGE_FORMAT_RAW;
    return (disk->address && disk->address->type != ADDRESS_TYPE_UNSET) || domain_address_disk(disk, error);
}

static void number_serials(GPtrArray *serials)
{
    for (guint i = 0; i < serials->len; i++) {
        Chardev *serial = serials->pdata[i];

        if (!serial->target->port)
            serial->target->port = g_strdup_printf("%u", i);
    }
}

/* --- what cannot be --- */

static gboolean validate_sound(const Sound *sound, GError **error)
{
    return sound->model == SOUND_MODEL_ICH6 || sound->model == SOUND_MODEL_ES1370 || sound->model == SOUND_MODEL_AC97 ||
           sound->model == SOUND_MODEL_SB16 ||
           error_set(error, UNSUPPORTED, "unsupported audio model %s", sound_model_to_string(sound->model));
}

static gboolean validate(const Domain *def, GError **error)
{
    const OsLoader *loader = def->os->loader;

    if (loader && loader->secure == TOGGLE_ON)
        return error_set(error, UNSUPPORTED, "Secure boot is not supported on Xen");
    for (guint i = 0; i < def->devices->sounds->len; i++)
        if (!validate_sound(def->devices->sounds->pdata[i], error))
            return FALSE;
    return TRUE;
}

static void complete_features(Domain *def)
{
    if (!is_hvm(def))
        return;
    if (!def->features)
        def->features = features_new();
    def->features->pae = TRUE;
}

gboolean complete_definition(Domain *def, GError **error)
{
    name_interfaces(def);
    if (!complete_machine(def, error) || !domain_complete_clock(def, error) || !domain_normalize(def, error))
        return FALSE;
    for (guint i = 0; i < def->devices->disks->len; i++)
        if (!complete_disk(def->devices->disks->pdata[i], error))
            return FALSE;
    number_serials(def->devices->serials);
    want_console(def);
    want_inputs(def);
    complete_features(def);
    want_balloon(def);
    want_xenbus(def);
    if (!domain_imply(def, error))
        return FALSE;
    for (guint i = 0; i < def->devices->videos->len; i++)
        complete_video(def, def->devices->videos->pdata[i]);
    return validate(def, error);
}

/* --- what only a run has --- */

static void name_terminals(GPtrArray *terminals, const char *prefix)
{
    for (guint i = 0; i < terminals->len; i++) {
        Chardev *terminal = terminals->pdata[i];

        if (!terminal->alias)
            terminal->alias = alias_new();
        if (!terminal->alias->name)
            terminal->alias->name = g_strdup_printf("%s%u", prefix, i);
    }
}

static gboolean check_balloon(const Memballoon *balloon, GError **error)
{
    if (balloon->model == MEMBALLOON_MODEL_NONE)
        return error_set(error, UNSUPPORTED, "balloon device cannot be disabled");
    return balloon->model == MEMBALLOON_MODEL_XEN ||
           error_set(error, UNSUPPORTED, "unsupported balloon device model '%s'", memballoon_model_to_string(balloon->model));
}

/* Interfaces get the names of this run. */
static void forget_names(GPtrArray *interfaces)
{
    for (guint i = 0; i < interfaces->len; i++) {
        Interface *interface = interfaces->pdata[i];

        if (interface->target && config_is_generated(interface->target->dev))
            g_clear_pointer(&interface->target->dev, g_free);
    }
}

gboolean complete_start(Domain *live, GError **error)
{
    if (!check_balloon(live->devices->memballoon, error))
        return FALSE;
    forget_names(live->devices->interfaces);
    name_terminals(live->devices->serials, "serial");
    name_terminals(live->devices->consoles, "console");
    for (guint i = 0; i < live->devices->graphics->len; i++) {
        Graphics *graphics = live->devices->graphics->pdata[i];
        GraphicsListen *listen = graphics->listens->len ? graphics->listens->pdata[0] : NULL;

        if (listen && listen->type == LISTEN_TYPE_ADDRESS && !listen->address)
            listen->address = g_strdup("127.0.0.1");
    }
    return TRUE;
}
