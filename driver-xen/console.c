/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/console.h"

#include "driver-xen/xen.h"
#include "lib/error.h"
#include "lib/terminal.h"

static const Chardev *find(const Domain *live, const char *alias)
{
    const GPtrArray *lists[] = {live->devices->serials, live->devices->consoles};

    for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
        for (guint k = 0; k < lists[i]->len; k++) {
            const Chardev *device = lists[i]->pdata[k];

            if (device->alias && g_strcmp0(device->alias->name, alias) == 0)
                return device;
        }
    return NULL;
}

static int console_open(gpointer self, Vm *vm, const char *alias, GError **error)
{
    Xen *xen = self;
    g_autoptr(VmView) view = xen->host->view(vm);
    const Chardev *device = view->live ? find(view->live, alias) : NULL;

    if (device && device->type == CHARDEV_TYPE_PTY && device->source && device->source->path)
        return terminal_open(device->source->path, error);
    error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "character device %s is not using a PTY", alias);
    return -1;
}

const DriverChardevOps chardev_ops = {.open = console_open};
