/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Hardware addresses: 6 bytes, and 17 characters of text. Any thread. */
#include <glib.h>

#define MAC_BYTES 6
#define MAC_TEXT 18 /* with the NUL */

/* Six hexadecimal numbers of one or two digits, with colons between. FALSE if TEXT is something else; BYTES is then undefined. */
gboolean mac_parse(const char *text, guint8 bytes[MAC_BYTES]);
void mac_format(const guint8 bytes[MAC_BYTES], char text[MAC_TEXT]);
