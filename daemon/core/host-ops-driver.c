/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers about the host that need its driver: what it can run, and how it confines that. */
#include <string.h>

#include "daemon/core/host-id.h"
#include "daemon/core/host-sleep.h"
#include "daemon/core/hostcaps.h"
#include "daemon/core/vm-ops.h"

/* No mandatory access control of ours exists yet; libvirtd says the same where it has none. */
#define SECURITY_MODEL "none"
#define SECURITY_DOI "0"

gboolean remote_connect_get_version(Call *call, RemoteConnectGetVersionRet *ret, GError **error)
{
    const DriverNodeOps *node = call->instance->driver->node;
    if (!node || !node->version)
        return ops_not_offered(call, error);
    return node->version(call->instance->self, &ret->hv_ver, error);
}

gboolean remote_connect_get_max_vcpus(Call *call, const RemoteConnectGetMaxVcpusArgs *args,
                                      RemoteConnectGetMaxVcpusRet *ret, GError **error)
{
    const DriverNodeOps *node = call->instance->driver->node;
    if (!node || !node->max_vcpus)
        return ops_not_offered(call, error);
    return node->max_vcpus(call->instance->self, args->type, &ret->max_vcpus, error);
}

gboolean remote_connect_get_capabilities(Call *call, RemoteConnectGetCapabilitiesRet *ret, GError **error)
{
    HostCaps caps = {
        .root = "",
        .uuid = host_id(error),
        .migrates = wire_proc(call->proc->program, REMOTE_PROC_DOMAIN_MIGRATE_PERFORM3_PARAMS)->handler != NULL,
        .sleeps = host_sleep_targets(),
    };
    if (!caps.uuid)
        return FALSE;
    ret->capabilities = hostcaps_format(&caps, call->instance, error);
    return ret->capabilities != NULL;
}

gboolean remote_connect_get_domain_capabilities(Call *call, const RemoteConnectGetDomainCapabilitiesArgs *args,
                                                RemoteConnectGetDomainCapabilitiesRet *ret, GError **error)
{
    const DriverNodeOps *node = call->instance->driver->node;
    if (!node || !node->domain_capabilities)
        return ops_not_offered(call, error);
    ret->capabilities = node->domain_capabilities(call->instance->self, args->emulatorbin, args->arch, args->machine,
                                                  args->virttype, error);
    return ret->capabilities != NULL;
}

/* The wire's character lists include the NUL. */
static char *chars(const char *text, guint32 *ret_n)
{
    *ret_n = strlen(text) + 1;
    return g_strdup(text);
}

gboolean remote_node_get_security_model(Call *call, RemoteNodeGetSecurityModelRet *ret, GError **error)
{
    ret->model = chars(SECURITY_MODEL, &ret->n_model);
    ret->doi = chars(SECURITY_DOI, &ret->n_doi);
    return TRUE;
}

/* Of the host's first security model, which is "none" and has no labels. */
gboolean remote_domain_get_security_label(Call *call, const RemoteDomainGetSecurityLabelArgs *args,
                                          RemoteDomainGetSecurityLabelRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    if (!vm)
        return FALSE;
    ret->label = chars("", &ret->n_label);
    return TRUE;
}

/* What DEF says for MODEL, else OTHERWISE. */
static const char *label_of(const Domain *def, const char *model, const char *otherwise)
{
    for (guint i = 0; i < def->seclabels->len; i++) {
        const Seclabel *seclabel = def->seclabels->pdata[i];
        if (g_strcmp0(seclabel->model, model) == 0 && seclabel->label)
            return seclabel->label;
    }
    return otherwise;
}

/* One for each of the host's models while the domain runs. */
gboolean remote_domain_get_security_label_list(Call *call, const RemoteDomainGetSecurityLabelListArgs *args,
                                               RemoteDomainGetSecurityLabelListRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    if (!vm)
        return FALSE;
    g_autoptr(VmView) view = vm_view(vm);
    if (view->id < 0)
        return TRUE;
    g_autofree char *owner = hostcaps_owner_label(call->instance);
    ret->n_labels = ret->ret = owner ? 2 : 1;
    ret->labels = g_new0(RemoteDomainGetSecurityLabelRet, ret->n_labels);
    ret->labels[0].label = chars(label_of(view->live, SECURITY_MODEL, ""), &ret->labels[0].n_label);
    if (owner)
        ret->labels[1].label = chars(label_of(view->live, HOSTCAPS_OWNER_MODEL, owner), &ret->labels[1].n_label);
    return TRUE;
}
