/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sound cards, and where their sound goes. */
#include "driver-kvm/caps.h"
#include "driver-kvm/device.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"

static const struct {
    SoundModel model;
    const char *driver;
    gboolean codecs; /* an HDA bus, on which codecs sit */
    guint connect;
} cards[] = {
    {SOUND_MODEL_ES1370, "ES1370", FALSE, PCI_CONNECT_DEVICE},
    {SOUND_MODEL_AC97, "AC97", FALSE, PCI_CONNECT_DEVICE},
    {SOUND_MODEL_SB16, "sb16", FALSE, 0},
    {SOUND_MODEL_USB, "usb-audio", FALSE, 0},
    {SOUND_MODEL_ICH6, "intel-hda", TRUE, PCI_CONNECT_DEVICE},
    {SOUND_MODEL_ICH9, "ich9-intel-hda", TRUE, PCI_CONNECT_DEVICE},
    {SOUND_MODEL_VIRTIO, "virtio-sound-pci", FALSE, PCI_CONNECT_EXPRESS},
};

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Sound *sound = device;

    for (gsize i = 0; i < G_N_ELEMENTS(cards); i++)
        if (cards[i].model == sound->model)
            return cards[i].connect;
    return 0;
}

static gboolean is_usb(gconstpointer device)
{
    const Sound *sound = device;

    return sound->model == SOUND_MODEL_USB;
}

static gboolean has_codecs(const Sound *sound)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cards); i++)
        if (cards[i].model == sound->model)
            return cards[i].codecs;
    return FALSE;
}

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Sound *sound = device;

    if (!has_codecs(sound))
        g_ptr_array_set_size(sound->codecs, 0);
    /* libvirt's words for a card that has no place on any bus */
    return sound->model != SOUND_MODEL_ICH7 ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                     "Cannot automatically add a new PCI bus for a device with connect flags 00");
}

static const Audio *find_audio(const Domain *def, guint32 id)
{
    for (guint i = 0; i < def->devices->audios->len; i++) {
        const Audio *audio = g_ptr_array_index(def->devices->audios, i);

        if (audio->id == id)
            return audio;
    }
    return NULL;
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Sound *sound = device;

    if (sound->model == SOUND_MODEL_VIRTIO && !caps_has_device(caps, "virtio-sound-pci"))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "sound card model '%s' is not supported by this QEMU binary",
                         sound_model_to_string(sound->model));
    return !sound->audio || find_audio(def, sound->audio->id) ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "no audio device with ID %u", sound->audio->id);
}

static void add_audio(const Domain *live, const Sound *sound, JsonObject *props)
{
    const Audio *audio = live->devices->audios->len ? g_ptr_array_index(live->devices->audios, 0) : NULL;

    if (sound->audio)
        props_format(props, "audiodev", "audio%u", sound->audio->id);
    else if (audio)
        props_format(props, "audiodev", "audio%u", audio->id);
}

static void build_codec(const Domain *live, const Sound *sound, const char *driver, guint number, GPtrArray *parts)
{
    JsonObject *props = props_new("driver", driver);

    props_format(props, "id", "%s-codec%u", sound->alias->name, number);
    props_format(props, "bus", "%s.0", sound->alias->name);
    props_int(props, "cad", number);
    add_audio(live, sound, props);
    parts_add(parts, PART_DEVICE, props);
}

static void build_codecs(const Domain *live, const Sound *sound, GPtrArray *parts)
{
    static const char *const drivers[] = {
        [SOUND_CODEC_TYPE_DUPLEX] = "hda-duplex",
        [SOUND_CODEC_TYPE_MICRO] = "hda-micro",
        [SOUND_CODEC_TYPE_OUTPUT] = "hda-output",
    };

    if (sound->codecs->len == 0)
        build_codec(live, sound, "hda-duplex", 0, parts);
    for (guint i = 0; i < sound->codecs->len; i++)
        build_codec(live, sound, drivers[((const SoundCodec *)g_ptr_array_index(sound->codecs, i))->type], i, parts);
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Sound *sound = device;
    g_autoptr(JsonObject) props = NULL;
    gsize i = 0;

    while (i < G_N_ELEMENTS(cards) && cards[i].model != sound->model)
        i++;
    if (i == G_N_ELEMENTS(cards))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "sound card model '%s' is not supported by qemu",
                         sound_model_to_string(sound->model));
    props = props_new("driver", cards[i].driver);
    if (sound->model == SOUND_MODEL_VIRTIO)
        props_virtio(props, sound->driver);
    props_string(props, "id", sound->alias->name);
    props_toggle(props, "multi", sound->multichannel);
    props_uint(props, "streams", sound->streams);
    if (!cards[i].codecs)
        add_audio(live, sound, props);
    if (!device_address_props(live, sound->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    if (cards[i].codecs)
        build_codecs(live, sound, parts);
    return TRUE;
}

const DeviceKind device_sound = {
    .name = "sound", .offset = offsetof(Devices, sounds), .alias = offsetof(Sound, alias),
    .address = offsetof(Sound, address), .prefix = "sound", .complete = complete, .validate = validate,
    .connect = connect_pci, .is_usb = is_usb, .build = build,
};

static gboolean validate_audio(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Audio *audio = device;

    if (find_audio(def, audio->id) != audio)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "audio ID %u is used multiple times", audio->id);
    for (guint i = 0; audio->type == AUDIO_TYPE_SPICE && i < def->devices->graphics->len; i++)
        if (((const Graphics *)g_ptr_array_index(def->devices->graphics, i))->type == GRAPHICS_TYPE_SPICE)
            return TRUE;
    return audio->type != AUDIO_TYPE_SPICE ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Spice audio is not supported without spice graphics");
}

