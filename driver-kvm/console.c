/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's side of a guest's serial port, console or channel. */
#include "driver-kvm/guest.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/terminal.h"

static const Chardev *find(const Domain *live, const char *alias)
{
    const GPtrArray *lists[] = {live->devices->serials, live->devices->consoles, live->devices->channels,
                                live->devices->parallels};

    for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
        for (guint k = 0; k < lists[i]->len; k++) {
            const Chardev *device = lists[i]->pdata[k];
            if (device->alias && g_strcmp0(device->alias->name, alias) == 0)
                return device;
        }
    return NULL;
}

static int open_socket(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "socket path '%s' is too long", path);
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    error_set_errno(error, VIR_FROM_QEMU, errno, "cannot connect to '%s'", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static int console_open(gpointer self, Vm *vm, const char *alias, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;

    if (!live)
        return -1;
    const Chardev *device = find(live, alias);
    const char *path = device && device->source ? device->source->path : NULL;
    if (path && device->type == CHARDEV_TYPE_PTY)
        return terminal_open(path, error);
    if (path && device->type == CHARDEV_TYPE_UNIX)
        return open_socket(path, error);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "character device %s is not using a PTY", alias);
    return -1;
}

const DriverChardevOps kvm_chardev_ops = {
    .open = console_open,
};
