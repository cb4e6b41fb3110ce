/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects into a document: attributes, then text, then elements, in the order of the description. */
#include "lib/model/table.h"

#include <string.h>

typedef struct {
    XmlWriter *writer;
    guint flags;
} Formatter;

static void format_object(const Formatter *formatter, const ModelType *type, const char *name, gconstpointer object,
                          const ModelFrame *outer);

/* Whether this kind of document shows FIELD. */
static gboolean is_shown(guint flags, const ModelField *field, gconstpointer object)
{
    if ((flags & MODEL_FORMAT_STATUS) && !(flags & MODEL_FORMAT_INACTIVE))
        return TRUE;
    if (((field->marks & MODEL_STATUS) && !(flags & MODEL_FORMAT_STATUS)) || ((field->marks & MODEL_SECRET) && !(flags & MODEL_FORMAT_SECURE)))
        return FALSE;
    if (!((field->marks & MODEL_RUNNING) && (flags & MODEL_FORMAT_INACTIVE)) &&
        !((field->marks & MODEL_TRANSIENT) && (flags & MODEL_FORMAT_MIGRATABLE)))
        return TRUE;
    const char *text = field->kept ? MODEL_MEMBER_CONST(object, field, char *) : NULL;
    return text && g_str_has_prefix(text, field->kept);
}

static char *shown_text(guint flags, const ModelField *field, const ModelFrame *frame, const char **ret_unit);

/* The first element that FIELD mirrors; NULL: there is none. */
static gconstpointer find_mirrored(const ModelField *field, const ModelFrame *frame, const ModelType **ret_type)
{
    for (guint i = 0; field->mirror && i < frame->type->n_fields; i++) {
        const ModelField *list = &frame->type->fields[i];
        if (list->kind != MODEL_LIST || !g_str_equal(list->xml, field->mirror) || model_is_unset(list, frame->object))
            continue;
        *ret_type = list->type;
        return g_ptr_array_index(model_list(list, frame->object), 0);
    }
    return NULL;
}

/* What that element shows as its attribute, to free. */
static char *mirrored_text(guint flags, const ModelField *field, const ModelFrame *element, const char **ret_unit)
{
    g_autofree char *text = NULL;

    for (guint i = 0; !text && i < element->type->n_fields; i++) {
        const ModelField *attribute = &element->type->fields[i];
        if (attribute->place == MODEL_ATTRIBUTE && g_str_equal(attribute->xml, field->mirror_attribute))
            text = shown_text(flags, attribute, element, ret_unit);
    }
    return g_steal_pointer(&text);
}

/* The value of FIELD to write, to free; NULL: none. */
static char *shown_text(guint flags, const ModelField *field, const ModelFrame *frame, const char **ret_unit)
{
    const ModelType *type = NULL;

    *ret_unit = NULL;
    if (!model_applies(field, frame))
        return NULL;
    gconstpointer mirrored = find_mirrored(field, frame, &type);
    if (mirrored)
        return mirrored_text(flags, field, &(ModelFrame){type, mirrored, frame}, ret_unit);
    if (!is_shown(flags, field, frame->object))
        return g_strdup(field->blank);
    g_autofree char *text = model_scalar_format(field, frame->object, ret_unit);
    if (text && (field->marks & MODEL_HIDE) && g_strcmp0(text, field->initial) == 0)
        return NULL;
    return g_steal_pointer(&text);
}

/* Whether CHILD is something that we made up for a run, which definitions don't show. */
static gboolean is_generated(guint flags, const ModelType *type, gconstpointer child)
{
    for (guint i = 0; type->generated && (flags & MODEL_FORMAT_INACTIVE) && i < type->n_fields; i++)
        if (type->fields[i].place == MODEL_ATTRIBUTE && g_str_equal(type->fields[i].xml, type->generated))
            return MODEL_MEMBER_CONST(child, &type->fields[i], Toggle) == TOGGLE_ON;
    return FALSE;
}

static gboolean has_output(guint flags, const ModelType *type, gconstpointer object, const ModelFrame *outer);

static gboolean field_has_output(guint flags, const ModelField *field, const ModelFrame *frame)
{
    const char *unit;

    if (field->kind == MODEL_STRUCT) {
        gconstpointer child = MODEL_MEMBER_CONST(frame->object, field, gpointer);
        return child && is_shown(flags, field, frame->object) && model_applies(field, frame) &&
               !is_generated(flags, field->type, child) &&
               ((field->marks & MODEL_KEEP) || has_output(flags, field->type, child, frame));
    }
    if (field->kind == MODEL_LIST || field->kind == MODEL_FLAG || field->kind == MODEL_XML)
        return !model_is_unset(field, frame->object) && is_shown(flags, field, frame->object) &&
               model_applies(field, frame);
    g_autofree char *text = shown_text(flags, field, frame, &unit);
    return text != NULL;
}

static gboolean has_output(guint flags, const ModelType *type, gconstpointer object, const ModelFrame *outer)
{
    ModelFrame frame = {type, object, outer};

    for (guint i = 0; i < type->n_fields; i++)
        if (field_has_output(flags, &type->fields[i], &frame))
            return TRUE;
    return FALSE;
}

