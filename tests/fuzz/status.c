/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The record of a run: what is accepted comes out as a text that is accepted again and stays as it is. */
#include "lib/model/model.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length)
{
    const guint format = MODEL_FORMAT_STATUS | MODEL_FORMAT_SECURE;
    g_autofree char *text = g_strndup((const char *)data, length);
    g_autoptr(GError) error = NULL;
    g_autoptr(Status) status = model_parse_text(&status_type, text, MODEL_PARSE_STATUS, NULL, NULL);

    if (!status)
        return 0;
    g_autofree char *first = model_format_text(&status_type, status, format);
    g_autoptr(Status) again = model_parse_text(&status_type, first, MODEL_PARSE_STATUS, NULL, &error);
    if (!again)
        g_error("%s\n%s", error->message, first);
    g_autofree char *second = model_format_text(&status_type, again, format);
    if (!g_str_equal(first, second))
        g_error("not stable:\n%s\n%s", first, second);
    return 0;
}
