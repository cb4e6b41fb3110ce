/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a packet filter's document means beyond its description. Any thread. */
#include "lib/model/model.h"

/* Reads a definition: fills in what it may leave out, and makes of each rule's matches the fewest that say the same: one for
 * what is to be so, one for what is not to be so ("match='no'"). */
Nwfilter *nwfilter_read(XmlDocument *document, GError **error);

NwfilterBinding *nwfilter_binding_read(XmlDocument *document, GError **error);

/* Parameters of a filter: those whose name or value cannot be one are dropped; the rest is sorted by name. */
void filter_ref_complete(FilterRef *ref);
