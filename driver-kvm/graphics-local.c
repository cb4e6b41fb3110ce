/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Displays that are no servers on the network: on a D-Bus, on no screen at all (for OpenGL), on a screen of the host. */
#include "driver-kvm/graphics.h"

#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

static gboolean wants_gl(const Graphics *graphics)
{
    return graphics->gl && graphics->gl->enable == TOGGLE_ON;
}

static void add_node(GString *text, const GraphicsGl *gl)
{
    g_autofree char *node = gl && gl->rendernode ? part_escape(gl->rendernode) : NULL;

    if (node)
        g_string_append_printf(text, ",rendernode=%s", node);
}

static gboolean prepare_dbus(Domain *live, Graphics *graphics, ArgvContext *context, GError **error)
{
    return !wants_gl(graphics) || graphics_settle_gl(graphics->gl, context, error);
}

static gboolean build_dbus(const Domain *live, const Graphics *graphics, ArgvContext *context, GPtrArray *parts, GError **error)
{
    g_autofree char *address = part_escape(graphics->address ? graphics->address : "");
    GString *text;

    if (graphics->p2p != TOGGLE_ON && !graphics->address)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "<graphics type='dbus'> with a bus of its own is not supported by this driver; give p2p='yes' or an "
                         "address");
    text = g_string_new("dbus");
    if (graphics->p2p == TOGGLE_ON)
        g_string_append(text, ",p2p=on");
    else
        g_string_append_printf(text, ",addr=%s", address);
    if (wants_gl(graphics)) {
        g_string_append(text, ",gl=on");
        add_node(text, graphics->gl);
    }
    if (graphics->audio)
        g_string_append_printf(text, ",audiodev=audio%u", graphics->audio->id);
    parts_add_option(parts, "-display", g_string_free(text, FALSE));
    return TRUE;
}

static gboolean prepare_egl(Domain *live, Graphics *graphics, ArgvContext *context, GError **error)
{
    if (!graphics->gl)
        graphics->gl = graphics_gl_new();
    return graphics_settle_gl(graphics->gl, context, error);
}

static gboolean build_egl(const Domain *live, const Graphics *graphics, ArgvContext *context, GPtrArray *parts, GError **error)
{
    GString *text = g_string_new("egl-headless");

    add_node(text, graphics->gl);
    parts_add_option(parts, "-display", g_string_free(text, FALSE));
    return TRUE;
}

static void add_environment(ArgvContext *context, const char *name, const char *value)
{
    if (value)
        g_ptr_array_add(context->environment, g_strdup_printf("%s=%s", name, value));
}

static gboolean build_sdl(const Domain *live, const Graphics *graphics, ArgvContext *context, GPtrArray *parts, GError **error)
{
    GString *text = g_string_new("sdl");

    add_environment(context, "XAUTHORITY", graphics->xauth);
    add_environment(context, "DISPLAY", graphics->display);
    if (graphics->fullscreen == TOGGLE_ON)
        parts_add_option(parts, "-full-screen", NULL);
    if (graphics->gl)
        g_string_append_printf(text, ",gl=%s", toggle_words(graphics->gl->enable));
    parts_add_option(parts, "-display", g_string_free(text, FALSE));
    return TRUE;
}

const GraphicsServer graphics_dbus = {.type = GRAPHICS_TYPE_DBUS, .prepare = prepare_dbus, .build = build_dbus};
const GraphicsServer graphics_egl = {.type = GRAPHICS_TYPE_EGL_HEADLESS, .prepare = prepare_egl, .build = build_egl};
const GraphicsServer graphics_sdl = {.type = GRAPHICS_TYPE_SDL, .build = build_sdl};
