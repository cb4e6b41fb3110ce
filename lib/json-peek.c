/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/json-peek.h"

#include "lib/error.h"

/* Counts what the parser would allocate for, skipping over strings. What is not JSON at all is the parser's to find. */
static gboolean within_bounds(const char *text, gsize length, gsize max_values)
{
    gsize values = 1;
    guint depth = 0;
    gboolean string = FALSE;

    for (gsize i = 0; i < length; i++) {
        char c = text[i];

        if (string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                string = FALSE;
            continue;
        }
        if (c == '"')
            string = TRUE;
        else if ((c == '{' || c == '[') && (depth++ == JSON_PEEK_DEPTH_MAX || values++ == max_values))
            return FALSE;
        else if ((c == ',' || c == ':') && values++ == max_values)
            return FALSE;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return TRUE;
}

JsonNode *json_peek_parse(const char *text, gsize length, gsize max_values, GError **error)
{
    if (!within_bounds(text, length, max_values)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "JSON of %zu bytes is too deep or has too many values",
                  length);
        return NULL;
    }
    if (!g_utf8_validate_len(text, length, NULL)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "JSON is not valid UTF-8");
        return NULL;
    }

    g_autoptr(GError) cause = NULL;
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, text, length, &cause)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "cannot parse json: %s", cause->message);
        return NULL;
    }
    JsonNode *root = json_parser_steal_root(parser);
    if (!root)
        error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "cannot parse json: no value");
    return root;
}

static JsonNode *member(JsonObject *object, const char *name)
{
    return object ? json_object_get_member(object, name) : NULL;
}

static JsonNode *element(JsonArray *array, guint index)
{
    return array && index < json_array_get_length(array) ? json_array_get_element(array, index) : NULL;
}

static const char *as_string(JsonNode *node)
{
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

JsonObject *json_peek_as_object(JsonNode *node)
{
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *json_peek_as_array(JsonNode *node)
{
    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

const char *json_peek_string(JsonObject *object, const char *name) { return as_string(member(object, name)); }

JsonObject *json_peek_object(JsonObject *object, const char *name) { return json_peek_as_object(member(object, name)); }

JsonArray *json_peek_array(JsonObject *object, const char *name) { return json_peek_as_array(member(object, name)); }

gboolean json_peek_int(JsonObject *object, const char *name, gint64 *ret_value)
{
    JsonNode *node = member(object, name);

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64)
        return FALSE;
    *ret_value = json_node_get_int(node);
    return TRUE;
}

gboolean json_peek_boolean(JsonObject *object, const char *name, gboolean *ret_value)
{
    JsonNode *node = member(object, name);

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN)
        return FALSE;
    *ret_value = json_node_get_boolean(node);
    return TRUE;
}

gboolean json_peek_true(JsonObject *object, const char *name)
{
    gboolean value;

    return json_peek_boolean(object, name, &value) && value;
}

const char *json_peek_string_at(JsonArray *array, guint index) { return as_string(element(array, index)); }

JsonObject *json_peek_object_at(JsonArray *array, guint index) { return json_peek_as_object(element(array, index)); }

guint json_peek_length(JsonArray *array) { return array ? json_array_get_length(array) : 0; }
