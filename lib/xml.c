/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/xml.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/tree.h>
#include <string.h>

#include "lib/error.h"
#include "lib/xml-limit.h"

#define CONTEXT_MAX 80 /* characters of the faulty line shown in an error */

struct XmlDocument {
    xmlDoc *doc;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlParserCtxt, xmlFreeParserCtxt)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlNode, xmlFreeNode)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlBuffer, xmlBufferFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNG, xmlRelaxNGFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGParserCtxt, xmlRelaxNGFreeParserCtxt)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGValidCtxt, xmlRelaxNGFreeValidCtxt)

/* libxml2's strings are unsigned char. */
static const char *chars(const xmlChar *text)
{
    return (const char *)text;
}

static char *take(xmlChar *text)
{
    char *copy = g_strdup(chars(text));

    xmlFree(text);
    return copy;
}

static const xmlNode *to_xml(const XmlNode *node)
{
    return (const xmlNode *)node;
}

static XmlNode *element_from(xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return (XmlNode *)node;
}

/* In */

static void on_entity(void *data, const xmlChar *name, int type, const xmlChar *public_id, const xmlChar *system_id,
                      xmlChar *content)
{
    xmlParserCtxt *context = data;

    context->_private = (void *)"entities are not allowed";
    xmlStopParser(context);
}

/* libvirt's error domain for documents of a kind. */
static virErrorDomain domain_of(const char *what)
{
    static const struct {
        const char *what;
        virErrorDomain from;
    } domains[] = {
        {"domain", VIR_FROM_DOMAIN},
        {"device", VIR_FROM_DOMAIN},
        {"network", VIR_FROM_NETWORK},
        {"secret", VIR_FROM_SECRET},
        {"pool", VIR_FROM_STORAGE},
        {"volume", VIR_FROM_STORAGE},
        {"nwfilter", VIR_FROM_NWFILTER},
        {"storage_pool", VIR_FROM_STORAGE},
        {"storage_volume", VIR_FROM_STORAGE},
        {"nodedev", VIR_FROM_NODEDEV},
        {"interface", VIR_FROM_INTERFACE},
        {"CPU", VIR_FROM_CPU},
        {"domain_snapshot", VIR_FROM_DOMAIN_SNAPSHOT},
        {"domain_checkpoint", VIR_FROM_DOMAIN_CHECKPOINT},
        {"domain_backup", VIR_FROM_DOMAIN},
    };

    for (guint i = 0; i < G_N_ELEMENTS(domains); i++)
        if (g_str_equal(domains[i].what, what))
            return domains[i].from;
    return VIR_FROM_XML;
}

/* The faulty line, and below it a mark where the parser stopped. */
static char *show_place(const xmlParserCtxt *context)
{
    if (!context->input || !context->input->cur)
        return g_strdup("");
    const char *base = chars(context->input->base);
    const char *place = chars(context->input->cur);
    while (place > base && (*place == '\n' || *place == '\r'))
        place--;
    const char *start = place;
    while (start > base && place - start < CONTEXT_MAX && start[-1] != '\n' && start[-1] != '\r')
        start--;
    gsize length = strcspn(start, "\r\n");
    g_autofree char *line = g_strndup(start, MIN(length, CONTEXT_MAX));
    g_autofree char *valid = g_utf8_make_valid(line, -1);
    g_autofree char *dashes = g_strnfill(place - start, '-');
    return g_strdup_printf("%s\n%s^", valid, dashes);
}

static gboolean refuse(xmlParserCtxt *context, const char *what, GError **error)
{
    const xmlError *last = xmlCtxtGetLastError(context);
    int line = last ? last->line : 1;
    g_autofree char *place = show_place(context);
    const char *cause = context->_private           ? context->_private
                        : last && last->message     ? last->message
                                                    : "not an XML document";
    g_autofree char *message = g_strchomp(g_utf8_make_valid(cause, -1));
    g_autofree char *source = strcmp(what, "secret") == 0 ? g_strdup("definition_of_secret") /* libvirt's word */
                                                          : g_strconcat(what, "_definition", NULL);
    return error_set(error, domain_of(what), VIR_ERR_XML_DETAIL, "(%s):%d: %s\n%s", source, line, message, place);
}

