/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A document into objects.
 *
 * Attributes come first, in an order in which each is read after those that its conditions speak of; then the elements
 * in the order of the document; then what is absent: defaults, and complaints. As libvirt does, the first of several
 * elements of a name counts, and what the description does not know, or knows under other conditions only, is ignored
 * (and told in the warnings).
 */
#include "lib/model/table.h"

#include <string.h>

#include "lib/error.h"

typedef struct {
    guint flags;
    GPtrArray *warnings; /* NULL: nobody wants to know */
    GString *path;       /* of the element being read; NULL without warnings */
    const XmlNode *around; /* the element that it lies in */
} Parser;

static gpointer parse_object(Parser *parser, const ModelType *type, const XmlNode *node, const ModelFrame *outer,
                             GError **error);
static void fill(const ModelType *type, gpointer object, const ModelFrame *outer);

/* Whether a document of this kind has FIELD at all. */
static gboolean is_wanted(const Parser *parser, const ModelField *field)
{
    if ((field->marks & MODEL_STATUS) && !(parser->flags & MODEL_PARSE_STATUS))
        return FALSE;
    if (!(parser->flags & MODEL_PARSE_INACTIVE))
        return TRUE;
    return !(field->marks & (MODEL_RUNNING | MODEL_TRANSIENT)) || field->kept;
}

static gboolean is_dropped(const Parser *parser, const ModelField *field, const char *text)
{
    return field->kept && (parser->flags & MODEL_PARSE_INACTIVE) && !g_str_has_prefix(text, field->kept);
}

static gboolean element_matches(const ModelField *field, const XmlNode *node)
{
    const char *space = xml_namespace(node);

    if (field->place != MODEL_ELEMENT ||
        (!g_str_equal(field->xml, xml_name(node)) && !model_element_named(field, xml_name(node))))
        return FALSE;
    if (field->space ? g_strcmp0(space, field->space->href) != 0 : space != NULL)
        return FALSE;
    if (!field->match)
        return TRUE;
    g_autofree char *value = xml_attribute(node, field->match);
    return g_strcmp0(value, field->match_value) == 0;
}

/* Of the fields that NODE can be: the one whose conditions hold. *RET_KNOWN tells if there is any other. */
static const ModelField *find_element(const ModelFrame *frame, const XmlNode *node, gboolean *ret_known)
{
    *ret_known = FALSE;
    for (guint i = 0; i < frame->type->n_fields; i++) {
        const ModelField *field = &frame->type->fields[i];
        if (!element_matches(field, node))
            continue;
        *ret_known = TRUE;
        if (model_applies(field, frame))
            return field;
    }
    return NULL;
}

/* Warnings */

static void warn(Parser *parser, const char *sign, const char *name, const char *what, const char *nearest)
{
    if (nearest)
        g_ptr_array_add(parser->warnings, g_strdup_printf("%s/%s%s: %s; did you mean '%s'?", parser->path->str, sign,
                                                          name, what, nearest));
    else
        g_ptr_array_add(parser->warnings, g_strdup_printf("%s/%s%s: %s", parser->path->str, sign, name, what));
}

typedef struct {
    Parser *parser;
    const ModelFrame *frame;
    const char *carrier; /* the text element whose attributes these are; NULL: the object's own element */
} Attributes;

static void check_attribute(const char *name, const char *value, gpointer data)
{
    Attributes *attributes = data;
    const ModelFrame *frame = attributes->frame;
    gboolean known = FALSE;

    for (guint i = 0; i < frame->type->n_fields; i++) {
        const ModelField *field = &frame->type->fields[i];
        gboolean here = field->place == MODEL_ATTRIBUTE && g_strcmp0(field->parent, attributes->carrier) == 0;
        if (field->kind == MODEL_SIZE && g_str_equal(name, "unit") &&
            (here || (attributes->carrier && g_strcmp0(field->xml, attributes->carrier) == 0)))
            return;
        if (!here || !g_str_equal(field->xml, name))
            continue;
        known = TRUE;
        if (model_applies(field, frame))
            return;
    }
    if (known)
        warn(attributes->parser, "@", name, "this attribute has no meaning here and is ignored", NULL);
    else
        warn(attributes->parser, "@", name, "unknown attribute, ignored", model_nearest(frame->type, name, FALSE));
}

static void check_attributes(Parser *parser, const ModelFrame *frame, const char *carrier, const XmlNode *node)
{
    Attributes attributes = {parser, frame, carrier};

    if (parser->warnings)
        xml_each_attribute(node, check_attribute, &attributes);
}

