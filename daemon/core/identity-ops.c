/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handler: a daemon in between (virtproxyd) tells for whom it works. That is written down; what a connection may do depends on
 * who made it, so that nothing can be gained by what is told here.
 */
#include "daemon/core/wire-params.h"
#include "daemon/rpc/call.h"
#include "daemon/rpc/client.h"
#include "lib/log.h"
#include "lib/params-check.h"

#define VALUE_MAX 100

static void append(GString *text, const Param *param)
{
    g_string_append_printf(text, "%s%s ", text->len > 0 ? ", " : "", param->field);
    switch (param->type) {
    case VIR_TYPED_PARAM_STRING:
        g_string_append_printf(text, "'%.*s'", VALUE_MAX, param->value.s);
        break;
    case VIR_TYPED_PARAM_LLONG:
        g_string_append_printf(text, "%" G_GINT64_FORMAT, param->value.l);
        break;
    default:
        g_string_append_printf(text, "%" G_GUINT64_FORMAT, param->value.ul);
    }
}

gboolean remote_connect_set_identity(Call *call, const RemoteConnectSetIdentityArgs *args, GError **error)
{
    static const ParamKnown known[] = {
        {VIR_CONNECT_IDENTITY_USER_NAME, VIR_TYPED_PARAM_STRING},
        {VIR_CONNECT_IDENTITY_UNIX_USER_ID, VIR_TYPED_PARAM_ULLONG},
        {VIR_CONNECT_IDENTITY_GROUP_NAME, VIR_TYPED_PARAM_STRING},
        {VIR_CONNECT_IDENTITY_UNIX_GROUP_ID, VIR_TYPED_PARAM_ULLONG},
        {VIR_CONNECT_IDENTITY_PROCESS_ID, VIR_TYPED_PARAM_LLONG},
        {VIR_CONNECT_IDENTITY_PROCESS_TIME, VIR_TYPED_PARAM_ULLONG},
        {VIR_CONNECT_IDENTITY_SASL_USER_NAME, VIR_TYPED_PARAM_STRING},
        {VIR_CONNECT_IDENTITY_X509_DISTINGUISHED_NAME, VIR_TYPED_PARAM_STRING},
        {VIR_CONNECT_IDENTITY_SELINUX_CONTEXT, VIR_TYPED_PARAM_STRING},
    };
    g_autoptr(Params) params = wire_params_read(args->params, args->n_params);
    g_autoptr(GString) text = g_string_new(NULL);

    if (!params_check(params, known, G_N_ELEMENTS(known), error))
        return FALSE;
    for (guint i = 0; i < params_length(params); i++)
        append(text, params_at(params, i));
    log_line(LOG_INFO, "connection %" G_GUINT64_FORMAT " of %s works for %s", client_id(call->client), call->identity->name,
             text->len > 0 ? text->str : "nobody else");
    return TRUE;
}