/* Deepest element below and including ROOT, without recursion; stops counting beyond LIMIT. */
static guint tree_depth(const xmlNode *root, guint limit)
{
    guint depth = 1, deepest = 1;
    const xmlNode *node = root;

    while (deepest <= limit) {
        if (node->type == XML_ELEMENT_NODE && node->children) {
            node = node->children;
            depth++;
        } else {
            while (node != root && !node->next) {
                node = node->parent;
                depth--;
            }
            if (node == root)
                break;
            node = node->next;
        }
        if (node->type == XML_ELEMENT_NODE)
            deepest = MAX(deepest, depth);
    }
    return deepest;
}

XmlDocument *xml_parse(const char *text, const char *what, GError **error)
{
    gsize length = strnlen(text, XML_DOCUMENT_MAX + 1);
    if (length > XML_DOCUMENT_MAX) {
        error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "the %s document is longer than %d bytes", what,
                  XML_DOCUMENT_MAX);
        return NULL;
    }
    if (!xml_limit_check(text, length, what, error))
        return NULL;

    xmlInitParser();
    g_autoptr(xmlParserCtxt) context = xmlNewParserCtxt();
    context->sax->entityDecl = on_entity;
    g_autoptr(xmlDoc) doc = xmlCtxtReadMemory(context, text, (int)length, NULL, NULL,
                                              XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!doc || !context->wellFormed || context->_private) {
        refuse(context, what, error);
        return NULL;
    }
    xmlNode *root = xmlDocGetRootElement(doc);
    if (!root || tree_depth(root, XML_DEPTH_MAX) > XML_DEPTH_MAX) {
        error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "the %s document is nested deeper than %d elements", what,
                  XML_DEPTH_MAX);
        return NULL;
    }
    XmlDocument *document = g_new0(XmlDocument, 1);
    document->doc = g_steal_pointer(&doc);
    return document;
}

void xml_document_free(XmlDocument *document)
{
    if (!document)
        return;
    xmlFreeDoc(document->doc);
    g_free(document);
}

XmlNode *xml_root(XmlDocument *document)
{
    return (XmlNode *)xmlDocGetRootElement(document->doc);
}

gboolean xml_check_root(XmlDocument *document, const char *name, GError **error)
{
    const char *root = xml_name(xml_root(document));
    return g_str_equal(root, name) ||
           error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "expecting root element of '%s', not '%s'", name, root);
}

const char *xml_name(const XmlNode *node)
{
    return chars(to_xml(node)->name);
}

const char *xml_namespace(const XmlNode *node)
{
    return to_xml(node)->ns ? chars(to_xml(node)->ns->href) : NULL;
}

XmlNode *xml_first(const XmlNode *node)
{
    return element_from(to_xml(node)->children);
}

XmlNode *xml_next(const XmlNode *node)
{
    return element_from(to_xml(node)->next);
}

XmlNode *xml_child(const XmlNode *node, const char *name)
{
    XmlNode *child = xml_first(node);

    while (child && (xml_namespace(child) || !g_str_equal(xml_name(child), name)))
        child = xml_next(child);
    return child;
}

char *xml_attribute(const XmlNode *node, const char *name)
{
    xmlChar *value = xmlGetNoNsProp(to_xml(node), (const xmlChar *)name);

    return value ? take(value) : NULL;
}

char *xml_content(const XmlNode *node)
{
    xmlChar *value = xmlNodeGetContent(to_xml(node));

    return value ? take(value) : g_strdup("");
}

int xml_line(const XmlNode *node)
{
    return (int)xmlGetLineNo((const xmlNode *)node);
}

void xml_each_attribute(const XmlNode *node, XmlAttributeFunc fn, gpointer data)
{
    for (const xmlAttr *attribute = to_xml(node)->properties; attribute; attribute = attribute->next) {
        if (attribute->ns)
            continue;
        g_autofree char *value = xml_attribute(node, chars(attribute->name));
        fn(chars(attribute->name), value, data);
    }
}

