/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/variant-find.h"

#include <string.h>

static const char *tuple_name(GVariant *tuple)
{
    const char *name;

    g_variant_get_child(tuple, 0, "&s", &name);
    return name;
}

GVariant *variant_find(GVariant *table, const char *name)
{
    gsize low = 0, high = g_variant_n_children(table);

    while (low < high) {
        gsize middle = low + (high - low) / 2;
        g_autoptr(GVariant) tuple = g_variant_get_child_value(table, middle);
        int order = strcmp(name, tuple_name(tuple));
        if (order == 0)
            return g_steal_pointer(&tuple);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

gboolean variant_has_word(GVariant *words, const char *word)
{
    gsize low = 0, high = g_variant_n_children(words);

    while (low < high) {
        gsize middle = low + (high - low) / 2;
        const char *found;
        g_variant_get_child(words, middle, "&s", &found);
        int order = strcmp(word, found);
        if (order == 0)
            return TRUE;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return FALSE;
}
