/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/screen.h"

#include "driver-xen/xen.h"
#include "lib/port.h"

static gboolean edit_ports(Domain *live, gpointer data, GError **error)
{
    for (guint i = 0; i < live->devices->graphics->len; i++) {
        Graphics *graphics = live->devices->graphics->pdata[i];
        guint port;

        if (graphics->type != GRAPHICS_TYPE_VNC || (graphics->autoport != TOGGLE_ON && graphics->port > 0))
            continue;
        if (!port_reserve("VNC", PORT_VNC_FIRST, PORT_LAST, data, &port, error))
            return FALSE;
        graphics->port = (gint32)port;
    }
    return TRUE;
}

gboolean screen_take_ports(Xen *xen, Vm *vm, GArray *fds, GError **error)
{
    return xen->host->edit_live(vm, edit_ports, fds, error);
}
