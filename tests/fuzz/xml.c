/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain documents: what is accepted comes out as a text that is accepted again and stays as it is. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static gboolean count(const char *path, gpointer data)
{
    ++*(guint *)data;
    return TRUE;
}

/* FORMAT and PARSE belong together. */
static void check_stable(const Domain *domain, guint format, guint parse)
{
    g_autoptr(GError) error = NULL;
    guint differences = 0;
    g_autofree char *text = model_format_text(&domain_type, domain, format);
    g_autoptr(Domain) again = model_parse_text(&domain_type, text, parse, NULL, &error);

    if (error)
        g_error("%s\n%s", error->message, text);
    g_autofree char *text_again = model_format_text(&domain_type, again, format);
    if (!g_str_equal(text, text_again))
        g_error("not stable:\n%s\n%s", text, text_again);
    model_compare(&domain_type, domain, again, MODEL_COMPARE_ALL, count, &differences);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    g_autofree char *text = g_strndup((const char *)data, length);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Domain) domain = model_parse_text(&domain_type, text, 0, warnings, NULL);

    if (!domain)
        return 0;
    check_stable(domain, MODEL_FORMAT_SECURE, 0);
    check_stable(domain, MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE | MODEL_FORMAT_MIGRATABLE, MODEL_PARSE_INACTIVE);
    check_stable(domain, MODEL_FORMAT_STATUS, MODEL_PARSE_STATUS);
    g_autoptr(Domain) copy = domain_copy(domain);
    g_assert_true(domain_equal(domain, copy));
    return 0;
}
