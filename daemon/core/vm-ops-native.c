/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: a definition as its hypervisor's own configuration, and back. */
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

gboolean remote_connect_domain_xml_from_native(Call *call, const RemoteConnectDomainXmlFromNativeArgs *args,
                                               RemoteConnectDomainXmlFromNativeRet *ret, GError **error)
{
    const DriverInstance *instance = call->instance;
    const DriverDefinitionOps *ops = instance->driver->definition;

    if (!ops->from_native)
        return ops_not_offered(call, error);
    if (!g_strv_contains(ops->native_formats, args->native_format))
        return error_set(error, instance->from, VIR_ERR_INVALID_ARG, "unsupported config type %s", args->native_format);
    g_autofree char *document = ops->from_native(instance->self, args->native_format, args->native_config, error);
    g_autoptr(Domain) definition = document ? vm_document_read(instance, document, FALSE, error) : NULL;
    if (definition)
        ret->domain_xml = model_format_text(&domain_type, definition, MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE);
    return ret->domain_xml != NULL;
}
