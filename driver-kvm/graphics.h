/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Ways to reach a display, one file each (graphics-TYPE.c), and what they share (graphics.c). Rows for device-graphics.c. */
#include "driver-kvm/argv.h"
#include "driver-kvm/caps.h"

typedef struct {
    GraphicsType type;
    /* Any slot but `build` may be NULL. */
    gboolean (*validate)(const Graphics *graphics, GError **error);
    gboolean (*prepare)(Domain *live, Graphics *graphics, ArgvContext *context, GError **error);
    void (*release)(const Graphics *graphics);
    gboolean (*build)(const Domain *live, const Graphics *graphics, ArgvContext *context, GPtrArray *parts, GError **error);
} GraphicsServer;

extern const GraphicsServer graphics_vnc, graphics_spice, graphics_dbus, graphics_egl, graphics_sdl;

GraphicsListen *graphics_listen(const Graphics *graphics); /* the first; NULL: none */

/* Where no address or path was given: the one of CONFIGURED (NULL: 127.0.0.1), or a socket NAME in the run's folder. Both are
 * removed from definitions. */
void graphics_settle_listen(Graphics *graphics, const char *configured, const char *name, const ArgvContext *context);
void graphics_remove_socket(const Graphics *graphics); /* if it is one of ours */

/* A free port that no display of LIVE asks for by number. */
gboolean graphics_take_port(const Domain *live, const char *what, guint first, ArgvContext *context, gint32 *ret_port,
                            GError **error);

/* The password, to be told once QEMU answers; by the monitor, since a command line can be read by all. */
void graphics_set_password(const Graphics *graphics, const char *protocol, ArgvContext *context);

/* Number of the audio back end whose sound goes with the display; UNSET32: none. */
guint32 graphics_audio(const Domain *live, const Graphics *graphics);

/* OpenGL is on: GL names a render node that is there; the first of the host where it names none. */
gboolean graphics_settle_gl(GraphicsGl *gl, const ArgvContext *context, GError **error);
