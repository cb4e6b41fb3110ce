/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/graphics.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/port.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/patient.h"

#define RENDER_NODES "/dev/dri"

GraphicsListen *graphics_listen(const Graphics *graphics)
{
    return graphics->listens->len ? g_ptr_array_index(graphics->listens, 0) : NULL;
}

void graphics_settle_listen(Graphics *graphics, const char *configured, const char *name, const ArgvContext *context)
{
    GraphicsListen *listen = graphics_listen(graphics);

    if (listen->type == LISTEN_TYPE_SOCKET && !listen->socket) {
        listen->socket = g_strdup_printf("%s/%s", context->private_dir, name);
        listen->auto_generated = TOGGLE_ON;
        if (graphics->type == GRAPHICS_TYPE_VNC) { /* older clients look for it there */
            g_free(graphics->socket);
            graphics->socket = g_strdup(listen->socket);
            graphics->socket_generated = TOGGLE_ON;
        }
    }
    if (listen->type == LISTEN_TYPE_ADDRESS && !listen->address) {
        listen->address = g_strdup(configured ? configured : "127.0.0.1");
        listen->from_config = TOGGLE_ON;
        g_free(graphics->listen);
        graphics->listen = g_strdup(listen->address);
    }
}

void graphics_remove_socket(const Graphics *graphics)
{
    const GraphicsListen *listen = graphics_listen(graphics);

    if (listen && listen->type == LISTEN_TYPE_SOCKET && listen->socket && listen->auto_generated == TOGGLE_ON)
        patient_unlink_socket(listen->socket, g_get_monotonic_time() + PATIENT_USEC);
}

static gboolean is_asked_for(const Domain *live, guint port)
{
    for (guint i = 0; i < live->devices->graphics->len; i++) {
        const Graphics *other = g_ptr_array_index(live->devices->graphics, i);

        if (other->autoport != TOGGLE_ON && (other->type == GRAPHICS_TYPE_VNC || other->type == GRAPHICS_TYPE_SPICE) &&
            other->port == (gint32)port)
            return TRUE;
    }
    return FALSE;
}

gboolean graphics_take_port(const Domain *live, const char *what, guint first, ArgvContext *context, gint32 *ret_port,
                            GError **error)
{
    guint port = first;

    while (is_asked_for(live, port))
        port++;
    while (context->touch_host) {
        if (!port_reserve(what, port, PORT_LAST, context->held, &port, error))
            return FALSE;
        if (!is_asked_for(live, port))
            break;
        port++;
    }
    *ret_port = (gint32)port;
    return TRUE;
}

void graphics_set_password(const Graphics *graphics, const char *protocol, ArgvContext *context)
{
    struct tm when = {0};
    JsonObject *password, *expiry;

    if (!graphics->passwd)
        return;
    password = props_new("protocol", protocol);
    props_string(password, "password", graphics->passwd);
    props_string(password, "connected", password_connected_to_string(graphics->connected));
    argv_context_command(context, "set_password", password);
    expiry = props_new("protocol", protocol);
    if (graphics->passwd_valid_to)
        strptime(graphics->passwd_valid_to, "%Y-%m-%dT%H:%M:%S", &when);
    if (!*graphics->passwd || (graphics->passwd_valid_to && timegm(&when) <= time(NULL)))
        props_string(expiry, "time", "now");
    else if (graphics->passwd_valid_to)
        props_format(expiry, "time", "%lld", (long long)timegm(&when));
    else
        props_string(expiry, "time", "never");
    argv_context_command(context, "expire_password", expiry);
}

guint32 graphics_audio(const Domain *live, const Graphics *graphics)
{
    const GPtrArray *audios = live->devices->audios;

    if (graphics->audio)
        return graphics->audio->id;
    return audios->len ? ((const Audio *)g_ptr_array_index(audios, 0))->id : UNSET32;
}

static char *first_render_node(GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(RENDER_NODES, 0, NULL);
    const char *name;

    if (!dir) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot open directory '%s'", RENDER_NODES);
        return NULL;
    }
    while ((name = g_dir_read_name(dir)))
        if (g_str_has_prefix(name, "renderD"))
            return g_build_filename(RENDER_NODES, name, NULL);
    error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "No DRM render nodes available");
    return NULL;
}

gboolean graphics_settle_gl(GraphicsGl *gl, const ArgvContext *context, GError **error)
{
    struct stat info;

    if (!context->touch_host)
        return TRUE;
    if (!gl->rendernode)
        gl->rendernode = first_render_node(error);
    if (!gl->rendernode)
        return FALSE;
    return patient_stat(gl->rendernode, &info, g_get_monotonic_time() + PATIENT_USEC) ||
           error_set_errno(error, VIR_FROM_CGROUP, errno, "Path '%s' is not accessible", gl->rendernode);
}
