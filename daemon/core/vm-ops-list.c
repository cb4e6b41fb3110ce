/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: which domains there are. */
#include "daemon/core/registry.h"
#include "daemon/core/vm-ops.h"

/* A property that a flag asks for. Flags that exclude each other form a group: of a group that is asked for at all, a
 * domain needs one. Snapshots and checkpoints nobody has yet. */
typedef struct {
    guint flag;
    guint group;
    gboolean (*has)(const VmView *view);
} Filter;

static gboolean is_active(const VmView *view)
{
    return view->id >= 0;
}

static gboolean is_inactive(const VmView *view)
{
    return view->id < 0;
}

static gboolean is_persistent(const VmView *view)
{
    return view->next != NULL;
}

static gboolean is_transient(const VmView *view)
{
    return !view->next;
}

static gboolean is_running(const VmView *view)
{
    return view->state == VIR_DOMAIN_RUNNING;
}

static gboolean is_paused(const VmView *view)
{
    return view->state == VIR_DOMAIN_PAUSED;
}

static gboolean is_shut_off(const VmView *view)
{
    return view->state == VIR_DOMAIN_SHUTOFF;
}

static gboolean is_otherwise(const VmView *view)
{
    return !is_running(view) && !is_paused(view) && !is_shut_off(view);
}

static gboolean has_managed_save(const VmView *view)
{
    return view->managed_save;
}

static gboolean has_no_managed_save(const VmView *view)
{
    return !view->managed_save;
}

static gboolean starts_with_host(const VmView *view)
{
    return view->autostart;
}

static gboolean starts_by_hand(const VmView *view)
{
    return !view->autostart;
}

static gboolean always(const VmView *view)
{
    return TRUE;
}

static gboolean never(const VmView *view)
{
    return FALSE;
}

static const Filter filters[] = {
    {VIR_CONNECT_LIST_DOMAINS_ACTIVE, 0, is_active},
    {VIR_CONNECT_LIST_DOMAINS_INACTIVE, 0, is_inactive},
    {VIR_CONNECT_LIST_DOMAINS_PERSISTENT, 1, is_persistent},
    {VIR_CONNECT_LIST_DOMAINS_TRANSIENT, 1, is_transient},
    {VIR_CONNECT_LIST_DOMAINS_RUNNING, 2, is_running},
    {VIR_CONNECT_LIST_DOMAINS_PAUSED, 2, is_paused},
    {VIR_CONNECT_LIST_DOMAINS_SHUTOFF, 2, is_shut_off},
    {VIR_CONNECT_LIST_DOMAINS_OTHER, 2, is_otherwise},
    {VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, 3, has_managed_save},
    {VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE, 3, has_no_managed_save},
    {VIR_CONNECT_LIST_DOMAINS_AUTOSTART, 4, starts_with_host},
    {VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART, 4, starts_by_hand},
    {VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, 5, never},
    {VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT, 5, always},
    {VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, 6, never},
    {VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT, 6, always},
};

static gboolean passes(const VmView *view, guint flags)
{
    guint asked = 0, passed = 0; /* groups, as bits */
    for (guint i = 0; i < G_N_ELEMENTS(filters); i++) {
        if (!(flags & filters[i].flag))
            continue;
        asked |= 1u << filters[i].group;
        if (filters[i].has(view))
            passed |= 1u << filters[i].group;
    }
    return asked == passed;
}

/* The domains that CALL's connection may see and FLAGS choose; elements are owned. */
static GPtrArray *chosen(Call *call, guint flags)
{
    GPtrArray *some = g_ptr_array_new_with_free_func((GDestroyNotify)vm_unref);
    g_autoptr(GPtrArray) all = registry_domains(call->instance->registry);
    for (guint i = 0; i < all->len; i++) {
        g_autoptr(VmView) view = vm_view(all->pdata[i]);
        if (passes(view, flags))
            g_ptr_array_add(some, vm_ref(all->pdata[i]));
    }
    return some;
}

gboolean remote_connect_list_all_domains(Call *call, const RemoteConnectListAllDomainsArgs *args,
                                         RemoteConnectListAllDomainsRet *ret, GError **error)
{
    g_autoptr(GPtrArray) some = chosen(call, args->flags);
    ret->ret = some->len;
    if (!args->need_results)
        return TRUE;
    ret->n_domains = some->len;
    ret->domains = g_new0(RemoteNonnullDomain, some->len);
    for (guint i = 0; i < some->len; i++)
        call_domain(some->pdata[i], &ret->domains[i]);
    return TRUE;
}

gboolean remote_connect_num_of_domains(Call *call, RemoteConnectNumOfDomainsRet *ret, GError **error)
{
    g_autoptr(GPtrArray) some = chosen(call, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    ret->num = (gint32)some->len;
    return TRUE;
}

gboolean remote_connect_num_of_defined_domains(Call *call, RemoteConnectNumOfDefinedDomainsRet *ret, GError **error)
{
    g_autoptr(GPtrArray) some = chosen(call, VIR_CONNECT_LIST_DOMAINS_INACTIVE);
    ret->num = (gint32)some->len;
    return TRUE;
}

static gboolean check_max(Call *call, int max, const char *what, GError **error)
{
    return (max >= 0 && max <= REMOTE_DOMAIN_LIST_MAX) ||
           error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "too many domains to list: %s %d is not in 0 to %d", what, max,
                     REMOTE_DOMAIN_LIST_MAX);
}

gboolean remote_connect_list_domains(Call *call, const RemoteConnectListDomainsArgs *args, RemoteConnectListDomainsRet *ret,
                                     GError **error)
{
    if (!check_max(call, args->maxids, "maxids", error))
        return FALSE;
    g_autoptr(GPtrArray) some = chosen(call, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    ret->ids = g_new0(gint32, some->len);
    for (guint i = 0; i < some->len && ret->n_ids < (guint)args->maxids; i++) {
        g_autoptr(VmView) view = vm_view(some->pdata[i]);
        if (view->id >= 0)
            ret->ids[ret->n_ids++] = view->id;
    }
    return TRUE;
}

gboolean remote_connect_list_defined_domains(Call *call, const RemoteConnectListDefinedDomainsArgs *args,
                                             RemoteConnectListDefinedDomainsRet *ret, GError **error)
{
    if (!check_max(call, args->maxnames, "maxnames", error))
        return FALSE;
    g_autoptr(GPtrArray) some = chosen(call, VIR_CONNECT_LIST_DOMAINS_INACTIVE);
    ret->names = g_new0(char *, some->len);
    for (guint i = 0; i < some->len && ret->n_names < (guint)args->maxnames; i++) {
        g_autoptr(VmView) view = vm_view(some->pdata[i]);
        ret->names[ret->n_names++] = g_strdup(vm_view_def(view)->name);
    }
    return TRUE;
}
