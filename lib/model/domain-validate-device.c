/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-validate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/error.h"

#define UNSUPPORTED VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED
#define QEMU_UNSUPPORTED VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED
#define WRONG VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR
#define NOT_SET(value) ((value) == UNSET32 || (value) == 0)

typedef gboolean (*Validate)(gconstpointer device, GError **error);

/* Interfaces */

static gboolean validate_queue(guint32 size, const char *name, GError **error)
{
    return NOT_SET(size) || (size & (size - 1)) == 0 ||
           error_set(error, QEMU_UNSUPPORTED, "%s has to be a power of two", name);
}

static gboolean validate_interface(gconstpointer device, GError **error)
{
    const Interface *interface = device;
    const char *mac = interface->mac ? interface->mac->address : NULL;
    const InterfaceDriver *driver = interface->driver;

    if (mac && g_ascii_strtoull(mac, NULL, 16) & 1)
        return error_set(error, WRONG, "expected unicast mac address, found multicast '%s'", mac);
    if (!domain_validate_rom(interface->rom, error))
        return FALSE;
    if (driver && interface->model && interface->model->type && !g_str_has_prefix(interface->model->type, "virtio") &&
        !domain_validate_no_virtio(driver->iommu, driver->ats, driver->packed, driver->page_per_vq, error))
        return FALSE;
    return !driver || (validate_queue(driver->rx_queue_size, "rx_queue_size", error) &&
                       validate_queue(driver->tx_queue_size, "tx_queue_size", error));
}

/* Character devices */

static gboolean validate_guestfwd(const ChardevTarget *target, GError **error)
{
    struct in6_addr six;
    struct in_addr four;

    if (!target->address)
        return error_set(error, WRONG, "guestfwd channel does not define a target address");
    if (inet_pton(AF_INET6, target->address, &six) == 1)
        return error_set(error, UNSUPPORTED, "guestfwd channel only supports IPv4 addresses");
    if (inet_pton(AF_INET, target->address, &four) != 1)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                         "Cannot parse socket address '%s': Name or service not known", target->address);
    if (!target->port)
        return error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "Missing required attribute 'port' in element 'target'");
    return TRUE;
}

static gboolean validate_channel(gconstpointer device, GError **error)
{
    const Chardev *channel = device;

    if (channel->target->type == CHARDEV_TARGET_TYPE_UNSET)
        return error_set(error, UNSUPPORTED, "unknown target type '(null)' specified for character device");
    return channel->target->type != CHARDEV_TARGET_TYPE_GUESTFWD || validate_guestfwd(channel->target, error);
}

static gboolean validate_console(gconstpointer device, GError **error)
{
    const Chardev *console = device;
    gboolean own = console->target && console->target->type == CHARDEV_TARGET_TYPE_VIRTIO;

    if (own && console->type == CHARDEV_TYPE_UNIX && !(console->source && console->source->path))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "Missing source path attribute for char device");
    return TRUE;
}

/* Displays */

static gboolean is_time(const char *text)
{
    int part[6], length = 0;
    int n = sscanf(text, "%d-%d-%dT%d:%d:%d%n", &part[0], &part[1], &part[2], &part[3], &part[4], &part[5], &length);

    return n == 6 && !text[length];
}

static gboolean validate_graphics(gconstpointer device, GError **error)
{
    const Graphics *graphics = device;

    if (graphics->passwd && graphics->passwd_valid_to && !is_time(graphics->passwd_valid_to))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                         "cannot parse password validity time '%s', expect YYYY-MM-DDTHH:MM:SS", graphics->passwd_valid_to);
    return TRUE;
}

static gboolean validate_video(gconstpointer device, GError **error)
{
    const VideoModel *model = ((const Video *)device)->model;
    gboolean qxl = model && model->type == VIDEO_TYPE_QXL;
    const struct {
        const char *name;
        guint32 value;
    } sizes[] = {
        {"ram", model ? model->ram : 0}, {"vram64", model ? model->vram64 : 0}, {"vgamem", model ? model->vgamem : 0}};

    for (guint i = 0; !qxl && i < G_N_ELEMENTS(sizes); i++)
        if (!NOT_SET(sizes[i].value))
            return error_set(error, UNSUPPORTED, "%s attribute only supported for video type qxl", sizes[i].name);
    if (model && !qxl && model->type != VIDEO_TYPE_VIRTIO && model->heads != UNSET32 && model->heads > 1)
        return error_set(error, QEMU_UNSUPPORTED, "video type '%s' doesn't support multiple 'heads'",
                         video_type_to_string(model->type));
    return TRUE;
}

/* All */

static gboolean validate_each(const GPtrArray *devices, Validate validate, GError **error)
{
    for (guint i = 0; i < devices->len; i++)
        if (!validate(g_ptr_array_index(devices, i), error))
            return FALSE;
    return TRUE;
}

static gboolean validate_tpms(const GPtrArray *tpms, GError **error)
{
    guint n = 0;

    for (guint i = 0; i < tpms->len; i++)
        n += ((const Tpm *)g_ptr_array_index(tpms, i))->model != TPM_MODEL_SPAPR_TPM_PROXY;
    return n < 2 || error_set(error, QEMU_UNSUPPORTED, "only a single TPM non-proxy device is supported");
}

static gboolean validate_watchdogs(const GPtrArray *watchdogs, GError **error)
{
    return watchdogs->len < 2 ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "only a single watchdog device is supported");
}

static gboolean validate_panics(const GPtrArray *panics, GError **error)
{
    guint seen = 0;

    for (guint i = 0; i < panics->len; i++) {
        PanicModel model = ((const Panic *)g_ptr_array_index(panics, i))->model;

        if (seen & 1u << model)
            return error_set(error, WRONG, "Multiple panic devices with model '%s'", panic_model_to_string(model));
        seen |= 1u << model;
    }
    return TRUE;
}

gboolean domain_validate_devices(const Domain *def, GError **error)
{
    const Devices *devices = def->devices;

    return validate_each(devices->interfaces, validate_interface, error) &&
           validate_each(devices->channels, validate_channel, error) &&
           validate_each(devices->consoles, validate_console, error) &&
           validate_each(devices->graphics, validate_graphics, error) &&
           validate_each(devices->videos, validate_video, error) && validate_panics(devices->panics, error) &&
           validate_tpms(devices->tpms, error) && validate_watchdogs(devices->watchdogs, error);
}
