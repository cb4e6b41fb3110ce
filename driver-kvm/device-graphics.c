/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Displays. Of the ways to reach one, VNC is offered. */
#include "driver-kvm/device.h"
#include "driver-kvm/part.h"
#include "driver-kvm/port.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PASSWORD_MAX 8   /* VNC's own limit */
#define WEBSOCKET_FREE 0 /* a port that is free, to be found when the domain starts */

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Graphics *graphics = device;

    if (graphics->type == GRAPHICS_TYPE_RDP || graphics->type == GRAPHICS_TYPE_DESKTOP)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported graphics type '%s'",
                         graphics_type_to_string(graphics->type));
    if (graphics->type == GRAPHICS_TYPE_VNC && graphics->passwd && strlen(graphics->passwd) > PASSWORD_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "VNC password is %zu characters long, only 8 permitted", strlen(graphics->passwd));
    if (graphics->type == GRAPHICS_TYPE_VNC && graphics->connected != PASSWORD_CONNECTED_UNSET &&
        graphics->connected != PASSWORD_CONNECTED_KEEP)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "VNC supports connected='keep' only");
    for (guint i = 0; i < graphics->listens->len; i++) {
        const GraphicsListen *listen = g_ptr_array_index(graphics->listens, i);

        if (listen->type == LISTEN_TYPE_NETWORK && !listen->network)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                             "'network' attribute is required for listen type 'network'");
    }
    if (graphics->listens->len > 1 && graphics->type == GRAPHICS_TYPE_VNC)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "multiple listens are not supported for VNC");
    return TRUE;
}

static GraphicsListen *listen_of(const Graphics *graphics)
{
    return graphics->listens->len ? g_ptr_array_index(graphics->listens, 0) : NULL;
}

static void set_password(const Graphics *graphics, ArgvContext *context)
{
    JsonObject *password, *expiry;
    const char *connected = password_connected_to_string(graphics->connected);

    if (!graphics->passwd)
        return;
    password = props_new("protocol", "vnc");
    props_string(password, "password", graphics->passwd);
    props_string(password, "connected", connected);
    argv_context_command(context, "set_password", password);
    expiry = props_new("protocol", "vnc");
    if (graphics->passwd_valid_to) {
        struct tm when = {0};

        strptime(graphics->passwd_valid_to, "%Y-%m-%dT%H:%M:%S", &when);
        props_format(expiry, "time", "%lld", (long long)timegm(&when));
    } else {
        props_string(expiry, "time", "never");
    }
    argv_context_command(context, "expire_password", expiry);
}

static gboolean take_port(const char *what, guint first, ArgvContext *context, gint32 *ret_port, GError **error)
{
    guint port = first;

    if (context->touch_host && !port_reserve(what, first, PORT_LAST, context->held, &port, error))
        return FALSE;
    *ret_port = (gint32)port;
    return TRUE;
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    Graphics *graphics = device;
    GraphicsListen *listen = listen_of(graphics);

    if (graphics->type != GRAPHICS_TYPE_VNC || !listen)
        return TRUE;
    set_password(graphics, context);
    if (listen->type == LISTEN_TYPE_SOCKET) {
        if (!listen->socket) {
            listen->socket = g_strdup_printf("%s/vnc.sock", context->private_dir);
            listen->auto_generated = TOGGLE_ON;
            g_free(graphics->socket);
            graphics->socket = g_strdup(listen->socket);
            graphics->socket_generated = TOGGLE_ON;
        }
        return TRUE;
    }
    if (listen->type == LISTEN_TYPE_ADDRESS && !listen->address) {
        listen->address = g_strdup(context->vnc_listen ? context->vnc_listen : "127.0.0.1");
        listen->from_config = TOGGLE_ON;
        g_free(graphics->listen);
        graphics->listen = g_strdup(listen->address);
    }
    if (graphics->autoport == TOGGLE_ON && !take_port("VNC", PORT_VNC_FIRST, context, &graphics->port, error))
        return FALSE;
    if (graphics->websocket != WEBSOCKET_FREE || !context->touch_host)
        return TRUE;
    graphics->websocket_generated = TOGGLE_ON;
    return take_port("VNC WebSocket", PORT_WEBSOCKET_FIRST, context, &graphics->websocket, error);
}

static void release(const Domain *live, gconstpointer device)
{
    const Graphics *graphics = device;
    const GraphicsListen *listen = listen_of(graphics);

    if (graphics->type == GRAPHICS_TYPE_VNC && listen && listen->type == LISTEN_TYPE_SOCKET && listen->socket &&
        listen->auto_generated == TOGGLE_ON)
        unlink(listen->socket);
}

/* Where the server listens, as QEMU wants it; NULL with ERROR. */
static GString *listen_text(const Graphics *graphics, GError **error)
{
    const GraphicsListen *listen = listen_of(graphics);
    GString *text = g_string_new(NULL);

    if (listen && listen->type == LISTEN_TYPE_SOCKET && listen->socket) {
        g_autofree char *path = part_escape(listen->socket);

        g_string_append_printf(text, "vnc=unix:%s", path);
        return text;
    }
    if (listen && listen->type == LISTEN_TYPE_NONE) {
        g_string_append(text, "none");
        return text;
    }
    if (listen && listen->type == LISTEN_TYPE_ADDRESS && graphics->port >= PORT_VNC_FIRST) {
        gboolean six = listen->address && strchr(listen->address, ':');
        g_autofree char *address = part_escape(listen->address ? listen->address : "");

        g_string_append_printf(text, six ? "[%s]:%d" : "%s:%d", address, graphics->port - PORT_VNC_FIRST);
        return text;
    }
    g_string_free(text, TRUE);
    if (listen && listen->type == LISTEN_TYPE_ADDRESS)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "vnc port must be in range [5900,65535]");
    else
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "<listen type='%s'> of VNC is not supported by this driver",
                  listen ? listen_type_to_string(listen->type) : "none");
    return NULL;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Graphics *graphics = device;
    const Audio *audio = live->devices->audios->len ? g_ptr_array_index(live->devices->audios, 0) : NULL;
    guint32 audio_id = graphics->audio ? graphics->audio->id : audio ? audio->id : UNSET32;
    GString *text;

    if (graphics->type != GRAPHICS_TYPE_VNC)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "<graphics type='%s'> is not supported by this driver", graphics_type_to_string(graphics->type));
    text = listen_text(graphics, error);
    if (!text)
        return FALSE;
    if (graphics->websocket != (gint32)UNSET32)
        g_string_append_printf(text, ",websocket=%d", graphics->websocket == WEBSOCKET_FREE ? -1 : graphics->websocket);
    if (graphics->share_policy != VNC_SHARE_POLICY_UNSET)
        g_string_append_printf(text, ",share=%s", vnc_share_policy_to_string(graphics->share_policy));
    if (graphics->power_control != TOGGLE_UNSET)
        g_string_append_printf(text, ",power-control=%s", toggle_words(graphics->power_control));
    if (graphics->passwd)
        g_string_append(text, ",password=on");
    if (audio_id != UNSET32)
        g_string_append_printf(text, ",audiodev=audio%u", audio_id);
    parts_add_option(parts, "-vnc", g_string_free(text, FALSE));
    if (graphics->keymap)
        parts_add_option(parts, "-k", g_strdup(graphics->keymap));
    return TRUE;
}

const DeviceKind device_graphics = {
    .name = "graphics", .offset = offsetof(Devices, graphics), .alias = -1, .address = -1,
    .validate = validate, .prepare = prepare, .release = release, .build = build,
};
