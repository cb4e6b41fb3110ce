/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/fd-groups.h"

#include "driver-kvm/part.h"
#include "lib/error.h"

static char *key_of(const Disk *disk, guint index)
{
    return g_strdup_printf("%s/%u", disk->target->dev, index);
}

static int number_of(const ArgvContext *context, const Disk *disk, guint index)
{
    g_autofree char *key = key_of(disk, index);

    return argv_context_passed(context, key);
}

gboolean fd_groups_pass(const Kvm *kvm, Vm *vm, const Domain *live, ArgvContext *context, GError **error)
{
    for (guint i = 0; i < live->devices->disks->len; i++) {
        const Disk *disk = live->devices->disks->pdata[i];
        const char *name = disk->source ? disk->source->fdgroup : NULL;
        guint n = 0;

        if (!name)
            continue;
        g_autofree int *fds = vm ? kvm->host->fd_group(vm, name, &n) : NULL;
        if (!fds)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                             "file descriptor group '%s' was not associated with the domain", name);
        for (guint k = 0; k < n; k++) {
            g_autofree char *key = key_of(disk, k);
            argv_context_pass(context, fds[k], key);
        }
    }
    return TRUE;
}

int fd_groups_first(const ArgvContext *context, const Disk *disk)
{
    int number = number_of(context, disk, 0);

    return number < 0 ? -1 : g_array_index(context->fds, ArgvFd, number - context->first_fd).fd;
}

guint fd_groups_set(const DiskSource *source)
{
    return source->index - 1;
}

void fd_groups_build(const Domain *live, const ArgvContext *context, GPtrArray *parts)
{
    for (guint i = 0; i < live->devices->disks->len; i++) {
        const Disk *disk = live->devices->disks->pdata[i];
        int number;

        for (guint k = 0; disk->source && disk->source->fdgroup && (number = number_of(context, disk, k)) >= 0; k++)
            parts_add_option(parts, "-add-fd", g_strdup_printf("set=%u,fd=%d,opaque=libvirt-%u-storage%u", fd_groups_set(disk->source),
                                                               number, disk->source->index, k));
    }
}
