/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: what is known of one domain. Nothing here waits, but domain_get_info for the processor time. */
#include "daemon/core/registry.h"
#include "daemon/core/sampler.h"
#include "daemon/core/vm-document.h"
#include "daemon/core/vm-ops.h"
#include "lib/model/domain-cpus.h"
#include "lib/uuid.h"

#define INFO_BUDGET (50 * 1000)

/* The view of the domain in ARGS, or a return from the handler. */
static VmView *view_of(Call *call, const RemoteNonnullDomain *dom, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, dom, error);
    return vm ? vm_view(vm) : NULL;
}

/* --- look-ups --- */

static gboolean found(Call *call, Vm *taken, RemoteNonnullDomain *ret)
{
    g_autoptr(Vm) vm = taken;
    return ops_reply_domain(vm, ret);
}

gboolean remote_domain_lookup_by_id(Call *call, const RemoteDomainLookupByIdArgs *args, RemoteDomainLookupByIdRet *ret,
                                    GError **error)
{
    Vm *vm = registry_find_id(call->instance->registry, args->id);
    if (!vm)
        return error_set(error, call->instance->from, VIR_ERR_NO_DOMAIN, "no domain with matching id %d", args->id);
    return found(call, vm, &ret->dom);
}

gboolean remote_domain_lookup_by_name(Call *call, const RemoteDomainLookupByNameArgs *args,
                                      RemoteDomainLookupByNameRet *ret, GError **error)
{
    Vm *vm = registry_find_name(call->instance->registry, args->name);
    if (!vm)
        return error_set(error, call->instance->from, VIR_ERR_NO_DOMAIN, "no domain with matching name '%s'", args->name);
    return found(call, vm, &ret->dom);
}

gboolean remote_domain_lookup_by_uuid(Call *call, const RemoteDomainLookupByUuidArgs *args,
                                      RemoteDomainLookupByUuidRet *ret, GError **error)
{
    Vm *vm = registry_find_uuid(call->instance->registry, args->uuid);
    if (vm)
        return found(call, vm, &ret->dom);
    char uuid[UUID_TEXT];
    uuid_format(args->uuid, uuid);
    return error_set(error, call->instance->from, VIR_ERR_NO_DOMAIN, "no domain with matching uuid '%s'", uuid);
}

/* --- the definition --- */

/* VIR_DOMAIN_XML_UPDATE_CPU: what a guest that started now would get. One that runs has got it. To free. */
static char *show_updated(Vm *vm, const VmView *view, guint flags, GError **error)
{
    const DriverDefinitionOps *ops = vm->instance->driver->definition;
    VmView shown = *view;
    Domain **which = shown.next ? &shown.next : shown.former ? &shown.former : &shown.live;
    g_autoptr(Domain) updated = domain_copy(*which);

    if (updated->cpu && ops->foretell_cpu && !ops->foretell_cpu(vm->instance->self, updated, error))
        return NULL;
    *which = updated;
    return vm_document_show(&shown, flags);
}

gboolean remote_domain_get_xml_desc(Call *call, const RemoteDomainGetXmlDescArgs *args, RemoteDomainGetXmlDescRet *ret,
                                    GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    if (!view || ops_defer(call, view))
        return FALSE;
    gboolean runs = view->id >= 0 && !(args->flags & VIR_DOMAIN_XML_INACTIVE);
    if (!(args->flags & VIR_DOMAIN_XML_UPDATE_CPU) || runs) {
        ret->xml = vm_document_show(view, args->flags);
        return TRUE;
    }
    if (call_defer(call, 1)) /* QEMU may have to be asked what it can do */
        return FALSE;
    ret->xml = show_updated(vm, view, args->flags, error);
    return ret->xml != NULL;
}

gboolean remote_domain_get_os_type(Call *call, const RemoteDomainGetOsTypeArgs *args, RemoteDomainGetOsTypeRet *ret,
                                   GError **error)
{
    g_autoptr(VmView) view = view_of(call, &args->dom, error);
    if (!view)
        return FALSE;
    const DomainOs *os = vm_view_def(view)->os;
    const char *type = os && os->type ? os_type_to_string(os->type->value) : NULL;
    ret->type = g_strdup(type ? type : "");
    return TRUE;
}