/* NODE as text whose inner lines are indented as at LEVEL; the first one is not. */
static char *dump(xmlDoc *doc, xmlNode *node, int level)
{
    g_autoptr(xmlBuffer) buffer = xmlBufferCreate();

    xmlNodeDump(buffer, doc, node, level, 1);
    return g_strdup(chars(xmlBufferContent(buffer)));
}

char *xml_reindent(const char *text, guint level)
{
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS;
    g_autoptr(xmlDoc) doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, options);

    return doc ? dump(doc, xmlDocGetRootElement(doc), (int)level) : NULL;
}

/* A copy declares the namespaces that NODE had from the elements around it. */
static char *serialize(xmlNode *copy)
{
    g_autofree char *text = dump(copy->doc, copy, 0);

    return xml_reindent(text, 0);
}

char *xml_serialize(const XmlNode *node)
{
    g_autoptr(xmlNode) copy = xmlDocCopyNode((xmlNode *)node, to_xml(node)->doc, 1);

    return serialize(copy);
}

static gboolean repeats_namespace(const xmlNode *child)
{
    for (const xmlNode *other = child->prev; other; other = other->prev)
        if (xmlStrEqual(other->ns->href, child->ns->href))
            return TRUE;
    return FALSE;
}

char *xml_serialize_foreign(const XmlNode *node)
{
    g_autoptr(xmlNode) copy = xmlDocCopyNode((xmlNode *)node, to_xml(node)->doc, 1);
    xmlNode *next = NULL;

    for (xmlNode *child = copy->children; child; child = next) {
        next = child->next;
        if (child->type == XML_ELEMENT_NODE && child->ns && !repeats_namespace(child))
            continue;
        xmlUnlinkNode(child);
        xmlFreeNode(child);
    }
    return serialize(copy);
}

/* Schemas */

static void on_schema_error(void *data, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void on_schema_error(void *data, const char *format, ...)
{
    GString *text = data;
    va_list args;

    va_start(args, format);
    if (text->len < 4096)
        g_string_append_vprintf(text, format, args);
    va_end(args);
}

struct XmlSchema {
    char *path;
    xmlRelaxNG *grammar;
};

void xml_schema_free(XmlSchema *schema)
{
    if (!schema)
        return;
    xmlRelaxNGFree(schema->grammar);
    g_free(schema->path);
    g_free(schema);
}

XmlSchema *xml_schema_new(const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *grammar = NULL;
    gsize length = 0;

    /* Read by us: libxml2 tells stderr of a file that is not there. */
    if (!g_file_get_contents(path, &grammar, &length, NULL) || length > G_MAXINT) {
        error_set(error, VIR_FROM_XML, VIR_ERR_INTERNAL_ERROR, "Unable to create RNG parser for %s", path);
        return NULL;
    }
    g_autoptr(xmlRelaxNGParserCtxt) parser = xmlRelaxNGNewMemParserCtxt(grammar, (int)length);
    xmlRelaxNGSetParserErrors(parser, on_schema_error, on_schema_error, text);
    g_autoptr(xmlRelaxNG) parsed = xmlRelaxNGParse(parser);
    if (!parsed) {
        error_set(error, VIR_FROM_XML, VIR_ERR_INTERNAL_ERROR, "Unable to parse RNG %s: %s", path,
                  g_strchomp(text->str));
        return NULL;
    }
    XmlSchema *schema = g_new0(XmlSchema, 1);
    schema->path = g_strdup(path);
    schema->grammar = g_steal_pointer(&parsed);
    return schema;
}

gboolean xml_schema_check(XmlSchema *schema, XmlDocument *document, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(xmlRelaxNGValidCtxt) context = xmlRelaxNGNewValidCtxt(schema->grammar);

    xmlRelaxNGSetValidErrors(context, on_schema_error, on_schema_error, text);
    if (xmlRelaxNGValidateDoc(context, document->doc) != 0)
        return error_set(error, VIR_FROM_XML, VIR_ERR_XML_INVALID_SCHEMA, "Unable to validate doc against %s\n%s",
                         schema->path, text->str);
    return TRUE;
}

gboolean xml_validate(XmlDocument *document, const char *schema_path, GError **error)
{
    g_autoptr(XmlSchema) schema = xml_schema_new(schema_path, error);

    return schema && xml_schema_check(schema, document, error);
}
