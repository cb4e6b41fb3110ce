/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/graphics.h"

#include <string.h>

#include "driver-kvm/part.h"
#include "lib/port.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

#define PASSWORD_MAX 8   /* VNC's own limit */
#define WEBSOCKET_FREE 0 /* a port that is free, to be found when the domain starts */

static gboolean validate(const Graphics *graphics, GError **error)
{
    if (graphics->passwd && strlen(graphics->passwd) > PASSWORD_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "VNC password is %zu characters long, only 8 permitted", strlen(graphics->passwd));
    if (graphics->connected != PASSWORD_CONNECTED_UNSET && graphics->connected != PASSWORD_CONNECTED_KEEP)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "VNC supports connected='keep' only");
    return graphics->listens->len < 2 ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "multiple listens are not supported for VNC");
}

static gboolean prepare(Domain *live, Graphics *graphics, ArgvContext *context, GError **error)
{
    GraphicsListen *listen = graphics_listen(graphics);

    if (!listen)
        return TRUE;
    graphics_set_password(graphics, "vnc", context);
    graphics_settle_listen(graphics, context->vnc_listen, "vnc.sock", context);
    if (listen->type == LISTEN_TYPE_SOCKET)
        return TRUE;
    if (graphics->autoport == TOGGLE_ON &&
        !graphics_take_port(live, "VNC", PORT_VNC_FIRST, context, &graphics->port, error))
        return FALSE;
    if (graphics->websocket != WEBSOCKET_FREE || !context->touch_host)
        return TRUE;
    graphics->websocket_generated = TOGGLE_ON;
    return graphics_take_port(live, "VNC WebSocket", PORT_WEBSOCKET_FIRST, context, &graphics->websocket, error);
}

/* Where the server listens, as QEMU wants it; NULL with ERROR. */
static GString *listen_text(const Graphics *graphics, GError **error)
{
    const GraphicsListen *listen = graphics_listen(graphics);
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

static gboolean build(const Domain *live, const Graphics *graphics, ArgvContext *context, GPtrArray *parts, GError **error)
{
    guint32 audio = graphics_audio(live, graphics);
    GString *text = listen_text(graphics, error);

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
    if (audio != UNSET32)
        g_string_append_printf(text, ",audiodev=audio%u", audio);
    parts_add_option(parts, "-vnc", g_string_free(text, FALSE));
    if (graphics->keymap)
        parts_add_option(parts, "-k", g_strdup(graphics->keymap));
    return TRUE;
}

const GraphicsServer graphics_vnc = {
    .type = GRAPHICS_TYPE_VNC, .validate = validate, .prepare = prepare, .release = graphics_remove_socket, .build = build,
};
