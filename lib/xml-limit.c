/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/xml-limit.h"

#include <string.h>

#include "lib/error.h"

/* What is no element though it begins like one. */
static const struct {
    const char *begin, *end;
} others[] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};

/* Behind what begins at AT, if that is no element; else NULL. END where it has no end. */
static const char *skip_other(const char *at, const char *end)
{
    for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
        gsize length = strlen(others[i].begin);

        if ((gsize)(end - at) < length || memcmp(at, others[i].begin, length) != 0)
            continue;
        const char *last = memmem(at + length, (gsize)(end - at) - length, others[i].end, strlen(others[i].end));
        return last ? last + strlen(others[i].end) : end;
    }
    return NULL;
}

/* Behind the tag at AT; its attributes are counted. */
static const char *skip_tag(const char *at, const char *end, guint *ret_attributes)
{
    guint attributes = 0;
    char quote = '\0';

    for (; at < end && (quote || *at != '>'); at++) {
        if (quote ? *at == quote : *at == '"' || *at == '\'')
            quote = quote ? '\0' : *at;
        else if (!quote && *at == '=')
            attributes++;
    }
    *ret_attributes = attributes;
    return MIN(at + 1, end);
}

gboolean xml_limit_check(const char *text, gsize length, const char *what, GError **error)
{
    const char *end = text + length, *at = text;
    guint elements = 0, attributes;

    while ((at = memchr(at, '<', (gsize)(end - at)))) {
        const char *behind = skip_other(at, end);

        if (!behind) {
            elements += at + 1 < end && at[1] != '/';
            behind = skip_tag(at, end, &attributes);
            if (attributes > XML_ATTRIBUTES_MAX)
                return error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "an element of the %s document has more than %d attributes", what,
                                 XML_ATTRIBUTES_MAX);
            if (elements > XML_ELEMENTS_MAX)
                return error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "the %s document has more than %d elements", what, XML_ELEMENTS_MAX);
        }
        at = behind;
    }
    return TRUE;
}
