/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Looking things up in a serialized GVariant whose arrays are sorted by name: nothing is unpacked. Any thread. */
#include <glib.h>

/* Of TABLE, an array of tuples sorted by their first member (a string), the tuple of NAME; to unref. NULL: there is none. */
GVariant *variant_find(GVariant *table, const char *name);

/* Whether WORDS (type "as", sorted) has WORD. */
gboolean variant_has_word(GVariant *words, const char *word);
