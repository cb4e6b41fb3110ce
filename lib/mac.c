/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/mac.h"

gboolean mac_parse(const char *text, guint8 bytes[MAC_BYTES])
{
    for (guint i = 0; i < MAC_BYTES; i++) {
        char *end = NULL;
        if (!g_ascii_isxdigit(*text))
            return FALSE;
        guint64 value = g_ascii_strtoull(text, &end, 16);
        if (value > 0xff || end - text > 2 || *end != (i + 1 < MAC_BYTES ? ':' : '\0'))
            return FALSE;
        bytes[i] = (guint8)value;
        text = end + 1;
    }
    return TRUE;
}

void mac_format(const guint8 bytes[MAC_BYTES], char text[MAC_TEXT])
{
    g_snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]);
}
