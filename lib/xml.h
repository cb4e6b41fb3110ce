/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * XML in (xml.c, the only file that includes libxml2's headers) and out (xml-writer.c).
 *
 * In: a hostile document becomes a tree (no network, no entities beyond the five, no external subset, at most
 * XML_DOCUMENT_MAX bytes and XML_DEPTH_MAX levels). Out: an indenting writer with libvirt's conventions (two blanks a
 * level, single quotes, an empty element closed at once).
 */
#include <glib.h>

#define XML_DOCUMENT_MAX (4 * 1024 * 1024)
#define XML_DEPTH_MAX 128

typedef struct XmlDocument XmlDocument;
typedef struct XmlNode XmlNode; /* an element; belongs to its document */

/* TEXT need not be trusted; it must be NUL terminated. WHAT names it in errors ("domain") and picks their domain. NULL
 * with ERROR (VIR_ERR_XML_ERROR or VIR_ERR_XML_DETAIL, with line and cause). */
XmlDocument *xml_parse(const char *text, const char *what, GError **error);
void xml_document_free(XmlDocument *document); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XmlDocument, xml_document_free)

XmlNode *xml_root(XmlDocument *document); /* never NULL */
const char *xml_name(const XmlNode *node);
const char *xml_namespace(const XmlNode *node); /* href; NULL for none */
XmlNode *xml_first(const XmlNode *node);        /* first child element, NULL if none */
XmlNode *xml_next(const XmlNode *node);         /* next sibling element */
XmlNode *xml_child(const XmlNode *node, const char *name); /* first child element of that name, no namespace */
char *xml_attribute(const XmlNode *node, const char *name); /* to free; NULL if absent */
char *xml_content(const XmlNode *node);         /* all text below NODE, to free; "" if none */
int xml_line(const XmlNode *node);
/* Whether DOCUMENT is a <NAME>; VIR_ERR_XML_ERROR otherwise. */
gboolean xml_check_root(XmlDocument *document, const char *name, GError **error);
/* Each attribute of NODE without a namespace, in document order. */
typedef void (*XmlAttributeFunc)(const char *name, const char *value, gpointer data);
void xml_each_attribute(const XmlNode *node, XmlAttributeFunc fn, gpointer data);
/* NODE and what is below it as text, in its own indentation, to free (metadata, foreign namespaces). */
char *xml_serialize(const XmlNode *node);
/* The same without the text in NODE itself, and of its children only those with a namespace: the first of each. */
char *xml_serialize_foreign(const XmlNode *node);
/* TEXT, an element, in the indentation that is right at LEVEL (its first line has none), to free; NULL for no element. */
char *xml_reindent(const char *text, guint level);

/* A RELAX NG schema, read from a file: some 30 ms. One thread at a time. NULL with VIR_ERR_INTERNAL_ERROR. */
typedef struct XmlSchema XmlSchema;
XmlSchema *xml_schema_new(const char *path, GError **error);
void xml_schema_free(XmlSchema *schema); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XmlSchema, xml_schema_free)

/* Holds DOCUMENT against SCHEMA; VIR_ERR_XML_INVALID_SCHEMA with libxml2's words, each a line. */
gboolean xml_schema_check(XmlSchema *schema, XmlDocument *document, GError **error);
/* Both at once. */
gboolean xml_validate(XmlDocument *document, const char *schema_path, GError **error);

typedef struct XmlWriter XmlWriter;

XmlWriter *xml_writer_new(void);
void xml_writer_free(XmlWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XmlWriter, xml_writer_free)
void xml_writer_open(XmlWriter *writer, const char *name);  /* <name ... attributes may follow */
void xml_writer_attribute(XmlWriter *writer, const char *name, const char *value); /* escapes */
void xml_writer_attributef(XmlWriter *writer, const char *name, const char *format, ...) G_GNUC_PRINTF(3, 4);
void xml_writer_text(XmlWriter *writer, const char *text);  /* the element's content: closes on the same line */
void xml_writer_close(XmlWriter *writer);                   /* "/>" if nothing was written inside */
void xml_writer_element(XmlWriter *writer, const char *name, const char *text); /* <name>text</name>; <name/> if NULL */
void xml_writer_wide(XmlWriter *writer);                    /* it gets an end tag of its own, also if it is empty */
void xml_writer_raw(XmlWriter *writer, const char *xml);    /* a serialized element, re-indented to this place */
char *xml_writer_finish(XmlWriter *writer);                 /* the text, to free; the writer is empty after */
