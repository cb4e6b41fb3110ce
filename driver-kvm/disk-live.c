/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/disk-live.h"

#include <string.h>

#include "driver-kvm/block.h"
#include "driver-kvm/qmp-commands.h"
#include "lib/error.h"
#include "lib/json-peek.h"
#include "lib/model/domain-disk.h"

#define SECTOR 512 /* what QEMU's own formats count in */

gboolean disk_resize(gpointer self, Vm *vm, const char *target, guint64 size, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;
    const Disk *disk = live ? domain_disk_find(live, target) : NULL;
    g_autoptr(Qmp) qmp = disk ? guest_qmp(guest, error) : NULL;

    if (!qmp)
        return FALSE;
    if (!block_has_medium(disk))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "can't resize empty or readonly disk '%s'", target);
    g_autofree char *node = block_format_node(disk);
    if (disk->driver->type == STORAGE_FORMAT_QCOW2 && size % SECTOR && size <= G_MAXINT64 - SECTOR)
        size += SECTOR - size % SECTOR;
    if (size > G_MAXINT64)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OVERFLOW, "size must be less than %" G_GUINT64_FORMAT, (guint64)G_MAXINT64);
    return qmp_do(qmp, "block_resize", qmp_args("s:node-name", node, "i:size", (gint64)size, NULL), QMP_DEADLINE, error);
}

static gboolean edit_threshold(Domain *live, gpointer data, GError **error)
{
    const char *name = data;
    DiskImage image;

    if (!domain_disk_image(live, name, &image, error))
        return FALSE;
    ((DiskSource *)image.source)->threshold_by_index = strchr(name, '[') ? TOGGLE_ON : TOGGLE_UNSET;
    return TRUE;
}

gboolean disk_threshold(gpointer self, Vm *vm, const char *name, guint64 offset, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;
    g_autoptr(Qmp) qmp = live ? guest_qmp(guest, error) : NULL;
    DiskImage image;

    if (!qmp || !domain_disk_image(live, name, &image, error))
        return FALSE;
    if (!image.source)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "disk '%s' has no medium", name);
    g_autofree char *node = block_storage_node(image.index);
    return qmp_do(qmp, "block-set-write-threshold", qmp_args("s:node-name", node, "i:write-threshold", (gint64)offset, NULL),
                  QMP_DEADLINE, error) &&
           guest_edit(guest, edit_threshold, (gpointer)name, error);
}

static void clear_error(gpointer data)
{
    g_free(((DriverDiskError *)data)->target);
}

/* QEMU tells of a drive by the path of its device, or of the part of it that has the image. */
static gboolean is_of(const char *qdev, const Disk *disk)
{
    g_auto(GStrv) parts = qdev && disk->alias ? g_strsplit(qdev, "/", -1) : NULL;

    return parts && g_strv_contains((const char *const *)parts, disk->alias->name);
}

static void note(const Domain *live, JsonObject *drive, GArray *errors)
{
    const char *status = json_peek_string(drive, "io-status"), *qdev = json_peek_string(drive, "qdev");
    int error = g_strcmp0(status, "failed") == 0    ? VIR_DOMAIN_DISK_ERROR_UNSPEC
                : g_strcmp0(status, "nospace") == 0 ? VIR_DOMAIN_DISK_ERROR_NO_SPACE
                                                    : VIR_DOMAIN_DISK_ERROR_NONE;

    for (guint i = 0; i < live->devices->disks->len && error; i++) {
        const Disk *disk = live->devices->disks->pdata[i];
        if (is_of(qdev, disk)) {
            DriverDiskError one = {g_strdup(disk->target->dev), error};
            g_array_append_val(errors, one);
            return;
        }
    }
}

gboolean disk_errors(gpointer self, Vm *vm, gint64 budget, GArray **ret_errors, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;
    g_autoptr(JsonNode) answer = qmp ? qmp_call(qmp, "query-block", NULL, (guint64)budget, error) : NULL;
    JsonArray *drives = answer ? json_peek_as_array(answer) : NULL;

    if (!answer)
        return FALSE;
    *ret_errors = g_array_new(FALSE, FALSE, sizeof(DriverDiskError));
    g_array_set_clear_func(*ret_errors, clear_error);
    for (guint i = 0; i < json_peek_length(drives); i++)
        note(live, json_peek_object_at(drives, i), *ret_errors);
    return TRUE;
}
