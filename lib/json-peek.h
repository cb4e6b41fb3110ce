/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * JSON from outside, read without trust: json-glib's own parser has no limit on depth, and its getters complain to the
 * log when a member is missing or of another type. Any thread.
 */
#include <json-glib/json-glib.h>

#define JSON_PEEK_DEPTH_MAX 64

/* TEXT (LENGTH bytes, need not be NUL terminated) as a tree. Refused before anything is allocated: deeper than
 * JSON_PEEK_DEPTH_MAX, more than MAX_VALUES values, bytes that are not UTF-8. NULL with VIR_ERR_INTERNAL_ERROR. */
JsonNode *json_peek_parse(const char *text, gsize length, gsize max_values, GError **error);

/* The member NAME of OBJECT if it is there and of that type, else NULL (or FALSE, RET_ untouched). Borrowed. OBJECT may be NULL. */
const char *json_peek_string(JsonObject *object, const char *name);
JsonObject *json_peek_object(JsonObject *object, const char *name);
JsonArray *json_peek_array(JsonObject *object, const char *name);
gboolean json_peek_int(JsonObject *object, const char *name, gint64 *ret_value);
gboolean json_peek_true(JsonObject *object, const char *name); /* a boolean that is true */
gboolean json_peek_boolean(JsonObject *object, const char *name, gboolean *ret_value); /* FALSE: it is none */

/* The same for element INDEX of ARRAY, which may be NULL or shorter. */
const char *json_peek_string_at(JsonArray *array, guint index);
JsonObject *json_peek_object_at(JsonArray *array, guint index);
guint json_peek_length(JsonArray *array); /* 0 for NULL */

/* NODE as an object or array; NULL if it is something else. Borrowed. NODE may be NULL. */
JsonObject *json_peek_as_object(JsonNode *node);
JsonArray *json_peek_as_array(JsonNode *node);
