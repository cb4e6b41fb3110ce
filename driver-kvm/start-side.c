/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The processes that a guest needs beside QEMU. */
#include "driver-kvm/start-private.h"

#include "driver-kvm/tpm.h"
#include "driver-kvm/virtiofs.h"

static gboolean start_tpm(Start *start, const Tpm *tpm, GError **error)
{
    int fd;

    if (tpm->backend->type != TPM_BACKEND_TYPE_EMULATOR)
        return TRUE;
    if (!tpm_start(start->guest, tpm, start->options->restore_fd >= 0, &fd, error))
        return FALSE;
    argv_context_pass(start->context, fd, tpm->alias->name);
    return TRUE;
}

static gboolean start_filesystem(Guest *guest, const Filesystem *filesystem, GError **error)
{
    gboolean ours = filesystem->driver && filesystem->driver->type == FILESYSTEM_DRIVER_TYPE_VIRTIOFS &&
                    !filesystem->source->socket;

    return !ours || virtiofs_start(guest, filesystem, error);
}

gboolean start_side_device(Guest *guest, const DomainDevice *device, GError **error)
{
    return device->type != &filesystem_type || start_filesystem(guest, device->device, error);
}

gboolean start_sides(Start *start, GError **error)
{
    const Devices *devices = start->live->devices;

    for (guint i = 0; i < devices->tpms->len; i++)
        if (!start_tpm(start, g_ptr_array_index(devices->tpms, i), error))
            return FALSE;
    for (guint i = 0; i < devices->filesystems->len; i++)
        if (!start_filesystem(start->guest, g_ptr_array_index(devices->filesystems, i), error))
            return FALSE;
    return TRUE;
}
