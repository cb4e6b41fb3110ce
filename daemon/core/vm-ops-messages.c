/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: what there is to say against a run, and what a confidential guest would have. */
#include "daemon/core/vm-ops.h"
#include "daemon/core/wire-params.h"
#include "lib/error.h"
#include "lib/params-check.h"

/* --- warnings --- */

/* In libvirt's order. */
static void add_taints(guint taints, GPtrArray *messages)
{
    static const struct {
        VmTaint taint;
        const char *text;
    } texts[] = {
        {VM_TAINT_ARGUMENTS, "tainted: custom configuration parameters specified"},
        {VM_TAINT_MONITOR_COMMAND, "tainted: custom monitor control commands issued"},
        {VM_TAINT_AGENT_COMMAND, "tainted: custom guest agent control commands issued"},
        {VM_TAINT_DEPRECATED, "tainted: use of deprecated configuration settings"},
        {VM_TAINT_DEVICE, "tainted: custom device configuration"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        if (taints & texts[i].taint)
            g_ptr_array_add(messages, g_strdup(texts[i].text));
}

gboolean remote_domain_get_messages(Call *call, const RemoteDomainGetMessagesArgs *args, RemoteDomainGetMessagesRet *ret,
                                    GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    if (!view)
        return FALSE;
    const DriverDefinitionOps *ops = vm->instance->driver->definition;
    g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) deprecated = g_ptr_array_new_with_free_func(g_free);
    if (view->id >= 0) {
        guint said = ops->judge ? ops->judge(vm->instance->self, view->live, deprecated) : 0;
        g_mutex_lock(&vm->lock);
        guint taints = vm->taints | said;
        g_mutex_unlock(&vm->lock);
        if (!args->flags || (args->flags & VIR_DOMAIN_MESSAGE_TAINTING))
            add_taints(taints, messages);
    }
    const Domain *def = vm_view_def(view);
    for (guint i = 0; i < def->ignored->len && !args->flags; i++)
        g_ptr_array_add(messages, g_strdup_printf("ignored configuration: %s", ((const Ignored *)def->ignored->pdata[i])->value));
    for (guint i = 0; i < deprecated->len && (!args->flags || (args->flags & VIR_DOMAIN_MESSAGE_DEPRECATION)); i++)
        g_ptr_array_add(messages, g_strdup_printf("deprecated configuration: %s", (const char *)deprecated->pdata[i]));
    ret->n_msgs = messages->len;
    ret->msgs = (char **)g_ptr_array_free(g_steal_pointer(&messages), FALSE);
    return TRUE;
}

/* --- confidential guests --- */

gboolean remote_domain_get_launch_security_info(Call *call, const RemoteDomainGetLaunchSecurityInfoArgs *args,
                                                RemoteDomainGetLaunchSecurityInfoRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    if (!view)
        return FALSE;
    return !vm_view_def(view)->launch_security || ops_not_offered(call, error);
}

/* The domain capabilities say the same: nothing here starts encrypted guests, whatever their host could do. */
gboolean remote_node_get_sev_info(Call *call, const RemoteNodeGetSevInfoArgs *args, RemoteNodeGetSevInfoRet *ret, GError **error)
{
    const Driver *driver = call->instance->driver;

    return error_set(error, driver->error_domain, VIR_ERR_OPERATION_UNSUPPORTED, "%s does not support SEV guest", driver->type);
}

gboolean remote_domain_set_launch_security_state(Call *call, const RemoteDomainSetLaunchSecurityStateArgs *args, GError **error)
{
    static const ParamKnown known[] = {
        {VIR_DOMAIN_LAUNCH_SECURITY_SEV_SECRET_HEADER, VIR_TYPED_PARAM_STRING},
        {VIR_DOMAIN_LAUNCH_SECURITY_SEV_SECRET, VIR_TYPED_PARAM_STRING},
        {VIR_DOMAIN_LAUNCH_SECURITY_SEV_SECRET_SET_ADDRESS, VIR_TYPED_PARAM_ULLONG},
    };
    g_autoptr(Params) params = wire_params_read(args->params, args->n_params);
    g_autoptr(VmView) view = vm_view(call->vm);

    if (!params_check(params, known, G_N_ELEMENTS(known), error))
        return FALSE;
    if (vm_view_def(view)->launch_security)
        return ops_not_offered(call, error);
    return error_set(error, call->instance->driver->error_domain, VIR_ERR_OPERATION_UNSUPPORTED,
                     "setting a launch secret is only supported in SEV-enabled domains");
}
