/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/wire-params.h"

static void write_value(const Param *param, RemoteTypedParamValue *value)
{
    value->type = param->type;
    switch (param->type) {
    case VIR_TYPED_PARAM_INT:
        value->i = param->value.i;
        break;
    case VIR_TYPED_PARAM_UINT:
        value->ui = param->value.ui;
        break;
    case VIR_TYPED_PARAM_LLONG:
        value->l = param->value.l;
        break;
    case VIR_TYPED_PARAM_ULLONG:
        value->ul = param->value.ul;
        break;
    case VIR_TYPED_PARAM_DOUBLE:
        value->d = param->value.d;
        break;
    case VIR_TYPED_PARAM_BOOLEAN:
        value->b = param->value.b;
        break;
    case VIR_TYPED_PARAM_STRING:
        value->s = param->value.s;
        break;
    }
}

RemoteTypedParam *wire_params_borrow(const Params *params, guint32 *ret_n)
{
    guint n = params_length(params);
    RemoteTypedParam *out = n ? g_new0(RemoteTypedParam, n) : NULL;
    for (guint i = 0; i < n; i++) {
        const Param *param = params_at(params, i);
        out[i].field = param->field;
        write_value(param, &out[i].value);
    }
    *ret_n = n;
    return out;
}

RemoteTypedParam *wire_params(const Params *params, guint32 *ret_n)
{
    RemoteTypedParam *out = wire_params_borrow(params, ret_n);
    for (guint i = 0; i < *ret_n; i++) {
        out[i].field = g_strdup(out[i].field);
        if (out[i].value.type == VIR_TYPED_PARAM_STRING)
            out[i].value.s = g_strdup(out[i].value.s);
    }
    return out;
}

static void read_value(const RemoteTypedParam *in, Params *out)
{
    switch (in->value.type) {
    case VIR_TYPED_PARAM_INT:
        params_int(out, in->value.i, "%s", in->field);
        break;
    case VIR_TYPED_PARAM_UINT:
        params_uint(out, in->value.ui, "%s", in->field);
        break;
    case VIR_TYPED_PARAM_LLONG:
        params_llong(out, in->value.l, "%s", in->field);
        break;
    case VIR_TYPED_PARAM_ULLONG:
        params_ullong(out, in->value.ul, "%s", in->field);
        break;
    case VIR_TYPED_PARAM_DOUBLE:
        params_double(out, in->value.d, "%s", in->field);
        break;
    case VIR_TYPED_PARAM_BOOLEAN:
        params_boolean(out, in->value.b, "%s", in->field);
        break;
    case VIR_TYPED_PARAM_STRING:
        params_string(out, in->value.s, "%s", in->field);
        break;
    }
}

Params *wire_params_read(const RemoteTypedParam *params, guint32 n)
{
    Params *out = params_new();
    for (guint32 i = 0; i < n; i++)
        read_value(&params[i], out);
    return out;
}
