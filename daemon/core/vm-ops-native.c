/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handler: a definition as its hypervisor's own configuration. The way back is none that libvirtd 9.0.0 offers. */
#include "daemon/core/vm-document.h"
#include "daemon/core/vm-ops.h"
#include "lib/error.h"

gboolean remote_connect_domain_xml_to_native(Call *call, const RemoteConnectDomainXmlToNativeArgs *args,
                                             RemoteConnectDomainXmlToNativeRet *ret, GError **error)
{
    const DriverInstance *instance = call->instance;
    const DriverDefinitionOps *ops = instance->driver->definition;

    if (!ops->to_native)
        return ops_not_offered(call, error);
    if (!g_strv_contains(ops->native_formats, args->native_format))
        return error_set(error, instance->from, VIR_ERR_INVALID_ARG, "unsupported config type %s", args->native_format);
    g_autoptr(Domain) definition = vm_document_read(instance, args->domain_xml, FALSE, error);
    if (definition)
        ret->native_config = ops->to_native(instance->self, args->native_format, definition, error);
    return ret->native_config != NULL;
}
