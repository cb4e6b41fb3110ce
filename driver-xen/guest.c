/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/guest.h"

#include <string.h>

#include "driver-xen/xen.h"
#include "lib/error.h"
#include "lib/uuid.h"

Guest *guest_new(Xen *xen, Vm *vm, guint32 domid)
{
    Guest *guest = g_new0(Guest, 1);

    g_atomic_ref_count_init(&guest->refs);
    guest->xen = xen;
    guest->vm = xen->host->ref(vm);
    guest->domid = domid;
    guest->model = -1;
    return guest;
}

Guest *guest_ref(Guest *guest)
{
    g_atomic_ref_count_inc(&guest->refs);
    return guest;
}

void guest_unref(Guest *guest)
{
    if (!guest || !g_atomic_ref_count_dec(&guest->refs))
        return;
    guest->xen->host->unref(guest->vm);
    g_free(guest);
}

Guest *guest_of(Xen *xen, Vm *vm)
{
    g_mutex_lock(&xen->lock);
    Guest *guest = xen->host->get_private(vm);
    if (guest)
        guest_ref(guest);
    g_mutex_unlock(&xen->lock);
    return guest;
}

Guest *guest_need(Xen *xen, Vm *vm, Context **ret_context, GError **error)
{
    g_autoptr(Guest) guest = guest_of(xen, vm);

    if (!guest) {
        error_set(error, VIR_FROM_LIBXL, VIR_ERR_OPERATION_INVALID, "domain is not running");
        return NULL;
    }
    Context *context = context_new(xen->host, error);
    if (!context)
        return NULL;
    *ret_context = context;
    return g_steal_pointer(&guest);
}

gboolean guest_find(Context *context, Vm *vm, guint32 *ret_domid, GError **error)
{
    guint8 wanted[UUID_BYTES];
    gboolean found = FALSE;
    int n = 0;

    if (!uuid_parse(context->host->uuid(vm), wanted))
        return FALSE;
    libxl_dominfo *list = libxl_list_domain(context->libxl, &n);
    if (!list)
        return context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "libxenlight cannot list its domains");
    for (int i = 0; i < n; i++)
        if (memcmp(libxl_uuid_bytearray(&list[i].uuid), wanted, sizeof wanted) == 0 && !list[i].dying) {
            *ret_domid = list[i].domid;
            found = TRUE;
        }
    libxl_dominfo_list_free(list, n);
    return found;
}

gboolean guest_destroy(Context *context, guint32 domid, GError **error)
{
    int rc = libxl_domain_destroy(context->libxl, domid, context_how(context));

    rc = context_wait(context, rc, g_get_monotonic_time() + XEN_DEADLINE);
    return rc == 0 || rc == ERROR_DOMAIN_NOTFOUND ||
           context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "Failed to destroy domain '%u'", domid);
}

gboolean guest_is_suspended(Context *context, guint32 domid)
{
    libxl_dominfo info;

    libxl_dominfo_init(&info);
    gboolean suspended = libxl_domain_info(context->libxl, &info, domid) == 0 && info.shutdown &&
                         info.shutdown_reason == LIBXL_SHUTDOWN_REASON_SUSPEND;
    libxl_dominfo_dispose(&info);
    return suspended;
}

gboolean guest_unpause(Context *context, guint32 domid, GError **error)
{
    int rc = guest_is_suspended(context, domid) ? libxl_domain_resume(context->libxl, domid, 1, context_how(context))
                                          : libxl_domain_unpause(context->libxl, domid, context_how(context));

    return context_wait(context, rc, g_get_monotonic_time() + XEN_DEADLINE) == 0 ||
           context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "Failed to unpause domain '%u'", domid);
}
