/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/caps.h"
#include "driver-kvm/device.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/domain-defaults.h"
#include "lib/model/pci-map.h"

#define QXL_VGAMEM (16 * 1024)

static gboolean is_first(const Domain *def, const Video *video)
{
    return g_ptr_array_index(def->devices->videos, 0) == video;
}

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Video *video = device;

    if (!video->model)
        video->model = video_model_new();
    if (video->model->type == VIDEO_TYPE_UNSET)
        video->model->type = machine_kind(def)->video;
    if (video->model->type == VIDEO_TYPE_UNSET)
        video->model->type = caps_has_device(caps, "cirrus-vga") ? VIDEO_TYPE_CIRRUS : VIDEO_TYPE_VGA;
    if (video->model->type == VIDEO_TYPE_NONE) {
        /* No card has no properties either. */
        video_model_free(video->model);
        video->model = video_model_new();
        video->model->type = VIDEO_TYPE_NONE;
        g_clear_pointer(&video->driver, video_driver_free);
        g_clear_pointer(&video->address, address_free);
        return TRUE;
    }
    if (video->model->type == VIDEO_TYPE_QXL && video->model->vgamem == UNSET32)
        video->model->vgamem = QXL_VGAMEM;
    domain_complete_video(def, video);
    return TRUE;
}

/* What QEMU calls a card, as the first and as another one; NULL: it cannot be that. */
static const struct {
    VideoType type;
    const char *first;
    const char *second;
    const char *first_3d; /* the same, when what the guest draws is drawn by the host's card */
    const char *second_3d;
    guint connect;
} cards[] = {
    {VIDEO_TYPE_VGA, "VGA", NULL, NULL, NULL, PCI_CONNECT_DEVICE},
    {VIDEO_TYPE_CIRRUS, "cirrus-vga", NULL, NULL, NULL, PCI_CONNECT_DEVICE},
    {VIDEO_TYPE_VMVGA, "vmware-svga", NULL, NULL, NULL, PCI_CONNECT_DEVICE},
    {VIDEO_TYPE_QXL, "qxl-vga", "qxl", NULL, NULL, PCI_CONNECT_DEVICE},
    {VIDEO_TYPE_VIRTIO, "virtio-vga", "virtio-gpu-pci", "virtio-vga-gl", "virtio-gpu-gl-pci", PCI_CONNECT_EXPRESS},
    {VIDEO_TYPE_BOCHS, "bochs-display", NULL, NULL, NULL, PCI_CONNECT_EXPRESS},
    {VIDEO_TYPE_RAMFB, "ramfb", NULL, NULL, NULL, 0},
};

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Video *video = device;

    for (gsize i = 0; i < G_N_ELEMENTS(cards); i++)
        if (cards[i].type == video->model->type)
            return cards[i].connect;
    return 0;
}

static gboolean is_3d(const VideoModel *model)
{
    return model->acceleration && model->acceleration->accel3d == TOGGLE_ON;
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Video *video = device;
    VideoType type = video->model->type;
    const char *name = video_type_to_string(type);

    if (type == VIDEO_TYPE_NONE)
        return def->devices->videos->len == 1 ? TRUE
                                              : error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                                                          "a 'none' video type must be the only video device defined for the "
                                                          "domain");
    if (is_3d(video->model) && type != VIDEO_TYPE_VIRTIO)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "3d acceleration is supported only with 'virtio' video device");
    if (is_3d(video->model) && !caps_has_device(caps, "virtio-vga-gl") && !caps_has_device(caps, "virtio-gpu-gl-pci"))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "3d acceleration is not supported by this QEMU binary");
    if (type == VIDEO_TYPE_RAMFB && video->address && video->address->type != ADDRESS_TYPE_UNSET)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "address not supported for video type ramfb");
    for (gsize i = 0; i < G_N_ELEMENTS(cards); i++) {
        if (cards[i].type != type)
            continue;
        if (!is_first(def, video) && !cards[i].second)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "video type '%s' is only valid as primary video device", name);
        if (type != VIDEO_TYPE_VIRTIO && !caps_has_device(caps, cards[i].first))
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "domain configuration does not support video model '%s'", name);
        return TRUE;
    }
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "video type %s is not supported with QEMU", name);
}

static void add_memory(const VideoModel *model, JsonObject *props)
{
    gint64 vram = model->vram == UNSET32 ? 0 : model->vram;

    switch (model->type) {
    case VIDEO_TYPE_QXL:
        props_int(props, "ram_size", (gint64)model->ram * 1024);
        props_int(props, "vram_size", vram * 1024);
        props_int(props, "vram64_size_mb", model->vram64 == UNSET32 ? 0 : model->vram64 / 1024);
        props_int(props, "vgamem_mb", model->vgamem / 1024);
        break;
    case VIDEO_TYPE_VGA:
    case VIDEO_TYPE_VMVGA:
        if (vram)
            props_int(props, "vgamem_mb", vram / 1024);
        break;
    case VIDEO_TYPE_BOCHS:
        if (vram)
            props_int(props, "vgamem", vram * 1024);
        break;
    default:
        break;
    }
}

static const char *driver_of(const Domain *live, const Video *video, const Caps *caps)
{
    gboolean first = is_first(live, video) && (video->model->type != VIDEO_TYPE_VIRTIO || caps_has_device(caps, "virtio-vga"));

    for (gsize i = 0; i < G_N_ELEMENTS(cards); i++) {
        if (cards[i].type != video->model->type)
            continue;
        const char *drawn = first ? cards[i].first_3d : cards[i].second_3d;
        return is_3d(video->model) && drawn && caps_has_device(caps, drawn) ? drawn : first ? cards[i].first : cards[i].second;
    }
    return NULL;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Video *video = device;
    const VideoModel *model = video->model;
    const char *driver = NULL;
    g_autoptr(JsonObject) props = NULL;

    if (model->type == VIDEO_TYPE_NONE)
        return TRUE;
    if (video->driver && model->type != VIDEO_TYPE_VIRTIO)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "<driver> of a <video> device with <model type='%s'> is not supported by this driver",
                         video_type_to_string(model->type));
    driver = driver_of(live, video, caps);
    if (!driver)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "invalid model for video type '%s'",
                         video_type_to_string(model->type));
    props = props_new("driver", driver);
    if (model->type == VIDEO_TYPE_VIRTIO)
        props_virtio(props, video->driver);
    props_string(props, "id", video->alias->name);
    if (model->type == VIDEO_TYPE_VIRTIO || model->type == VIDEO_TYPE_QXL)
        props_positive(props, "max_outputs", model->heads);
    props_toggle(props, "blob", model->blob);
    props_toggle(props, "edid", model->edid);
    add_memory(model, props);
    if (model->resolution) {
        props_positive(props, "xres", model->resolution->x);
        props_positive(props, "yres", model->resolution->y);
    }
    if (!device_address_props(live, video->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_video = {
    .name = "video", .offset = offsetof(Devices, videos), .alias = offsetof(Video, alias),
    .address = offsetof(Video, address), .prefix = "video", .complete = complete, .validate = validate,
    .connect = connect_pci, .build = build,
};
