/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Foreign XML that libvirt's clients hand in without a namespace, that is kept with one, and that they get back without
 * (the elements of a domain's metadata). With xml.c the only file that includes libxml2's headers. Any thread.
 */
#include "lib/xml.h"

/* NODE as text, it and every element below it in the namespace URI, declared on NODE as PREFIX. To free; NULL with ERROR
 * (VIR_FROM_XML, VIR_ERR_INTERNAL_ERROR) if PREFIX cannot be one. */
char *xml_serialize_named(const XmlNode *node, const char *prefix, const char *uri, GError **error);

/* NODE as text, without the namespace URI. To free. */
char *xml_serialize_bare(const XmlNode *node, const char *uri);

/* Whether TEXT can be said in XML: UTF-8, and no character that XML has no word for. Control characters are another matter:
 * the writer leaves them out. */
gboolean xml_can_say(const char *text);
