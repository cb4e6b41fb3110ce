/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every object needs, over the emitted tables: new, free, copy, equal. */
#include "lib/model/table.h"

#include <string.h>

static gboolean is_string(const ModelField *field)
{
    return field->kind <= MODEL_CPUSET || field->kind == MODEL_XML;
}

static gboolean is_twin(const ModelField *field)
{
    return (field->marks & MODEL_TWIN) != 0;
}

/* Bytes of a member that is neither a string nor an object. */
static gsize plain_size(const ModelField *field)
{
    switch (field->kind) {
    case MODEL_INT64:
    case MODEL_UINT64:
    case MODEL_SIZE:
        return sizeof(guint64);
    case MODEL_UUID:
        return sizeof(Uuid);
    default:
        return sizeof(guint32); /* also enumerations, Toggle, gboolean */
    }
}

G_STATIC_ASSERT(sizeof(Toggle) == sizeof(guint32) && sizeof(gboolean) == sizeof(guint32));

gpointer model_new(const ModelType *type)
{
    gpointer object = g_malloc0(type->size);

    if (type->root)
        g_atomic_ref_count_init((gatomicrefcount *)object);
    for (guint i = 0; i < type->n_fields; i++) {
        const ModelField *field = &type->fields[i];
        if (is_twin(field))
            continue;
        switch (field->kind) {
        case MODEL_INT32:
        case MODEL_UINT32:
            MODEL_MEMBER(object, field, guint32) = UNSET32;
            break;
        case MODEL_INT64:
        case MODEL_UINT64:
        case MODEL_SIZE:
            MODEL_MEMBER(object, field, guint64) = UNSET64;
            break;
        case MODEL_LIST:
            MODEL_MEMBER(object, field, GPtrArray *) = g_ptr_array_new();
            break;
        default:
            break;
        }
    }
    return object;
}

static void free_child(const ModelType *type, gpointer object)
{
    if (type->root)
        model_unref(type, object);
    else
        model_free(type, object);
}

static void free_list(const ModelType *type, GPtrArray *list)
{
    for (guint i = 0; list && i < list->len; i++)
        free_child(type, g_ptr_array_index(list, i));
    if (list)
        g_ptr_array_free(list, TRUE);
}

void model_free(const ModelType *type, gpointer object)
{
    if (!object)
        return;
    for (guint i = 0; i < type->n_fields; i++) {
        const ModelField *field = &type->fields[i];
        if (is_twin(field))
            continue;
        if (is_string(field))
            g_free(MODEL_MEMBER(object, field, char *));
        else if (field->kind == MODEL_STRUCT)
            free_child(field->type, MODEL_MEMBER(object, field, gpointer));
        else if (field->kind == MODEL_LIST)
            free_list(field->type, MODEL_MEMBER(object, field, GPtrArray *));
    }
    g_free(object);
}

void model_unref(const ModelType *type, gpointer object)
{
    if (object && g_atomic_ref_count_dec((gatomicrefcount *)object))
        model_free(type, object);
}

static GPtrArray *copy_list(const ModelType *type, const GPtrArray *list)
{
    GPtrArray *copy = g_ptr_array_new();

    for (guint i = 0; i < list->len; i++)
        g_ptr_array_add(copy, model_copy(type, g_ptr_array_index(list, i)));
    return copy;
}

gpointer model_copy(const ModelType *type, gconstpointer object)
{
    if (!object)
        return NULL;
    gpointer copy = g_memdup2(object, type->size);
    if (type->root)
        g_atomic_ref_count_init((gatomicrefcount *)copy);
    for (guint i = 0; i < type->n_fields; i++) {
        const ModelField *field = &type->fields[i];
        if (is_twin(field))
            continue;
        if (is_string(field))
            MODEL_MEMBER(copy, field, char *) = g_strdup(MODEL_MEMBER_CONST(object, field, char *));
        else if (field->kind == MODEL_STRUCT)
            MODEL_MEMBER(copy, field, gpointer) = model_copy(field->type, MODEL_MEMBER_CONST(object, field, gpointer));
        else if (field->kind == MODEL_LIST)
            MODEL_MEMBER(copy, field, GPtrArray *) = copy_list(field->type, model_list(field, object));
    }
    return copy;
}

