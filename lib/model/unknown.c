/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The known name that somebody probably meant. */
#include "lib/model/table.h"

#include <string.h>

#define NAME_MAX_LENGTH 40 /* longer ones are not compared */

/* Insertions, deletions, replacements and swaps of neighbours that turn A into B, without regard to case. */
static guint distance(const char *a, const char *b)
{
    guint rows[3][NAME_MAX_LENGTH + 1];
    guint length_a = (guint)strlen(a), length_b = (guint)strlen(b);
    guint *before = rows[0], *last = rows[1], *row = rows[2];

    for (guint j = 0; j <= length_b; j++)
        last[j] = j;
    for (guint i = 1; i <= length_a; i++) {
        row[0] = i;
        for (guint j = 1; j <= length_b; j++) {
            char x = g_ascii_tolower(a[i - 1]), y = g_ascii_tolower(b[j - 1]);
            row[j] = MIN(MIN(last[j], row[j - 1]) + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == g_ascii_tolower(b[j - 2]) && y == g_ascii_tolower(a[i - 2]))
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        guint *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[length_b];
}

const char *model_nearest(const ModelType *type, const char *name, gboolean elements)
{
    const char *nearest = NULL;
    gsize length = strlen(name);
    guint best = (guint)MAX(1, length / 3) + 1;

    if (length > NAME_MAX_LENGTH)
        return NULL;
    for (guint i = 0; i < type->n_fields; i++) {
        const ModelField *field = &type->fields[i];
        if (field->marks & MODEL_NAME)
            continue;
        if (!field->xml || (field->place == MODEL_ELEMENT) != elements || strlen(field->xml) > NAME_MAX_LENGTH)
            continue;
        guint steps = distance(name, field->xml);
        if (steps > 0 && steps < best) {
            best = steps;
            nearest = field->xml;
        }
    }
    return nearest;
}
