/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The size of a running guest: its memory, by its balloon, and its processors. */
#include "driver-kvm/guest.h"

#include "driver-kvm/qmp-commands.h"
#include "driver-kvm/vcpu-plug.h"
#include "lib/error.h"
#include "lib/model/domain-resize.h"

/* QEMU's path of the balloon, to free. NULL with VIR_ERR_CONFIG_UNSUPPORTED. */
static char *balloon_path(Guest *guest, GError **error)
{
    g_autoptr(Domain) live = guest_live(guest);
    const Memballoon *balloon = live->devices->memballoon;

    if (balloon && balloon->model != MEMBALLOON_MODEL_NONE && balloon->alias)
        return g_strconcat("/machine/peripheral/", balloon->alias->name, NULL);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
              "Unable to change memory of active domain without the balloon device and guest OS balloon driver");
    return NULL;
}

/* The guest is asked, and does it when it likes; BALLOON_CHANGE tells how far it has got. */
static gboolean resize_set_memory(gpointer self, Vm *vm, guint64 kib, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autofree char *path = guest ? balloon_path(guest, error) : NULL;
    g_autoptr(Qmp) qmp = path ? guest_qmp(guest, error) : NULL;

    return qmp && qmp_balloon(qmp, kib * 1024, error);
}

static gboolean edit_period(Domain *live, gpointer data, GError **error)
{
    domain_set_stats_period(live, *(const int *)data);
    return TRUE;
}

static gboolean resize_set_stats_period(gpointer self, Vm *vm, int seconds, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autofree char *path = guest ? balloon_path(guest, error) : NULL;
    g_autoptr(Qmp) qmp = path ? guest_qmp(guest, error) : NULL;

    return qmp && qmp_qom_set_int(qmp, path, "guest-stats-polling-interval", seconds, error) &&
           guest_edit(guest, edit_period, &seconds, error);
}

const DriverResizeOps kvm_resize_ops = {
    .set_memory = resize_set_memory,
    .set_stats_period = resize_set_stats_period,
    .plug_vcpu = vcpu_plug,
};