static void write_attribute(const Formatter *formatter, const ModelField *field, const ModelFrame *frame)
{
    const char *unit;
    g_autofree char *text = shown_text(formatter->flags, field, frame, &unit);

    if (!text)
        return;
    xml_writer_attribute(formatter->writer, field->xml, text);
    if (unit)
        xml_writer_attribute(formatter->writer, "unit", unit);
}

/* The attributes that lie in the text element CARRIER. */
static void write_carried(const Formatter *formatter, const char *carrier, const ModelFrame *frame)
{
    for (guint i = 0; i < frame->type->n_fields; i++) {
        const ModelField *field = &frame->type->fields[i];
        if (field->parent && g_str_equal(field->parent, carrier))
            write_attribute(formatter, field, frame);
    }
}

static void write_text_element(const Formatter *formatter, const char *name, const ModelField *field,
                               const ModelFrame *frame)
{
    const char *unit;
    g_autofree char *text = shown_text(formatter->flags, field, frame, &unit);

    if (!text)
        return;
    xml_writer_open(formatter->writer, name);
    write_carried(formatter, field->xml, frame);
    if (unit)
        xml_writer_attribute(formatter->writer, "unit", unit);
    xml_writer_text(formatter->writer, text);
    xml_writer_close(formatter->writer);
}

static void write_element(const Formatter *formatter, const ModelField *field, const ModelFrame *frame)
{
    g_autofree char *qualified = field->space ? g_strdup_printf("%s:%s", field->space->prefix, field->xml) : NULL;
    const char *name = qualified ? qualified : field->xml;

    if (field->kind != MODEL_STRUCT && field->kind != MODEL_LIST && field->kind != MODEL_FLAG &&
        field->kind != MODEL_XML) {
        write_text_element(formatter, name, field, frame);
        return;
    }
    if (!field_has_output(formatter->flags, field, frame))
        return;
    if (field->kind == MODEL_FLAG) {
        xml_writer_element(formatter->writer, name, NULL);
    } else if (field->kind == MODEL_XML) {
        xml_writer_raw(formatter->writer, MODEL_MEMBER_CONST(frame->object, field, char *));
    } else if (field->kind == MODEL_STRUCT) {
        gconstpointer child = MODEL_MEMBER_CONST(frame->object, field, gpointer);
        format_object(formatter, field->type, name, child, frame);
    } else {
        const GPtrArray *list = model_list(field, frame->object);
        for (guint i = 0; i < list->len; i++) {
            const char *own = model_element_name(field->type, list->pdata[i]);
            if (!is_generated(formatter->flags, field->type, list->pdata[i]))
                format_object(formatter, field->type, own ? own : name, list->pdata[i], frame);
        }
    }
}

/* A root declares the namespaces of the elements that it has. */
static void declare_namespaces(const Formatter *formatter, const ModelFrame *frame)
{
    const ModelNamespace *last = NULL;

    for (guint i = 0; i < frame->type->n_fields; i++) {
        const ModelField *field = &frame->type->fields[i];
        if (!field->space || field->space == last || !field_has_output(formatter->flags, field, frame))
            continue;
        last = field->space;
        g_autofree char *name = g_strdup_printf("xmlns:%s", last->prefix);
        xml_writer_attribute(formatter->writer, name, last->href);
    }
}

static void format_object(const Formatter *formatter, const ModelType *type, const char *name, gconstpointer object,
                          const ModelFrame *outer)
{
    ModelFrame frame = {type, object, outer};
    const char *unit;

    xml_writer_open(formatter->writer, name);
    for (guint i = 0; i < type->n_fields; i++)
        if (type->fields[i].place == MODEL_ATTRIBUTE && !type->fields[i].parent && !(type->fields[i].marks & MODEL_NAME))
            write_attribute(formatter, &type->fields[i], &frame);
    if (type->root)
        declare_namespaces(formatter, &frame);
    for (guint i = 0; i < type->n_fields; i++) {
        const ModelField *field = &type->fields[i];
        if (field->place == MODEL_CONTENT) {
            g_autofree char *text = shown_text(formatter->flags, field, &frame, &unit);
            if (text)
                xml_writer_text(formatter->writer, text);
        } else if (field->place == MODEL_ELEMENT) {
            write_element(formatter, field, &frame);
        }
    }
    if (type->wide)
        xml_writer_wide(formatter->writer);
    xml_writer_close(formatter->writer);
}

void model_format_as(const ModelType *type, const char *name, gconstpointer object, guint flags, XmlWriter *writer)
{
    Formatter formatter = {writer, flags};

    format_object(&formatter, type, name, object, NULL);
}

void model_format(const ModelType *type, gconstpointer object, guint flags, XmlWriter *writer)
{
    model_format_as(type, type->xml, object, flags, writer);
}

char *model_format_text(const ModelType *type, gconstpointer object, guint flags)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    model_format(type, object, flags, writer);
    return xml_writer_finish(writer);
}
