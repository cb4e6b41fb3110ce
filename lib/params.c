/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/params.h"

#include <stdarg.h>
#include <string.h>

static void param_clear(gpointer data)
{
    Param *param = data;
    g_free(param->field);
    if (param->type == VIR_TYPED_PARAM_STRING)
        g_free(param->value.s);
}

Params *params_new(void)
{
    Params *params = g_new0(Params, 1);
    params->array = g_array_new(FALSE, TRUE, sizeof(Param));
    g_array_set_clear_func(params->array, param_clear);
    return params;
}

void params_free(Params *params)
{
    if (!params)
        return;
    g_array_unref(params->array);
    g_free(params);
}

guint params_length(const Params *params)
{
    return params->array->len;
}

const Param *params_at(const Params *params, guint index)
{
    g_return_val_if_fail(index < params->array->len, NULL);
    return &g_array_index(params->array, Param, index);
}

const Param *params_find(const Params *params, const char *field)
{
    for (guint i = 0; i < params->array->len; i++) {
        const Param *param = &g_array_index(params->array, Param, i);
        if (g_str_equal(param->field, field))
            return param;
    }
    return NULL;
}

/* The result is valid until the next one is added. */
static Param *add(Params *params, int type, const char *format, va_list args)
{
    Param param = {.type = type, .field = g_strdup_vprintf(format, args)};
    if (strlen(param.field) >= VIR_TYPED_PARAM_FIELD_LENGTH)
        param.field[VIR_TYPED_PARAM_FIELD_LENGTH - 1] = '\0';
    g_array_append_val(params->array, param);
    return &g_array_index(params->array, Param, params->array->len - 1);
}

#define ADDER(name, c_type, wire_type, member)                                                                         \
    void params_##name(Params *params, c_type value, const char *field, ...)                                           \
    {                                                                                                                  \
        va_list args;                                                                                                  \
        va_start(args, field);                                                                                         \
        add(params, wire_type, field, args)->value.member = (value);                                                   \
        va_end(args);                                                                                                  \
    }

ADDER(int, gint32, VIR_TYPED_PARAM_INT, i)
ADDER(uint, guint32, VIR_TYPED_PARAM_UINT, ui)
ADDER(llong, gint64, VIR_TYPED_PARAM_LLONG, l)
ADDER(ullong, guint64, VIR_TYPED_PARAM_ULLONG, ul)
ADDER(double, double, VIR_TYPED_PARAM_DOUBLE, d)

void params_boolean(Params *params, gboolean value, const char *field, ...)
{
    va_list args;
    va_start(args, field);
    add(params, VIR_TYPED_PARAM_BOOLEAN, field, args)->value.b = !!value;
    va_end(args);
}

void params_string(Params *params, const char *value, const char *field, ...)
{
    va_list args;
    va_start(args, field);
    add(params, VIR_TYPED_PARAM_STRING, field, args)->value.s = g_strdup(value ? value : "");
    va_end(args);
}

void params_extend(Params *params, const Params *source)
{
    for (guint i = 0; i < source->array->len; i++) {
        Param param = g_array_index(source->array, Param, i);
        param.field = g_strdup(param.field);
        if (param.type == VIR_TYPED_PARAM_STRING)
            param.value.s = g_strdup(param.value.s);
        g_array_append_val(params->array, param);
    }
}
