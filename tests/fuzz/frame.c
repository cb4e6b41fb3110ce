/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The message cutter: the same messages come out of the same octets, however they arrive in pieces. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "daemon/rpc/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* Cuts what READER has into LIST (of FrameHeader); FRAME_MORE or FRAME_BAD. */
static FrameResult cut_all(FrameReader *reader, GArray *list)
{
    FrameResult result;
    Frame frame;

    while ((result = frame_reader_next(reader, &frame, NULL)) == FRAME_READY) {
        g_assert_cmpuint(frame.n_payload, <=, NET_MESSAGE_PAYLOAD_MAX);
        g_array_append_val(list, frame.header);
        if (frame.n_fds > 0)
            return FRAME_BAD; /* no descriptors come with octets alone */
    }
    frame_reader_settle(reader);
    return result;
}

static FrameResult cut_in_pieces(const uint8_t *data, size_t length, size_t piece, GArray *list)
{
    FrameReader reader = {0};
    FrameResult result = FRAME_MORE;
    g_autofree guint8 *bytes = g_memdup2(data, length); /* the reader overwrites what it sets aside */

    for (size_t at = 0; at < length && result == FRAME_MORE; at += piece) {
        frame_reader_feed(&reader, bytes + at, MIN(piece, length - at));
        result = cut_all(&reader, list);
    }
    frame_reader_clear(&reader);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    g_autoptr(GArray) whole = g_array_new(FALSE, FALSE, sizeof(FrameHeader));
    g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(FrameHeader));
    FrameResult result = cut_in_pieces(data, length, MAX(length, 1), whole);

    g_assert_cmpint(result, ==, cut_in_pieces(data, length, 1 + length % 37, pieces));
    g_assert_cmpmem(whole->data, whole->len * sizeof(FrameHeader), pieces->data, pieces->len * sizeof(FrameHeader));
    return 0;
}