/* Attributes and text */

static gboolean parse_attribute(Parser *parser, const ModelField *field, gpointer object, const XmlNode *node,
                                GError **error)
{
    g_autofree char *text = xml_attribute(node, field->xml);
    if (text && field->refused)
        return error_set(error, field->refused_code >> 16, field->refused_code & 0xffff, "%s", field->refused);
    if (!text || is_dropped(parser, field, text))
        return TRUE;
    g_autofree char *unit = field->kind == MODEL_SIZE ? xml_attribute(node, "unit") : NULL;
    return model_scalar_parse(field, object, text, unit, field->xml, xml_name(node), error);
}

static gboolean parse_attributes(Parser *parser, const ModelFrame *frame, gpointer object, const XmlNode *node,
                                 GError **error)
{
    for (guint i = 0; i < frame->type->n_attributes; i++) {
        const ModelField *field = &frame->type->fields[frame->type->attributes[i]];
        if (field->marks & MODEL_NAME)
            MODEL_MEMBER(object, field, guint32) = model_enum_from_string(field->values, xml_name(node));
        if (is_wanted(parser, field) && model_applies(field, frame) && model_is_unset(field, object) &&
            !parse_attribute(parser, field, object, node, error))
            return FALSE;
        if (field->initial && model_is_unset(field, object) && model_applies(field, frame))
            model_scalar_parse(field, object, field->initial, NULL, field->xml, "", NULL);
    }
    check_attributes(parser, frame, NULL, node);
    return TRUE;
}

/* Attributes that lie in the text element NODE of the object. */
static gboolean parse_carried(Parser *parser, const ModelFrame *frame, gpointer object, const XmlNode *node,
                              GError **error)
{
    for (guint i = 0; i < frame->type->n_fields; i++) {
        const ModelField *field = &frame->type->fields[i];
        if (field->parent && g_str_equal(field->parent, xml_name(node)) && is_wanted(parser, field) &&
            model_applies(field, frame) && !parse_attribute(parser, field, object, node, error))
            return FALSE;
    }
    check_attributes(parser, frame, xml_name(node), node);
    return TRUE;
}

static gboolean parse_text(Parser *parser, const ModelField *field, gpointer object, const XmlNode *node,
                           GError **error)
{
    g_autofree char *text = xml_content(node);
    if (field->place == MODEL_CONTENT && text[strspn(text, " \t\r\n")] == '\0')
        return TRUE;
    if (is_dropped(parser, field, text))
        return TRUE;
    if (field->kind != MODEL_STRING)
        g_strstrip(text);
    g_autofree char *unit = field->kind == MODEL_SIZE ? xml_attribute(node, "unit") : NULL;
    return model_scalar_parse(field, object, text, unit, NULL, xml_name(node), error);
}

/* Elements */

static gboolean is_empty(const ModelType *type, gconstpointer object)
{
    for (guint i = 0; i < type->n_fields; i++)
        if (!model_is_unset(&type->fields[i], object))
            return FALSE;
    return TRUE;
}

static gboolean parse_element(Parser *parser, const ModelField *field, const ModelFrame *frame, gpointer object,
                              const XmlNode *node, GError **error)
{
    switch (field->kind) {
    case MODEL_FLAG:
        MODEL_MEMBER(object, field, gboolean) = TRUE;
        return TRUE;
    case MODEL_XML:
        MODEL_MEMBER(object, field, char *) = xml_serialize_foreign(node);
        return TRUE;
    case MODEL_STRUCT:
    case MODEL_LIST: {
        gpointer child = parse_object(parser, field->type, node, frame, error);
        if (!child)
            return FALSE;
        if (field->kind == MODEL_LIST)
            g_ptr_array_add(model_list(field, object), child);
        else if (is_empty(field->type, child) && !(field->marks & MODEL_KEEP))
            model_free(field->type, child);
        else
            MODEL_MEMBER(object, field, gpointer) = child;
        return TRUE;
    }
    default:
        return parse_carried(parser, frame, object, node, error) && parse_text(parser, field, object, node, error);
    }
}

/* Steps down to NODE in the path of the warnings; the return value leads back. */
static gsize descend(Parser *parser, const ModelField *field, gconstpointer object, const XmlNode *node)
{
    gsize length = parser->path ? parser->path->len : 0;

    if (!parser->path)
        return 0;
    g_string_append_printf(parser->path, "/%s", xml_name(node));
    if (field->kind == MODEL_LIST)
        g_string_append_printf(parser->path, "[%u]", model_list(field, object)->len + 1);
    return length;
}

