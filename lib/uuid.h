/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* UUIDs: 16 bytes, and 36 characters of text. Any thread. */
#include <glib.h>

#define UUID_BYTES 16
#define UUID_TEXT 37 /* with the NUL */

/* As tolerant as libvirt: blanks around, and hyphens and blanks between any two bytes or none at all. FALSE if TEXT is
 * something else; BYTES is then undefined. */
gboolean uuid_parse(const char *text, guint8 bytes[UUID_BYTES]);
void uuid_format(const guint8 bytes[UUID_BYTES], char text[UUID_TEXT]);
/* A random one (version 4). */
void uuid_generate(guint8 bytes[UUID_BYTES]);
