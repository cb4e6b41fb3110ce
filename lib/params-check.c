/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/params-check.h"

#include "lib/error.h"

static const char *type_name(gint32 type)
{
    static const char *const names[] = {[VIR_TYPED_PARAM_INT] = "int",         [VIR_TYPED_PARAM_UINT] = "uint",
                                        [VIR_TYPED_PARAM_LLONG] = "llong",     [VIR_TYPED_PARAM_ULLONG] = "ullong",
                                        [VIR_TYPED_PARAM_DOUBLE] = "double",   [VIR_TYPED_PARAM_BOOLEAN] = "boolean",
                                        [VIR_TYPED_PARAM_STRING] = "string"};

    return type > 0 && type < (gint32)G_N_ELEMENTS(names) && names[type] ? names[type] : "unknown";
}

static gboolean check_one(const Param *param, const ParamKnown *known, guint n, GError **error)
{
    for (guint i = 0; i < n; i++) {
        if (!g_str_equal(known[i].field, param->field))
            continue;
        return known[i].type == param->type ||
               error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                         "invalid type '%s' for parameter '%s', expected '%s'", type_name(param->type), param->field,
                         type_name(known[i].type));
    }
    return error_set(error, VIR_FROM_NONE, VIR_ERR_ARGUMENT_UNSUPPORTED, "parameter '%s' not supported", param->field);
}

gboolean params_check(const Params *params, const ParamKnown *known, guint n, GError **error)
{
    for (guint i = 0; i < params_length(params); i++) {
        const Param *param = params_at(params, i);
        if (params_find(params, param->field) != param)
            return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "parameter '%s' occurs multiple times", param->field);
        if (!check_one(param, known, n, error))
            return FALSE;
    }
    return TRUE;
}
