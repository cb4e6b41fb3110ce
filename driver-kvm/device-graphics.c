/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Displays. Each way to reach one is a row of its own (graphics.h). */
#include "driver-kvm/device.h"
#include "driver-kvm/graphics.h"
#include "lib/error.h"

static const GraphicsServer *const servers[] = {&graphics_vnc, &graphics_spice, &graphics_dbus, &graphics_egl, &graphics_sdl};

static const GraphicsServer *server_of(const Graphics *graphics)
{
    for (gsize i = 0; i < G_N_ELEMENTS(servers); i++)
        if (servers[i]->type == graphics->type)
            return servers[i];
    return NULL;
}

/* QEMU says which kinds of display it was built with. */
static gboolean is_built_in(GraphicsType type, const Caps *caps)
{
    g_autofree char *path = g_strdup_printf("type/=%s", graphics_type_to_string(type));

    if (type == GRAPHICS_TYPE_VNC || type == GRAPHICS_TYPE_SPICE)
        return caps_has_command(caps, type == GRAPHICS_TYPE_VNC ? "query-vnc" : "query-spice");
    return caps_has_answer(caps, "query-display-options", path);
}

static gboolean has_headless(const Domain *def)
{
    for (guint i = 0; i < def->devices->graphics->len; i++)
        if (((const Graphics *)g_ptr_array_index(def->devices->graphics, i))->type == GRAPHICS_TYPE_EGL_HEADLESS)
            return TRUE;
    return FALSE;
}

/* One display draws with OpenGL; the one without a head draws for servers. */
static gboolean validate_beside_headless(const Graphics *graphics, GError **error)
{
    if (graphics->type == GRAPHICS_TYPE_SPICE && graphics->gl && graphics->gl->enable == TOGGLE_ON)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "multiple OpenGL displays are not supported by QEMU");
    return graphics->type == GRAPHICS_TYPE_VNC || graphics->type == GRAPHICS_TYPE_SPICE ||
           graphics->type == GRAPHICS_TYPE_EGL_HEADLESS ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "graphics type 'egl-headless' is only supported with one of: 'vnc', 'spice' graphics types");
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Graphics *graphics = device;
    const GraphicsServer *server = server_of(graphics);

    if (!server || !is_built_in(graphics->type, caps))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "%s graphics are not supported with this QEMU",
                         graphics_type_to_string(graphics->type));
    if (has_headless(def) && !validate_beside_headless(graphics, error))
        return FALSE;
    for (guint i = 0; i < graphics->listens->len; i++) {
        const GraphicsListen *listen = g_ptr_array_index(graphics->listens, i);

        if (listen->type == LISTEN_TYPE_NETWORK && !listen->network)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                             "'network' attribute is required for listen type 'network'");
    }
    return !server->validate || server->validate(graphics, error);
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    Graphics *graphics = device;
    const GraphicsServer *server = server_of(graphics);

    for (guint i = 0; i < live->devices->graphics->len && g_ptr_array_index(live->devices->graphics, i) != device; i++)
        if (((const Graphics *)g_ptr_array_index(live->devices->graphics, i))->type == graphics->type)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "only 1 graphics device of each type (sdl, vnc, spice, headless, dbus) is supported");
    return !server || !server->prepare || server->prepare(live, graphics, context, error);
}

static void release(const Domain *live, gconstpointer device)
{
    const GraphicsServer *server = server_of(device);

    if (server && server->release)
        server->release(device);
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Graphics *graphics = device;
    const GraphicsServer *server = server_of(graphics);

    if (!server)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "%s graphics are not supported with this QEMU",
                         graphics_type_to_string(graphics->type));
    return server->build(live, graphics, context, parts, error);
}

const DeviceKind device_graphics = {
    .name = "graphics", .offset = offsetof(Devices, graphics), .alias = -1, .address = -1,
    .validate = validate, .prepare = prepare, .release = release, .build = build,
};
