/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents of every kind, by their root: what a daemon takes comes out as a text that it takes again and that stays as it is. */
#include "lib/model/document.h"
#include "lib/xml.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length);

static gpointer read_text(const DocumentKind *kind, const char *text, GError **error)
{
    g_autoptr(XmlDocument) document = xml_parse(text, "(fuzz)", error);

    return document ? document_read(kind, document, NULL, error) : NULL;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length)
{
    g_autofree char *text = g_strndup((const char *)data, length);
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDocument) document = xml_parse(text, "(fuzz)", NULL);
    const DocumentKind *kind = document ? document_kind(document, NULL) : NULL;
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    gpointer one = kind ? document_read(kind, document, warnings, &error) : NULL;

    if (kind && !one == !error)
        __builtin_trap();
    if (!one)
        return 0;
    g_autofree char *first = model_format_text(kind->type, one, MODEL_FORMAT_SECURE);
    gpointer again = read_text(kind, first, &error);
    if (!again)
        g_error("%s\n%s", error->message, first);
    g_autofree char *second = model_format_text(kind->type, again, MODEL_FORMAT_SECURE);
    if (!g_str_equal(first, second))
        g_error("not stable:\n%s\n%s", first, second);
    document_free(kind, one);
    document_free(kind, again);
    return 0;
}