static void warn_element(Parser *parser, const ModelFrame *frame, const XmlNode *node, gboolean known)
{
    if (!parser->warnings)
        return;
    if (known)
        warn(parser, "", xml_name(node), "this element has no meaning here and is ignored", NULL);
    else
        warn(parser, "", xml_name(node), "unknown element, ignored",
             model_nearest(frame->type, xml_name(node), TRUE));
}

static gboolean parse_elements(Parser *parser, const ModelFrame *frame, gpointer object, const XmlNode *parent,
                               GError **error)
{
    for (const XmlNode *node = xml_first(parent); node; node = xml_next(node)) {
        gboolean known = FALSE;
        const ModelField *field = find_element(frame, node, &known);
        if (!field) {
            if (!known && frame->type->unknown && !xml_namespace(node))
                return error_set(error, frame->type->unknown_code >> 16, frame->type->unknown_code & 0xffff,
                                 frame->type->unknown, xml_name(node));
            warn_element(parser, frame, node, known);
            continue;
        }
        if (!is_wanted(parser, field))
            continue;
        if (field->once && !model_is_unset(field, object))
            return error_set(error, field->once_code >> 16, field->once_code & 0xffff, "%s", field->once);
        if (field->kind != MODEL_LIST && !model_is_unset(field, object)) {
            if (parser->warnings)
                warn(parser, "", xml_name(node), "only the first element of this name counts", NULL);
            continue;
        }
        gsize length = descend(parser, field, object, node);
        const XmlNode *around = parser->around;
        parser->around = parent;
        if (!parse_element(parser, field, frame, object, node, error))
            return FALSE;
        parser->around = around;
        if (parser->path)
            g_string_truncate(parser->path, length);
    }
    return TRUE;
}

static gboolean parse_content(Parser *parser, const ModelFrame *frame, gpointer object, const XmlNode *node,
                              GError **error)
{
    for (guint i = 0; i < frame->type->n_fields; i++) {
        const ModelField *field = &frame->type->fields[i];
        if (field->place == MODEL_CONTENT && model_applies(field, frame))
            return parse_text(parser, field, object, node, error);
    }
    return TRUE;
}

/* What is absent */

static const ModelField *field_named(const ModelType *type, const char *xml, ModelKind kind)
{
    for (guint i = 0; i < type->n_fields; i++)
        if (type->fields[i].kind == kind && g_strcmp0(type->fields[i].xml, xml) == 0)
            return &type->fields[i];
    return NULL;
}

static const char *string_named(const ModelType *type, gconstpointer object, const char *xml)
{
    const ModelField *field = field_named(type, xml, MODEL_STRING);
    return field ? MODEL_MEMBER_CONST(object, field, char *) : NULL;
}

static const char *const places[] = {"file", "dev", "dir", "name"}; /* attributes of <source> */

/* What the <source> of FRAME's object names, in libvirt's words; NULL if it names nothing. To free. */
static char *source_of(const ModelFrame *frame)
{
    const ModelField *field = field_named(frame->type, "source", MODEL_STRUCT);
    gconstpointer source = field ? MODEL_MEMBER_CONST(frame->object, field, gpointer) : NULL;
    if (!source)
        return NULL;
    const char *pool = string_named(field->type, source, "pool"), *volume = string_named(field->type, source, "volume");
    if (pool && volume)
        return g_strdup_printf("pool = '%s', volume = '%s'", pool, volume);
    for (guint i = 0; i < G_N_ELEMENTS(places); i++)
        if (string_named(field->type, source, places[i]))
            return g_strdup(string_named(field->type, source, places[i]));
    return NULL;
}

/* The same of a <source> that comes later in the element NODE and has not been read. */
static char *source_in(const XmlNode *node)
{
    const XmlNode *source = xml_child(node, "source");

    for (guint i = 0; source && i < G_N_ELEMENTS(places); i++) {
        char *name = xml_attribute(source, places[i]);
        if (name)
            return name;
    }
    return NULL;
}

/* A device without words of its own is told apart by its source. */
static gboolean missing_of_source(const Parser *parser, int from, int code, const ModelFrame *frame, GError **error)
{
    g_autofree char *source = source_of(frame);
    if (!source && frame->outer)
        source = source_of(frame->outer);
    if (!source && parser->around)
        source = source_in(parser->around);
    return source ? error_set(error, from, code, "%s", source) : error_set(error, from, code, NULL);
}

