/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/document-limit.h"

#include <string.h>

#include "lib/error.h"
#include "lib/xml.h"

gboolean document_limit_check(const char *text, const char *name, gsize room, GError **error)
{
    g_autoptr(GError) cause = NULL;
    gsize length = strlen(text);
    if (length + room > XML_DOCUMENT_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL,
                         "the document of domain '%s' cannot be kept: it would have %" G_GSIZE_FORMAT
                         " of at most %d octets as it is written", name, length + room, XML_DOCUMENT_MAX);
    g_autoptr(XmlDocument) document = xml_parse(text, "domain", &cause);
    return document || error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL,
                                 "the document of domain '%s' cannot be kept: %s", name, error_detail(cause));
}
