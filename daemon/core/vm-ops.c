/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/vm-ops.h"

#include <string.h>

#include "daemon/core/host.h"
#include "daemon/core/record.h"
#include "daemon/core/store.h"
#include "daemon/rpc/api.h"

#define KEPT_LARGE 16384 /* octets; some milliseconds */
#define IMPACT (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

gboolean ops_affect(Vm *vm, const VmView *view, guint flags, OpsAffect *ret_affect, GError **error)
{
    gboolean active = view->id >= 0;
    OpsAffect affect = {(flags & VIR_DOMAIN_AFFECT_LIVE) != 0, (flags & VIR_DOMAIN_AFFECT_CONFIG) != 0};
    if (!(flags & IMPACT))
        affect = (OpsAffect){active, !active};
    if (affect.live && !active)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not running");
    if (affect.config && !view->next)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                         "transient domains do not have any persistent config");
    *ret_affect = affect;
    return TRUE;
}

const Domain *ops_affected(Vm *vm, const VmView *view, guint flags, GError **error)
{
    OpsAffect affect = {FALSE, FALSE};
    if ((flags & IMPACT) == IMPACT) {
        error_set_plain(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "Flags '%s' and '%s' are mutually exclusive",
                        "VIR_DOMAIN_AFFECT_LIVE", "VIR_DOMAIN_AFFECT_CONFIG");
        return NULL;
    }
    if (!ops_affect(vm, view, flags, &affect, error))
        return NULL;
    return affect.live ? view->live : view->next;
}

static gboolean edit_next(Vm *vm, VmEdit edit, gpointer data, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Domain) next = domain_copy(view->next);
    if (!edit(next, data, error) || !store_save(vm, next, error))
        return FALSE;
    vm_publish_next(vm, g_steal_pointer(&next));
    return TRUE;
}

/* What cannot be kept is refused before anything has changed. */
static gboolean try_live(Vm *vm, VmEdit edit, gpointer data, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Domain) live = vm_check_active(vm, error) ? domain_copy(vm_view_def(view)) : NULL;
    return live && edit(live, data, error) && record_check(vm, live, error);
}

gboolean ops_edit(Vm *vm, OpsAffect affect, VmEdit edit, gpointer data, GError **error)
{
    if ((affect.live && !try_live(vm, edit, data, error)) || (affect.config && !edit_next(vm, edit, data, error)))
        return FALSE;
    return !affect.live || (host_edit_live(vm, edit, data, error) && record_save(vm, error));
}

static gsize kept(const Domain *def)
{
    return def && def->metadata ? strlen(def->metadata) : 0;
}

gboolean ops_defer(Call *call, const VmView *view)
{
    gsize octets = kept(view->live) + kept(view->next);
    return octets > KEPT_LARGE && call_defer(call, octets);
}

gboolean ops_not_offered(Call *call, GError **error)
{
    g_autofree char *name = api_name(call->proc);
    return error_set(error, api_domain(call->proc), VIR_ERR_NO_SUPPORT, "%s", name);
}

gboolean ops_reply_domain(Vm *vm, RemoteNonnullDomain *ret)
{
    call_domain(vm, ret);
    return TRUE;
}
