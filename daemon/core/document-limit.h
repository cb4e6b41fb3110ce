/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Documents of ours that will be read again. What we write may be larger and deeper than what we read: text grows when it
 * is escaped, and a definition moves into another document. So it is looked at before it replaces one that can be read.
 */
#include <glib.h>

/* TEXT, about the domain NAME, can be read again, also when ROOM octets are added. FALSE with VIR_ERR_XML_DETAIL. */
gboolean document_limit_check(const char *text, const char *name, gsize room, GError **error);
