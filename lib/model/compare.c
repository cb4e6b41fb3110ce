/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What differs between two objects, member by member, and whether it counts. */
#include "lib/model/table.h"

#define LIVE_MARKS (MODEL_CHANGEABLE | MODEL_RUNNING | MODEL_TRANSIENT | MODEL_STATUS)

typedef struct {
    ModelCompare which;
    ModelDifference fn;
    gpointer data;
    GString *path;
} Comparison;

static gboolean compare_objects(Comparison *comparison, const ModelType *type, gconstpointer a, gconstpointer b);

/* Whether a difference of a value (not of what lies in an element) counts. */
static gboolean counts(const Comparison *comparison, const ModelField *field)
{
    switch (comparison->which) {
    case MODEL_COMPARE_ABI:
        return (field->marks & MODEL_ABI) != 0;
    case MODEL_COMPARE_NOT_LIVE:
        return !(field->marks & LIVE_MARKS);
    default:
        return TRUE;
    }
}

static gboolean report(Comparison *comparison)
{
    return comparison->fn(comparison->path->str, comparison->data);
}

static gboolean compare_lists(Comparison *comparison, const ModelField *field, const GPtrArray *a, const GPtrArray *b)
{
    gsize length = comparison->path->len;

    for (guint i = 0; i < MAX(a->len, b->len); i++) {
        g_string_append_printf(comparison->path, "[%u]", i);
        gboolean go_on = i < MIN(a->len, b->len)
                             ? compare_objects(comparison, field->type, a->pdata[i], b->pdata[i])
                             : report(comparison);
        g_string_truncate(comparison->path, length);
        if (!go_on)
            return FALSE;
    }
    return TRUE;
}

static gboolean compare_member(Comparison *comparison, const ModelField *field, gconstpointer a, gconstpointer b)
{
    if (field->kind == MODEL_LIST)
        return compare_lists(comparison, field, model_list(field, a),
                             model_list(field, b));
    if (field->kind == MODEL_STRUCT) {
        gconstpointer child_a = MODEL_MEMBER_CONST(a, field, gpointer);
        gconstpointer child_b = MODEL_MEMBER_CONST(b, field, gpointer);
        if (child_a && child_b)
            return compare_objects(comparison, field->type, child_a, child_b);
    }
    return !counts(comparison, field) || report(comparison);
}

static gboolean compare_objects(Comparison *comparison, const ModelType *type, gconstpointer a, gconstpointer b)
{
    gsize length = comparison->path->len;

    for (guint i = 0; i < type->n_fields; i++) {
        const ModelField *field = &type->fields[i];
        if ((field->marks & MODEL_TWIN) || model_member_equal(field, a, b))
            continue;
        if (comparison->which == MODEL_COMPARE_NOT_LIVE && (field->marks & LIVE_MARKS))
            continue;
        if (length)
            g_string_append_c(comparison->path, '/');
        if (field->parent)
            g_string_append_printf(comparison->path, "%s/", field->parent);
        g_string_append_printf(comparison->path, "%s%s", field->place == MODEL_ATTRIBUTE ? "@" : "",
                               field->xml ? field->xml : "text()");
        gboolean go_on = compare_member(comparison, field, a, b);
        g_string_truncate(comparison->path, length);
        if (!go_on)
            return FALSE;
    }
    return TRUE;
}

gboolean model_compare(const ModelType *type, gconstpointer a, gconstpointer b, ModelCompare which, ModelDifference fn,
                       gpointer data)
{
    g_autoptr(GString) path = g_string_new(NULL);
    Comparison comparison = {which, fn, data, path};

    return compare_objects(&comparison, type, a, b);
}
