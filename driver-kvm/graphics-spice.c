/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPICE. There are no certificates yet: what asks for TLS is refused with libvirt's words for a host that has it switched off. */
#include "driver-kvm/graphics.h"

#include "driver-kvm/part.h"
#include "lib/port.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

#define FREE 0 /* a port that is free, to be found when the domain starts */

static gboolean unsupported(GError **error, const char *text)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "%s", text);
}

static gboolean validate(const Graphics *graphics, GError **error)
{
    return graphics->autoport == TOGGLE_ON || graphics->tls_port == (gint32)UNSET32 || graphics->tls_port == FREE ||
           unsupported(error, "spice TLS port set in XML configuration, but TLS is disabled in qemu.conf");
}

static gboolean wants_secure(const Graphics *graphics)
{
    if (graphics->default_mode == SPICE_CHANNEL_MODE_SECURE)
        return TRUE;
    for (guint i = 0; i < graphics->channels->len; i++)
        if (((const SpiceChannel *)g_ptr_array_index(graphics->channels, i))->mode == SPICE_CHANNEL_MODE_SECURE)
            return TRUE;
    return FALSE;
}

static gboolean take_ports(const Domain *live, Graphics *graphics, ArgvContext *context, GError **error)
{
    gboolean automatic = graphics->autoport == TOGGLE_ON;
    gboolean secure = wants_secure(graphics);

    if (graphics->tls_port == FREE || (automatic && secure))
        return unsupported(error, "Auto allocation of spice TLS port requested but spice TLS is disabled in qemu.conf");
    if (secure)
        return unsupported(error, "spice secure channels set in XML configuration, but TLS connection is not available");
    if (!automatic && graphics->port != FREE)
        return TRUE;
    return graphics_take_port(live, "spice", PORT_VNC_FIRST, context, &graphics->port, error);
}

static gboolean prepare(Domain *live, Graphics *graphics, ArgvContext *context, GError **error)
{
    const GraphicsListen *listen = graphics_listen(graphics);

    if (graphics->listens->len > 1)
        return unsupported(error, "QEMU does not support multiple listens for one graphics device.");
    if (listen->type == LISTEN_TYPE_NETWORK)
        return error_set(error, VIR_FROM_NETWORK, VIR_ERR_NO_NETWORK, "no network with matching name '%s'",
                         listen->network);
    graphics_set_password(graphics, "spice", context);
    graphics_settle_listen(graphics, context->spice_listen, "spice.sock", context);
    if (graphics->gl && graphics->gl->enable == TOGGLE_ON && !graphics_settle_gl(graphics->gl, context, error))
        return FALSE;
    return listen->type != LISTEN_TYPE_ADDRESS || take_ports(live, graphics, context, error);
}

static void add_listen(const Graphics *graphics, GString *text)
{
    const GraphicsListen *listen = graphics_listen(graphics);
    g_autofree char *socket = part_escape(listen->socket ? listen->socket : "");
    g_autofree char *address = part_escape(listen->address ? listen->address : "");

    switch (listen->type) {
    case LISTEN_TYPE_SOCKET:
        g_string_append_printf(text, "unix,addr=%s,", socket);
        break;
    case LISTEN_TYPE_ADDRESS:
        g_string_append_printf(text, "port=%d,", graphics->port);
        if (listen->address)
            g_string_append_printf(text, "addr=%s,", address);
        break;
    default:
        g_string_append(text, "port=0,");
    }
}

static void add_channels(const Graphics *graphics, GString *text)
{
    if (graphics->default_mode == SPICE_CHANNEL_MODE_INSECURE)
        g_string_append(text, "plaintext-channel=default,");
    for (guint i = 0; i < graphics->channels->len; i++) {
        const SpiceChannel *channel = g_ptr_array_index(graphics->channels, i);

        if (channel->mode == SPICE_CHANNEL_MODE_INSECURE)
            g_string_append_printf(text, "plaintext-channel=%s,", spice_channel_name_to_string(channel->name));
    }
}

static void add_compression(const Graphics *graphics, GString *text)
{
    const struct {
        const char *option, *value;
    } settings[] = {
        {"image-compression", graphics->image ? spice_image_compression_to_string(graphics->image->compression) : NULL},
        {"jpeg-wan-compression", graphics->jpeg ? spice_wan_compression_to_string(graphics->jpeg->compression) : NULL},
        {"zlib-glz-wan-compression", graphics->zlib ? spice_wan_compression_to_string(graphics->zlib->compression) : NULL},
        {"playback-compression", graphics->playback ? toggle_words(graphics->playback->compression) : NULL},
        {"streaming-video", graphics->streaming ? spice_streaming_to_string(graphics->streaming->mode) : NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
        if (settings[i].value)
            g_string_append_printf(text, "%s=%s,", settings[i].option, settings[i].value);
    if (graphics->clipboard && graphics->clipboard->copypaste == TOGGLE_OFF)
        g_string_append(text, "disable-copy-paste=on,");
    if (graphics->filetransfer && graphics->filetransfer->enable == TOGGLE_OFF)
        g_string_append(text, "disable-agent-file-xfer=on,");
}

static gboolean build(const Domain *live, const Graphics *graphics, ArgvContext *context, GPtrArray *parts, GError **error)
{
    GString *text = g_string_new(NULL);

    add_listen(graphics, text);
    if (graphics->mouse)
        g_string_append_printf(text, "agent-mouse=%s,", graphics->mouse->mode == MOUSE_MODE_CLIENT ? "on" : "off");
    if (!graphics->passwd)
        g_string_append(text, "disable-ticketing=on,");
    add_channels(graphics, text);
    add_compression(graphics, text);
    if (graphics->gl && graphics->gl->enable == TOGGLE_ON) {
        g_autofree char *node = part_escape(graphics->gl->rendernode ? graphics->gl->rendernode : "");

        g_string_append(text, "gl=on,");
        if (graphics->gl->rendernode)
            g_string_append_printf(text, "rendernode=%s,", node);
    }
    g_string_append(text, "seamless-migration=on");
    parts_add_option(parts, "-spice", g_string_free(text, FALSE));
    if (graphics->keymap)
        parts_add_option(parts, "-k", g_strdup(graphics->keymap));
    return TRUE;
}

const GraphicsServer graphics_spice = {
    .type = GRAPHICS_TYPE_SPICE, .validate = validate, .prepare = prepare, .release = graphics_remove_socket, .build = build,
};
