/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hardware that a device model shows a guest, and how the guest boots on it. */
#include "driver-xen/config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/error.h"

#define UNSUPPORTED VIR_FROM_LIBXL, VIR_ERR_CONFIG_UNSUPPORTED

char *config_boot_order(const Domain *live)
{
    static const char letters[] = {[BOOT_DEVICE_FD] = 'a', [BOOT_DEVICE_HD] = 'c', [BOOT_DEVICE_CDROM] = 'd', [BOOT_DEVICE_NETWORK] = 'n'};
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < live->os->boots->len; i++) {
        const OsBoot *boot = live->os->boots->pdata[i];

        if (boot->dev < G_N_ELEMENTS(letters) && letters[boot->dev])
            g_string_append_c(text, letters[boot->dev]);
    }
    if (text->len == 0)
        g_string_append_c(text, 'c');
    g_autofree char *order = g_string_free(text, FALSE);
    return config_dup(order);
}

char *config_serial(const Chardev *serial, GError **error)
{
    const ChardevSource *source = serial->source;
    const char *type = chardev_type_to_string(serial->type);
    g_autofree char *text = NULL;

    switch (serial->type) {
    case CHARDEV_TYPE_NULL:
    case CHARDEV_TYPE_STDIO:
    case CHARDEV_TYPE_VC:
    case CHARDEV_TYPE_PTY:
        return config_dup(type);
    case CHARDEV_TYPE_FILE:
    case CHARDEV_TYPE_PIPE:
        text = g_strdup_printf("%s:%s", type, source && source->path ? source->path : "");
        break;
    case CHARDEV_TYPE_DEV:
        return config_dup(source ? source->path : NULL);
    case CHARDEV_TYPE_UNIX:
        text = g_strdup_printf("unix:%s%s", source && source->path ? source->path : "",
                               source && source->mode == CHARDEV_MODE_BIND ? ",server,nowait" : "");
        break;
    case CHARDEV_TYPE_TCP:
        text = g_strdup_printf("%s:%s:%s%s",
                               serial->protocol && serial->protocol->type == CHARDEV_PROTOCOL_TYPE_TELNET ? "telnet" : "tcp",
                               source && source->host ? source->host : "", source && source->service ? source->service : "",
                               source && source->mode == CHARDEV_MODE_BIND ? ",server,nowait" : "");
        break;
    default:
        error_set(error, UNSUPPORTED, "unsupported chardev '%s'", type);
        return NULL;
    }
    return config_dup(text);
}

static gboolean build_serials(const Domain *live, libxl_domain_build_info *info, GError **error)
{
    GPtrArray *serials = live->devices->serials;

    if (live->devices->parallels->len > 0)
        return error_set(error, UNSUPPORTED, "Parallel devices are not supported by libxl");
    if (serials->len == 0)
        return TRUE;
    info->u.hvm.serial_list = calloc(serials->len + 1, sizeof(char *));
    for (guint i = 0; i < serials->len; i++)
        if (!(info->u.hvm.serial_list[i] = config_serial(serials->pdata[i], error)))
            return FALSE;
    return TRUE;
}

static gboolean build_inputs(const Domain *live, libxl_domain_build_info *info, GError **error)
{
    GPtrArray *inputs = live->devices->inputs;
    guint n = 0;

    info->u.hvm.usbdevice_list = calloc(inputs->len + 1, sizeof(char *));
    for (guint i = 0; i < inputs->len; i++) {
        const Input *input = inputs->pdata[i];

        if (input->bus != INPUT_BUS_USB)
            continue;
        if (input->type != INPUT_TYPE_MOUSE && input->type != INPUT_TYPE_TABLET)
            return error_set(error, UNSUPPORTED, "Unknown input device type");
        info->u.hvm.usbdevice_list[n++] = config_dup(input->type == INPUT_TYPE_MOUSE ? "mouse" : "tablet");
    }
    return TRUE;
}

static void build_video(const Domain *live, libxl_domain_build_info *info)
{
    const Video *video = live->devices->videos->len ? live->devices->videos->pdata[0] : NULL;
    const VideoModel *model = video ? video->model : NULL;

    if (!model) {
        info->u.hvm.vga.kind = LIBXL_VGA_INTERFACE_TYPE_NONE;
        return;
    }
    info->u.hvm.vga.kind = model->type == VIDEO_TYPE_CIRRUS ? LIBXL_VGA_INTERFACE_TYPE_CIRRUS
                           : model->type == VIDEO_TYPE_QXL  ? LIBXL_VGA_INTERFACE_TYPE_QXL
                                                            : LIBXL_VGA_INTERFACE_TYPE_STD;
    if (model->vram != UNSET32)
        info->video_memkb = model->vram;
}

gboolean config_hvm(const Domain *live, libxl_domain_build_info *info, GError **error)
{
    const Features *features = live->features;
    const OsLoader *loader = live->os->loader;
    const Sound *sound = live->devices->sounds->len ? live->devices->sounds->pdata[0] : NULL;

    libxl_defbool_set(&info->u.hvm.pae, features && features->pae);
    libxl_defbool_set(&info->apic, features && features->apic);
    libxl_defbool_set(&info->acpi, features && features->acpi);
    if (sound)
        info->u.hvm.soundhw = config_dup(sound->model == SOUND_MODEL_ICH6 ? "hda" : sound_model_to_string(sound->model));
    info->u.hvm.boot = config_boot_order(live);
    info->kernel = config_dup(live->os->kernel);
    info->ramdisk = config_dup(live->os->initrd);
    info->cmdline = config_dup(live->os->cmdline);
    if (live->os->firmware == OS_FIRMWARE_EFI || (loader && loader->type == LOADER_TYPE_PFLASH))
        info->u.hvm.bios = LIBXL_BIOS_TYPE_OVMF;
    if (live->devices->emulator)
        info->device_model = config_dup(live->devices->emulator);
    info->device_model_version = LIBXL_DEVICE_MODEL_VERSION_QEMU_XEN;
    libxl_defbool_set(&info->u.hvm.vnc.enable, false);
    libxl_defbool_set(&info->u.hvm.sdl.enable, false);
    build_video(live, info);
    return build_serials(live, info, error) && build_inputs(live, info, error);
}
