/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/resize.h"

#include "driver-xen/guest.h"
#include "driver-xen/xen.h"
#include "lib/error.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-plug.h"

static gboolean edit_memory(Domain *live, gpointer data, GError **error)
{
    live->current_memory = *(const guint64 *)data;
    return TRUE;
}

static gboolean resize_memory(gpointer self, Vm *vm, guint64 kib, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);

    if (!guest)
        return FALSE;
    if (libxl_set_memory_target(context->libxl, guest->domid, (int64_t)kib, 0, 1) != 0)
        return context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "Failed to set memory for domain '%u' with libxenlight",
                              guest->domid);
    return xen->host->edit_live(vm, edit_memory, &kib, error);
}

typedef struct {
    guint id;
    gboolean in;
} Plug;

static gboolean edit_vcpu(Domain *live, gpointer data, GError **error)
{
    const Plug *plug = data;

    domain_plug_vcpu(live, plug->id, plug->in, TRUE);
    return TRUE;
}

static gboolean set_online(Context *context, guint32 domid, const Domain *live, const Plug *plug, GError **error)
{
    guint max = domain_max_vcpus(live);
    libxl_bitmap online;

    libxl_bitmap_init(&online);
    if (libxl_cpu_bitmap_alloc(context->libxl, &online, (int)max) != 0)
        return context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "libxenlight has no room for a set of processors");
    for (guint i = 0; i < max; i++)
        if (i == plug->id ? plug->in : domain_vcpu_enabled(live, i))
            libxl_bitmap_set(&online, (int)i);
    int rc = libxl_set_vcpuonline(context->libxl, domid, &online, context_how(context));
    rc = context_wait(context, rc, g_get_monotonic_time() + XEN_DEADLINE);
    libxl_bitmap_dispose(&online);
    return rc == 0 || context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "Failed to set vcpus for domain '%u' with libxenlight", domid);
}

static gboolean resize_plug_vcpu(gpointer self, Vm *vm, guint id, gboolean in, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);
    g_autoptr(VmView) view = xen->host->view(vm);
    Plug plug = {id, in};

    return guest && view->live && set_online(context, guest->domid, view->live, &plug, error) &&
           xen->host->edit_live(vm, edit_vcpu, &plug, error);
}

const DriverResizeOps resize_ops = {.set_memory = resize_memory, .plug_vcpu = resize_plug_vcpu};
