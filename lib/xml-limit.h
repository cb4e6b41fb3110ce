/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* How much a document may hold, counted before it is read: the parser's time grows with the square of an element's attributes, and its
 * memory is some hundred octets for each element. */
#include <glib.h>

#define XML_ELEMENTS_MAX 250000
#define XML_ATTRIBUTES_MAX 1000 /* of one element, with its namespaces */

/* Of LENGTH octets of TEXT, which need not be a document: what is wrong otherwise is passed over. VIR_ERR_XML_ERROR names the limit. */
gboolean xml_limit_check(const char *text, gsize length, const char *what, GError **error);