static gboolean equal_lists(const ModelType *type, const GPtrArray *a, const GPtrArray *b)
{
    if (a->len != b->len)
        return FALSE;
    for (guint i = 0; i < a->len; i++)
        if (!model_equal(type, g_ptr_array_index(a, i), g_ptr_array_index(b, i)))
            return FALSE;
    return TRUE;
}

gboolean model_member_equal(const ModelField *field, gconstpointer a, gconstpointer b)
{
    if (is_string(field))
        return g_strcmp0(MODEL_MEMBER_CONST(a, field, char *), MODEL_MEMBER_CONST(b, field, char *)) == 0;
    if (field->kind == MODEL_STRUCT)
        return model_equal(field->type, MODEL_MEMBER_CONST(a, field, gpointer), MODEL_MEMBER_CONST(b, field, gpointer));
    if (field->kind == MODEL_LIST)
        return equal_lists(field->type, model_list(field, a), model_list(field, b));
    return memcmp((const char *)a + field->offset, (const char *)b + field->offset, plain_size(field)) == 0;
}

gboolean model_equal(const ModelType *type, gconstpointer a, gconstpointer b)
{
    if (a == b)
        return TRUE;
    if (!a || !b)
        return FALSE;
    for (guint i = 0; i < type->n_fields; i++)
        if (!is_twin(&type->fields[i]) && !model_member_equal(&type->fields[i], a, b))
            return FALSE;
    return TRUE;
}

static const ModelField *name_field(const ModelType *type)
{
    for (guint i = 0; i < type->n_fields; i++)
        if (type->fields[i].marks & MODEL_NAME)
            return &type->fields[i];
    return NULL;
}

const char *model_element_name(const ModelType *type, gconstpointer object)
{
    const ModelField *field = name_field(type);
    return field ? model_enum_to_string(field->values, MODEL_MEMBER_CONST(object, field, guint32)) : NULL;
}

guint model_element_named(const ModelField *list, const char *name)
{
    const ModelField *field = list->type ? name_field(list->type) : NULL;
    return field ? model_enum_from_string(field->values, name) : 0;
}

gboolean model_is_unset(const ModelField *field, gconstpointer object)
{
    switch (field->kind) {
    case MODEL_INT32:
    case MODEL_UINT32:
        return MODEL_MEMBER_CONST(object, field, guint32) == UNSET32;
    case MODEL_INT64:
    case MODEL_UINT64:
    case MODEL_SIZE:
        return MODEL_MEMBER_CONST(object, field, guint64) == UNSET64;
    case MODEL_UUID:
        return !MODEL_MEMBER_CONST(object, field, Uuid).set;
    case MODEL_STRING:
    case MODEL_MAC:
    case MODEL_IP:
    case MODEL_CPUSET:
    case MODEL_XML:
    case MODEL_STRUCT:
        return !MODEL_MEMBER_CONST(object, field, gpointer);
    case MODEL_LIST:
        return MODEL_MEMBER_CONST(object, field, GPtrArray *)->len == 0;
    default:
        return MODEL_MEMBER_CONST(object, field, guint32) == 0;
    }
}

static gboolean condition_holds(const ModelCondition *condition, const ModelFrame *frame)
{
    for (guint level = 0; level < condition->outer && frame; level++)
        frame = frame->outer;
    if (!frame)
        return TRUE;
    for (guint i = 0; i < frame->type->n_fields; i++) {
        const ModelField *field = &frame->type->fields[i];
        if (field->place == MODEL_ATTRIBUTE && !field->parent &&
            g_str_equal(field->xml, condition->attribute))
            return (condition->values >> MODEL_MEMBER_CONST(frame->object, field, guint32)) & 1;
    }
    return FALSE;
}

gboolean model_applies(const ModelField *field, const ModelFrame *frame)
{
    for (guint i = 0; i < field->n_conditions; i++)
        if (!condition_holds(&field->conditions[i], frame))
            return FALSE;
    return TRUE;
}

const char *model_enum_to_string(const ModelEnum *type, guint value)
{
    return value > 0 && value <= type->n_values ? type->values[value - 1] : NULL;
}

guint model_enum_from_string(const ModelEnum *type, const char *text)
{
    for (guint i = 0; text && i < type->n_values; i++)
        if (g_str_equal(type->values[i], text))
            return i + 1;
    return 0;
}