/* Libvirt's own words; a %s in them is the object's type. */
static gboolean missing_words(const Parser *parser, const ModelField *field, const ModelFrame *frame, GError **error)
{
    int from = field->missing_code >> 16, code = field->missing_code & 0xffff;
    const char *type = "";

    if (*field->missing == '\0')
        return missing_of_source(parser, from, code, frame, error);
    for (guint i = 0; i < frame->type->n_fields; i++) {
        const ModelField *other = &frame->type->fields[i];
        if (other->kind == MODEL_ENUM && g_strcmp0(other->xml, "type") == 0)
            type = model_enum_to_string(other->values, MODEL_MEMBER_CONST(frame->object, other, guint32));
    }
    return error_set(error, from, code, strstr(field->missing, "%s") ? field->missing : "%s",
                     strstr(field->missing, "%s") ? type : field->missing);
}

static gboolean missing(const Parser *parser, const ModelField *field, const ModelFrame *frame, const char *element,
                        GError **error)
{
    if (field->missing)
        return missing_words(parser, field, frame, error);
    if (field->place == MODEL_ATTRIBUTE)
        return error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "Missing required attribute '%s' in element '%s'",
                         field->xml, element);
    if (field->place == MODEL_CONTENT)
        return error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "Missing content of element '%s'", element);
    return error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "Missing required element '%s' in element '%s'",
                     field->xml, element);
}

/* Defaults of everything in OBJECT that is absent. */
static void fill(const ModelType *type, gpointer object, const ModelFrame *outer)
{
    ModelFrame frame = {type, object, outer};

    for (guint i = 0; i < type->n_fields; i++) {
        const ModelField *field = &type->fields[i];
        if (!model_is_unset(field, object) || !model_applies(field, &frame))
            continue;
        if (field->initial) {
            model_scalar_parse(field, object, field->initial, NULL, field->xml, "", NULL);
        } else if (field->marks & MODEL_ALWAYS) {
            gpointer child = model_new(field->type);
            fill(field->type, child, &frame);
            MODEL_MEMBER(object, field, gpointer) = child;
        }
    }
}

static gboolean check_required(const Parser *parser, const ModelFrame *frame, const char *element, GError **error)
{
    for (guint i = 0; i < frame->type->n_fields; i++) {
        const ModelField *field = &frame->type->fields[i];
        if ((field->marks & MODEL_REQUIRED) && is_wanted(parser, field) && model_is_unset(field, frame->object) &&
            model_applies(field, frame))
            return missing(parser, field, frame, element, error);
    }
    return TRUE;
}

static gpointer parse_object(Parser *parser, const ModelType *type, const XmlNode *node, const ModelFrame *outer,
                             GError **error)
{
    gpointer object = model_new(type);
    ModelFrame frame = {type, object, outer};

    if (parse_attributes(parser, &frame, object, node, error) && parse_content(parser, &frame, object, node, error) &&
        parse_elements(parser, &frame, object, node, error)) {
        fill(type, object, outer);
        if (check_required(parser, &frame, xml_name(node), error))
            return object;
    }
    model_free(type, object);
    return NULL;
}

/* A description's words that name the object say {name}, for only its document tells its name. */
static void name_object(const XmlNode *root, GError *wrong)
{
    const XmlNode *name = xml_child(root, "name");
    if (!wrong || !strstr(wrong->message, "{name}"))
        return;
    g_autofree char *text = name ? xml_content(name) : g_strdup("");
    g_auto(GStrv) parts = g_strsplit(wrong->message, "{name}", 2);
    g_free(wrong->message);
    wrong->message = g_strjoinv(text, parts);
}

gpointer model_parse(const ModelType *type, const XmlNode *node, guint flags, GPtrArray *warnings, GError **error)
{
    g_autoptr(GString) path = warnings ? g_string_new(xml_name(node)) : NULL;
    g_autoptr(GError) wrong = NULL;
    Parser parser = {flags, warnings, path, NULL};

    if (type->root && !g_str_equal(type->xml, xml_name(node))) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "unexpected root element <%s>, expecting <%s>",
                  xml_name(node), type->xml);
        return NULL;
    }
    gpointer object = parse_object(&parser, type, node, NULL, &wrong);
    name_object(node, wrong);
    if (wrong)
        g_propagate_error(error, g_steal_pointer(&wrong));
    return object;
}

gpointer model_parse_text(const ModelType *type, const char *text, guint flags, GPtrArray *warnings, GError **error)
{
    g_autoptr(XmlDocument) document = xml_parse(text, type->xml, error);

    return document ? model_parse(type, xml_root(document), flags, warnings, error) : NULL;
}
