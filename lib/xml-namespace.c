/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/xml-namespace.h"

#include <libxml/tree.h>

#include "lib/error.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlNode, xmlFreeNode)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlBuffer, xmlBufferFree)

static char *dump(xmlNode *node)
{
    g_autoptr(xmlBuffer) buffer = xmlBufferCreate();
    xmlNodeDump(buffer, node->doc, node, 0, 1);
    return g_strdup((const char *)xmlBufferContent(buffer));
}

/* Declares the namespaces that NODE had from the elements around it. */
static xmlNode *copy_of(const XmlNode *node)
{
    xmlNode *original = (xmlNode *)node;
    return xmlDocCopyNode(original, original->doc, 1);
}

/* xml_parse() bounds the depth. */
static void put_below(xmlNode *node, xmlNs *ns)
{
    if (node->type != XML_ELEMENT_NODE)
        return;
    xmlSetNs(node, ns);
    for (xmlNode *child = node->children; child; child = child->next)
        put_below(child, ns);
}

char *xml_serialize_named(const XmlNode *node, const char *prefix, const char *uri, GError **error)
{
    g_autoptr(xmlNode) copy = copy_of(node);
    xmlNs *ns = NULL;
    if (uri[0] != '\0' && xmlValidateNCName((const xmlChar *)prefix, 0) == 0)
        ns = xmlNewNs(copy, (const xmlChar *)uri, (const xmlChar *)prefix);
    if (!ns) {
        error_set(error, VIR_FROM_XML, VIR_ERR_INTERNAL_ERROR, "failed to validate prefix for a new XML namespace");
        return NULL;
    }
    put_below(copy, ns);
    return dump(copy);
}

static gboolean is_of(const xmlNs *ns, const char *uri)
{
    return ns && ns->href && g_str_equal((const char *)ns->href, uri);
}

static void forget_declarations(xmlNode *node, const char *uri)
{
    xmlNs **place = &node->nsDef;
    while (*place) {
        xmlNs *ns = *place;
        if (!is_of(ns, uri)) {
            place = &ns->next;
            continue;
        }
        *place = ns->next;
        xmlFreeNs(ns);
    }
}

/* Uses first, then what they point to. */
static void forget_uses(xmlNode *node, const char *uri)
{
    if (node->type != XML_ELEMENT_NODE)
        return;
    if (is_of(node->ns, uri))
        node->ns = NULL;
    for (xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
        if (is_of(attribute->ns, uri))
            attribute->ns = NULL;
    for (xmlNode *child = node->children; child; child = child->next)
        forget_uses(child, uri);
    forget_declarations(node, uri);
}

char *xml_serialize_bare(const XmlNode *node, const char *uri)
{
    g_autoptr(xmlNode) copy = copy_of(node);
    forget_uses(copy, uri);
    return dump(copy);
}

gboolean xml_can_say(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return FALSE;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == 0xfffe || c == 0xffff)
            return FALSE;
    }
    return TRUE;
}