static void add_stream(const char *key, const AudioStream *stream, JsonObject *props)
{
    JsonObject *inner;

    if (!stream)
        return;
    inner = json_object_new();
    props_toggle(inner, "mixing-engine", stream->mixing_engine);
    props_toggle(inner, "fixed-settings", stream->fixed_settings);
    props_positive(inner, "voices", stream->voices);
    props_positive(inner, "buffer-length", stream->buffer_length);
    if (stream->settings) {
        props_positive(inner, "frequency", stream->settings->frequency);
        props_positive(inner, "channels", stream->settings->channels);
        props_string(inner, "format", audio_format_to_string(stream->settings->format));
    }
    props_string(inner, "dev", stream->dev);
    props_positive(inner, "buffer-count", stream->buffer_count);
    props_toggle(inner, "try-poll", stream->try_poll);
    props_string(inner, "name", stream->name);
    props_string(inner, "stream-name", stream->stream_name);
    props_positive(inner, "latency", stream->latency);
    props_string(inner, "server-name", stream->server_name);
    props_string(inner, "client-name", stream->client_name);
    props_string(inner, "connect-ports", stream->connect_ports);
    props_toggle(inner, "exact-name", stream->exact_name);
    json_object_set_object_member(props, key, inner);
}

static gboolean build_audio(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context,
                            GPtrArray *parts, GError **error)
{
    const Audio *audio = device;
    static const char *const drivers[] = {
        [AUDIO_TYPE_NONE] = "none", [AUDIO_TYPE_FILE] = "wav", [AUDIO_TYPE_ALSA] = "alsa", [AUDIO_TYPE_OSS] = "oss",
        [AUDIO_TYPE_PULSEAUDIO] = "pa", [AUDIO_TYPE_SDL] = "sdl", [AUDIO_TYPE_COREAUDIO] = "coreaudio",
        [AUDIO_TYPE_JACK] = "jack", [AUDIO_TYPE_SPICE] = "spice", [AUDIO_TYPE_DBUS] = "dbus", [AUDIO_TYPE_PIPEWIRE] = "pipewire",
    };
    const char *driver = audio->type < G_N_ELEMENTS(drivers) ? drivers[audio->type] : NULL;
    JsonObject *props = json_object_new();

    if (!driver) {
        json_object_unref(props);
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "<audio type='%s'> is not supported by this driver",
                         audio_type_to_string(audio->type));
    }
    props_format(props, "id", "audio%u", audio->id);
    props_string(props, "driver", driver);
    props_positive(props, "timer-period", audio->timer_period);
    if (audio->driver != AUDIO_DRIVER_UNSET)
        g_ptr_array_add(context->environment, g_strdup_printf("SDL_AUDIODRIVER=%s", audio_driver_to_string(audio->driver)));
    if (audio->runtime_dir)
        g_ptr_array_add(context->environment, g_strdup_printf("PIPEWIRE_RUNTIME_DIR=%s", audio->runtime_dir));
    props_string(props, "server", audio->server_name);
    props_string(props, "path", audio->path);
    props_toggle(props, "try-mmap", audio->try_m_map);
    props_toggle(props, "exclusive", audio->exclusive);
    props_uint(props, "dsp-policy", audio->dsp_policy);
    add_stream("in", audio->input, props);
    add_stream("out", audio->output, props);
    parts_add(parts, PART_AUDIODEV, props);
    return TRUE;
}

const DeviceKind device_audio = {
    .name = "audio", .offset = offsetof(Devices, audios), .alias = -1, .address = -1, .validate = validate_audio,
    .build = build_audio,
};
