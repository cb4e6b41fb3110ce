/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The kinds of documents that there are, by their root element: for what works on any of them (tools/duovirt-xml, tests). */
#include "lib/model/model.h"

typedef struct {
    const char *root;      /* element */
    const char *schema;    /* file name of its RELAX NG schema */
    const ModelType *type; /* a root, or another struct that stands alone */
    /* Reads one as a daemon would without knowing its host, with defaults filled in and checks done; NULL: what the
     * description says is all. */
    gpointer (*read)(XmlDocument *document, GError **error);
} DocumentKind;

/* All, by their roots' names. */
const DocumentKind *document_kinds(guint *ret_n);

/* NULL with VIR_ERR_XML_ERROR where none has this root. */
const DocumentKind *document_kind(XmlDocument *document, GError **error);

/* DOCUMENT as KIND's object; what the description does not know is told in WARNINGS (of char *, owned; may be NULL). */
gpointer document_read(const DocumentKind *kind, XmlDocument *document, GPtrArray *warnings, GError **error);
void document_free(const DocumentKind *kind, gpointer object); /* NULL is allowed */
