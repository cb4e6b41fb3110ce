/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: a look into a disk, its size, when to tell of how much was written, whether it is in error. */
#include <errno.h>
#include <fcntl.h>

#include "daemon/core/record.h"
#include "daemon/core/vm-ops.h"
#include "lib/error.h"
#include "lib/model/domain-disk.h"
#include "lib/patient.h"

#define PEEK_BUDGET (5 * G_USEC_PER_SEC)
#define ERRORS_BUDGET (5 * G_USEC_PER_SEC)

/* --- a look --- */

static gboolean check_peek(const Disk *disk, GError **error)
{
    StorageFormat format = disk->driver ? disk->driver->type : STORAGE_FORMAT_UNSET;
    StorageType type = disk_image(disk).type;

    if (disk->type == STORAGE_TYPE_VHOSTUSER)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "peeking is not supported for vhostuser disk");
    if (format != STORAGE_FORMAT_RAW)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED,
                         "peeking is only supported for disk with 'raw' format not '%s'",
                         format ? storage_format_to_string(format) : "none");
    if (disk->source && disk->source->fdgroup)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "peeking is not supported for FD passed images");
    return type == STORAGE_TYPE_FILE || type == STORAGE_TYPE_BLOCK ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "storage file reading is not supported for storage type %s",
                     storage_type_to_string(type));
}

/* The image may lie where nobody answers. */
static gboolean read_part(const char *path, guint64 offset, gsize size, guint8 *ret_octets, gsize *ret_length, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + PEEK_BUDGET;
    int fd = patient_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, deadline);
    gboolean done = fd >= 0 && patient_read(fd, ret_octets, size, (gint64)offset, ret_length, deadline);
    int why = errno;

    if (fd >= 0)
        patient_close(fd);
    return done || error_set_errno(error, VIR_FROM_STORAGE, why, "cannot read header '%s'", path);
}

gboolean remote_domain_block_peek(Call *call, const RemoteDomainBlockPeekArgs *args, RemoteDomainBlockPeekRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    const Disk *disk = view ? domain_disk_find(vm_view_def(view), args->path) : NULL;
    gsize length = 0;

    if (!view)
        return FALSE;
    if (!disk)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "disk '%s' not found in domain", args->path);
    if (args->size == 0 || args->size > REMOTE_DOMAIN_BLOCK_PEEK_BUFFER_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "%u octets are none, or more than %u", args->size,
                         (guint)REMOTE_DOMAIN_BLOCK_PEEK_BUFFER_MAX);
    if (!check_peek(disk, error))
        return FALSE;
    g_autofree guint8 *octets = g_malloc(args->size);
    if (args->offset <= G_MAXINT64 && !read_part(disk_path(disk), args->offset, args->size, octets, &length, error))
        return FALSE;
    if (length < args->size)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                         "'%s' starting from %" G_GUINT64_FORMAT " has only %" G_GSIZE_FORMAT " bytes available", args->path,
                         args->offset, length);
    ret->buffer = g_steal_pointer(&octets);
    ret->n_buffer = args->size;
    return TRUE;
}

/* --- its size --- */

gboolean remote_domain_block_resize(Call *call, const RemoteDomainBlockResizeArgs *args, GError **error)
{
    const guint64 highest = G_MAXUINT64 / 1024;
    Vm *vm = call->vm;
    const DriverDeviceOps *ops = vm->instance->driver->device;
    g_autoptr(VmView) view = vm_view(vm);
    gboolean octets = (args->flags & VIR_DOMAIN_BLOCK_RESIZE_BYTES) != 0;

    if (!octets && args->size > highest)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OVERFLOW, "size must be less than %" G_GUINT64_FORMAT, highest);
    if (!vm_check_active(vm, error))
        return FALSE;
    const Disk *disk = domain_disk_find(view->live, args->disk);
    if (!disk)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "disk '%s' was not found in the domain config", args->disk);
    if (!disk->source || disk->readonly)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "can't resize empty or readonly disk '%s'",
                         disk->target->dev);
    if (!ops || !ops->resize)
        return ops_not_offered(call, error);
    return vm_check_monitor(vm, error) &&
           ops->resize(vm->instance->self, vm, disk->target->dev, octets ? args->size : args->size * 1024, error);
}

/* --- what was written --- */

gboolean remote_domain_set_block_threshold(Call *call, const RemoteDomainSetBlockThresholdArgs *args, GError **error)
{
    Vm *vm = call->vm;
    const DriverDeviceOps *ops = vm->instance->driver->device;
    g_autoptr(VmView) view = vm_view(vm);
    DiskImage image;

    if (!vm_check_active(vm, error) || !domain_disk_image(view->live, args->dev, &image, error))
        return FALSE;
    if (image.type == STORAGE_TYPE_VHOSTUSER)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED,
                         "setting device threshold is not supported for vhostuser disk");
    if (!ops || !ops->set_threshold)
        return ops_not_offered(call, error);
    return vm_check_monitor(vm, error) && ops->set_threshold(vm->instance->self, vm, args->dev, args->threshold, error) &&
           record_save(vm, error);
}

/* --- errors --- */

gboolean remote_domain_get_disk_errors(Call *call, const RemoteDomainGetDiskErrorsArgs *args, RemoteDomainGetDiskErrorsRet *ret,
                                       GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    const DriverDeviceOps *ops = vm ? vm->instance->driver->device : NULL;
    g_autoptr(GArray) found = NULL;

    if (!vm || !vm_check_active(vm, error))
        return FALSE;
    ret->nerrors = (gint32)view->live->devices->disks->len;
    if (args->maxerrors == 0)
        return TRUE;
    if (!ops || !ops->disk_errors)
        return ops_not_offered(call, error);
    if (!vm_check_monitor(vm, error) || !ops->disk_errors(vm->instance->self, vm, ERRORS_BUDGET, &found, error))
        return FALSE;
    ret->n_errors = MIN(found->len, args->maxerrors);
    ret->errors = g_new0(RemoteDomainDiskError, ret->n_errors);
    for (guint i = 0; i < ret->n_errors; i++) {
        const DriverDiskError *one = &g_array_index(found, DriverDiskError, i);
        ret->errors[i].disk = g_strdup(one->target);
        ret->errors[i].error = one->error;
    }
    ret->nerrors = (gint32)ret->n_errors;
    return TRUE;
}
