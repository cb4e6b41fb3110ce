/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hypervisor's own stream (libxl's second version of it). The guest's kernel takes part: it is told to suspend itself, and
 * stays like that until it is destroyed or told to go on.
 */
#include "driver-xen/save.h"

#include <syslog.h>

#include "driver-xen/guest.h"
#include "driver-xen/xen.h"
#include "lib/error.h"

#define SAVE_DEADLINE (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

/* Who wants it to end may ask for that from now on; NULL: there is nothing to end any more. */
static void set_saver(Guest *guest, Context *context)
{
    g_mutex_lock(&guest->xen->lock);
    guest->saver = context;
    g_mutex_unlock(&guest->xen->lock);
}

/* After a save that failed. */
static void go_on(Guest *guest)
{
    const DriverHost *host = guest->xen->host;
    g_autoptr(GError) error = NULL;
    g_autoptr(Context) context = context_new(host, &error);

    if (!context || (guest_is_suspended(context, guest->domid) && !guest_unpause(context, guest->domid, &error)))
        host->log(guest->vm, LOG_ERR, error->message);
}

static gboolean save(gpointer self, Vm *vm, int fd, const char *path, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);

    if (!guest)
        return FALSE;
    int rc = libxl_domain_suspend(context->libxl, guest->domid, fd, 0, context_how(context));
    if (rc == 0)
        set_saver(guest, context);
    if (xen->host->aborted(vm))
        libxl_ao_abort(context->libxl, &context->how);
    rc = context_wait(context, rc, g_get_monotonic_time() + SAVE_DEADLINE);
    set_saver(guest, NULL);
    if (rc != 0)
        go_on(guest);
    if (rc != 0)
        return context_failed(context, rc == ERROR_ABORTED ? VIR_ERR_OPERATION_ABORTED : VIR_ERR_INTERNAL_ERROR, error,
                              "Failed to save domain '%u' with libxenlight", guest->domid);
    xen->host->set_state(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE);
    return TRUE;
}

static gboolean save_abort(gpointer self, Vm *vm, GError **error)
{
    Xen *xen = self;
    g_autoptr(Guest) guest = guest_of(xen, vm);

    if (!guest)
        return TRUE;
    g_mutex_lock(&xen->lock);
    if (guest->saver)
        libxl_ao_abort(guest->saver->libxl, &guest->saver->how);
    g_mutex_unlock(&xen->lock);
    return TRUE;
}

const DriverSaveOps save_ops = {.save = save, .abort = save_abort};