gboolean remote_domain_get_max_memory(Call *call, const RemoteDomainGetMaxMemoryArgs *args,
                                      RemoteDomainGetMaxMemoryRet *ret, GError **error)
{
    g_autoptr(VmView) view = view_of(call, &args->dom, error);
    if (!view)
        return FALSE;
    ret->memory = vm_view_def(view)->memory;
    return TRUE;
}

/* --- state --- */

gboolean remote_domain_get_state(Call *call, const RemoteDomainGetStateArgs *args, RemoteDomainGetStateRet *ret,
                                 GError **error)
{
    g_autoptr(VmView) view = view_of(call, &args->dom, error);
    if (!view)
        return FALSE;
    ret->state = view->state;
    ret->reason = view->reason;
    return TRUE;
}

/* Processor time is the one thing that is measured; a guest that ends meanwhile has used none. */
static gboolean cpu_time(Vm *vm, const VmView *view, guint64 *ret_time, GError **error)
{
    g_autoptr(Params) params = params_new();
    *ret_time = 0;
    if (view->id < 0 || !vm->instance->driver->stats || !vm->instance->driver->stats->sample)
        return TRUE;
    if (!sampler_measure(vm, VIR_DOMAIN_STATS_CPU_TOTAL, INFO_BUDGET, params, error))
        return FALSE;
    const Param *time = params_find(params, "cpu.time");
    *ret_time = time ? time->value.ul : 0;
    return TRUE;
}

gboolean remote_domain_get_info(Call *call, const RemoteDomainGetInfoArgs *args, RemoteDomainGetInfoRet *ret,
                                GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    if (!vm || !cpu_time(vm, view, &ret->cpu_time, error))
        return FALSE;
    const Domain *def = vm_view_def(view);
    ret->state = (guint8)view->state;
    ret->max_mem = def->memory;
    ret->memory = def->current_memory == UNSET64 ? def->memory : def->current_memory;
    ret->nr_virt_cpu = (guint16)domain_vcpus(def);
    return TRUE;
}

gboolean remote_domain_get_control_info(Call *call, const RemoteDomainGetControlInfoArgs *args,
                                        RemoteDomainGetControlInfoRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    if (!vm || !vm_check_active(vm, error))
        return FALSE;
    g_mutex_lock(&vm->lock);
    if (!vm->view->responsive)
        ret->state = VIR_DOMAIN_CONTROL_ERROR, ret->details = VIR_DOMAIN_CONTROL_ERROR_REASON_MONITOR;
    else if (vm->operation)
        ret->state = vm->job ? VIR_DOMAIN_CONTROL_JOB : VIR_DOMAIN_CONTROL_OCCUPIED; /* others are answered meanwhile, or not */
    if (vm->operation)
        ret->state_time = (guint64)(g_get_monotonic_time() - vm->operation_since) / 1000;
    g_mutex_unlock(&vm->lock);
    return TRUE;
}

gboolean remote_domain_is_active(Call *call, const RemoteDomainIsActiveArgs *args, RemoteDomainIsActiveRet *ret,
                                 GError **error)
{
    g_autoptr(VmView) view = view_of(call, &args->dom, error);
    ret->active = view && view->id >= 0;
    return view != NULL;
}

gboolean remote_domain_is_persistent(Call *call, const RemoteDomainIsPersistentArgs *args,
                                     RemoteDomainIsPersistentRet *ret, GError **error)
{
    g_autoptr(VmView) view = view_of(call, &args->dom, error);
    ret->persistent = view && view->next;
    return view != NULL;
}

gboolean remote_domain_is_updated(Call *call, const RemoteDomainIsUpdatedArgs *args, RemoteDomainIsUpdatedRet *ret,
                                  GError **error)
{
    g_autoptr(VmView) view = view_of(call, &args->dom, error);
    ret->updated = view && view->updated;
    return view != NULL;
}

gboolean remote_domain_has_managed_save_image(Call *call, const RemoteDomainHasManagedSaveImageArgs *args,
                                              RemoteDomainHasManagedSaveImageRet *ret, GError **error)
{
    g_autoptr(VmView) view = view_of(call, &args->dom, error);
    ret->result = view && view->managed_save;
    return view != NULL;
}

/* --- autostart --- */

gboolean remote_domain_get_autostart(Call *call, const RemoteDomainGetAutostartArgs *args,
                                     RemoteDomainGetAutostartRet *ret, GError **error)
{
    g_autoptr(VmView) view = view_of(call, &args->dom, error);
    ret->autostart = view && view->autostart;
    return view != NULL;
}
