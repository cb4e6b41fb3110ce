/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/uuid.h"

#include <string.h>
#include <sys/random.h>

gboolean uuid_parse(const char *text, guint8 bytes[UUID_BYTES])
{
    while (g_ascii_isspace(*text))
        text++;
    for (guint i = 0; i < UUID_BYTES;) {
        if (*text == '-' || *text == ' ') {
            text++;
            continue;
        }
        if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]))
            return FALSE;
        bytes[i++] = (guint8)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        text += 2;
    }
    while (g_ascii_isspace(*text))
        text++;
    return *text == '\0';
}

void uuid_format(const guint8 bytes[UUID_BYTES], char text[UUID_TEXT])
{
    for (guint i = 0; i < UUID_BYTES; i++) {
        static const char digits[] = "0123456789abcdef";
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
        if (i == 3 || i == 5 || i == 7 || i == 9)
            *text++ = '-';
    }
    *text = '\0';
}

void uuid_generate(guint8 bytes[UUID_BYTES])
{
    if (getrandom(bytes, UUID_BYTES, 0) != UUID_BYTES)
        g_error("the kernel gives no random numbers"); /* cannot happen once it has booted */
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
}
