/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/props.h"

JsonObject *props_new(const char *key, const char *value)
{
    JsonObject *props = json_object_new();

    json_object_set_string_member(props, key, value);
    return props;
}

void props_string(JsonObject *props, const char *key, const char *value)
{
    if (value)
        json_object_set_string_member(props, key, value);
}

void props_format(JsonObject *props, const char *key, const char *format, ...)
{
    g_autofree char *value = NULL;
    va_list arguments;

    va_start(arguments, format);
    value = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    json_object_set_string_member(props, key, value);
}

void props_int(JsonObject *props, const char *key, gint64 value)
{
    json_object_set_int_member(props, key, value);
}

void props_uint(JsonObject *props, const char *key, guint32 value)
{
    if (value != UNSET32)
        json_object_set_int_member(props, key, value);
}

void props_positive(JsonObject *props, const char *key, guint32 value)
{
    if (value != UNSET32 && value > 0)
        json_object_set_int_member(props, key, value);
}

void props_bool(JsonObject *props, const char *key, gboolean value)
{
    json_object_set_boolean_member(props, key, value);
}

void props_toggle(JsonObject *props, const char *key, Toggle value)
{
    if (value != TOGGLE_UNSET)
        json_object_set_boolean_member(props, key, value == TOGGLE_ON);
}

void props_on_off(JsonObject *props, const char *key, Toggle value)
{
    props_string(props, key, toggle_words(value));
}

void props_null(JsonObject *props, const char *key)
{
    json_object_set_null_member(props, key);
}

const char *toggle_words(Toggle value)
{
    return value == TOGGLE_ON ? "on" : value == TOGGLE_OFF ? "off" : NULL;
}
