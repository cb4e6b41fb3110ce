/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The head of a save file: whatever is accepted must come out the same when written and read again. */
#include <stddef.h>
#include <stdint.h>

#include "lib/save-header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    g_autoptr(SaveHeader) header = save_header_decode(data, length, NULL);
    if (!header)
        return 0;
    /* The texts may have lain apart with a gap between that a rewrite closes, so the room is enough by construction. */
    g_autoptr(GByteArray) bytes = save_header_encode(header, FALSE);
    g_autoptr(SaveHeader) again = save_header_decode(bytes->data, bytes->len, NULL);
    g_assert_nonnull(again);
    g_assert_cmpstr(header->xml, ==, again->xml);
    g_assert_cmpstr(header->cookie, ==, again->cookie);
    g_assert_cmpuint(header->compression, ==, again->compression);
    g_assert_cmpint(header->was_running, ==, again->was_running);
    return 0;
}
