/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading is one recvmsg() into a buffer that all connections share, and messages are cut where they lie in it; only
 * the rest of an incomplete one is copied aside. So an idle connection costs no memory and a small call no copy.
 *
 * Descriptors: the kernel ends a recvmsg() after an octet that carries descriptors, so those held when a message is
 * complete are its own. One recvmsg() may bring a whole message without descriptors and the first descriptor of the
 * next; therefore the number is compared when a message that wants some is complete, and when everything was cut.
 */
#include "daemon/rpc/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/error.h"

#define FRAME_MAX (FRAME_LENGTH_SIZE + (gsize)NET_MESSAGE_MAX)
#define KERNEL_FDS_MAX 253 /* that a peer can pass at once */

static guint32 word(const guint8 *bytes)
{
    guint32 value;

    memcpy(&value, bytes, sizeof(value));
    return GUINT32_FROM_BE(value);
}

static FrameResult bad(GError **error, const char *what, guint32 value)
{
    error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "%s %u", what, value);
    return FRAME_BAD;
}

static gboolean has_fds(const FrameHeader *header)
{
    return header->type == NET_CALL_WITH_FDS || header->type == NET_REPLY_WITH_FDS;
}

static FrameResult cut_fds(Frame *frame, GError **error)
{
    if (frame->n_payload < sizeof(guint32)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "message without its number of descriptors");
        return FRAME_BAD;
    }
    frame->n_fds = word(frame->payload);
    if (frame->n_fds > FRAME_FDS_MAX)
        return bad(error, "too many descriptors:", frame->n_fds);
    frame->payload += sizeof(guint32);
    frame->n_payload -= sizeof(guint32);
    frame->size += frame->n_fds;
    return FRAME_READY;
}

FrameResult frame_cut(const guint8 *bytes, gsize n, Frame *ret_frame, GError **error)
{
    const gsize head = FRAME_LENGTH_SIZE + FRAME_HEADER_SIZE;
    Frame frame = {0};
    gsize length;

    if (n < FRAME_LENGTH_SIZE)
        return FRAME_MORE;
    length = word(bytes);
    if (length < head || length > FRAME_MAX)
        return bad(error, "impossible message length", length);
    if (n < head)
        return FRAME_MORE;
    frame.header = (FrameHeader){word(bytes + 4),  word(bytes + 8),  (gint32)word(bytes + 12),
                                 word(bytes + 16), word(bytes + 20), word(bytes + 24)};
    if (frame.header.type > NET_STREAM_HOLE)
        return bad(error, "unknown message type", frame.header.type);
    if (frame.header.status > NET_CONTINUE)
        return bad(error, "unknown message status", frame.header.status);
    if (n < length)
        return FRAME_MORE;
    frame.payload = bytes + head;
    frame.n_payload = length - head;
    frame.size = length;
    if (has_fds(&frame.header) && cut_fds(&frame, error) == FRAME_BAD)
        return FRAME_BAD;
    if (n < frame.size)
        return FRAME_MORE;
    *ret_frame = frame;
    return FRAME_READY;
}

static void discard(FrameReader *reader, int fd)
{
    if (reader->closer)
        closer_close(reader->closer, fd);
    else
        close(fd);
}

/* Takes the descriptors out of MSG. FALSE if there is no room for them, or was none for the kernel. */
static gboolean take_fds(FrameReader *reader, struct msghdr *msg)
{
    gboolean fits = !(msg->msg_flags & MSG_CTRUNC);

    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
            continue;
        for (gsize i = 0; i < (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
            if (reader->n_fds < FRAME_FDS_MAX) {
                reader->fds[reader->n_fds++] = fd;
            } else {
                discard(reader, fd);
                fits = FALSE;
            }
        }
    }
    return fits;
}

gssize frame_reader_receive(FrameReader *reader, int fd, guint8 *buffer, gsize size)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(KERNEL_FDS_MAX * sizeof(int))]; /* what has no room is closed by the kernel, here */
    } control;
    struct iovec iov = {buffer, size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    gssize n;

    do
        n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (!take_fds(reader, &msg))
        return -EPROTO;
    frame_reader_feed(reader, buffer, n);
    return n;
}

/* What is set aside may be part of a secret: where it was it is overwritten. */
static void set_aside(FrameReader *reader, const guint8 *bytes, gsize n)
{
    GByteArray *old = reader->pending;
    gsize length = old ? old->len : 0;

    if (!old || length + n > reader->room) {
        reader->room = MAX(length + n, MIN(2 * reader->room, FRAME_MAX));
        reader->pending = g_byte_array_sized_new((guint)reader->room);
        if (old) {
            g_byte_array_append(reader->pending, old->data, old->len);
            explicit_bzero(old->data, old->len);
            g_byte_array_unref(old);
        }
    }
    g_byte_array_append(reader->pending, bytes, (guint)n);
}

void frame_reader_feed(FrameReader *reader, guint8 *bytes, gsize n)
{
    if (reader->pending) {
        set_aside(reader, bytes, n);
        explicit_bzero(bytes, n);
        reader->data = reader->pending->data;
        reader->n = reader->pending->len;
    } else {
        reader->data = bytes;
        reader->n = n;
    }
}

static void close_given(FrameReader *reader)
{
    for (guint i = 0; i < reader->n_given; i++) {
        if (reader->fds[i] >= 0)
            discard(reader, reader->fds[i]);
    }
    reader->n_fds -= reader->n_given;
    memmove(reader->fds, reader->fds + reader->n_given, reader->n_fds * sizeof(int));
    reader->n_given = 0;
}

FrameResult frame_reader_next(FrameReader *reader, Frame *ret_frame, GError **error)
{
    FrameResult result;
    Frame frame;

    close_given(reader);
    result = frame_cut(reader->data, reader->n, &frame, error);
    if (result == FRAME_MORE && reader->n == 0 && reader->n_fds > 0)
        return bad(error, "descriptors without a message:", reader->n_fds);
    if (result != FRAME_READY)
        return result;
    if (frame.n_fds > 0 && frame.n_fds != reader->n_fds)
        return bad(error, "message with a wrong number of descriptors:", reader->n_fds);

    reader->data += frame.size;
    reader->n -= frame.size;
    reader->n_given = frame.n_fds;
    frame.fds = reader->fds;
    *ret_frame = frame;
    return FRAME_READY;
}

void frame_reader_settle(FrameReader *reader)
{
    if (reader->n == 0) {
        g_clear_pointer(&reader->pending, g_byte_array_unref);
        reader->room = 0;
    } else if (reader->pending) {
        g_byte_array_remove_range(reader->pending, 0, reader->pending->len - reader->n);
    } else {
        set_aside(reader, reader->data, reader->n);
        explicit_bzero((guint8 *)reader->data, reader->n);
    }
    reader->data = reader->pending ? reader->pending->data : NULL;
}

void frame_reader_clear(FrameReader *reader)
{
    reader->n_given = reader->n_fds;
    close_given(reader);
    reader->n = 0;
    frame_reader_settle(reader);
}

static void append_word(GByteArray *frame, guint32 value)
{
    value = GUINT32_TO_BE(value);
    g_byte_array_append(frame, (const guint8 *)&value, sizeof(value));
}

GByteArray *frame_begin(const FrameHeader *header)
{
    GByteArray *frame = g_byte_array_sized_new(256);

    append_word(frame, 0);
    append_word(frame, header->program);
    append_word(frame, header->version);
    append_word(frame, (guint32)header->procedure);
    append_word(frame, header->type);
    append_word(frame, header->serial);
    append_word(frame, header->status);
    return frame;
}

gboolean frame_finish(GByteArray *frame, GError **error)
{
    guint32 length = GUINT32_TO_BE(frame->len);

    if (frame->len > FRAME_MAX)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "the answer needs %u octets, a message may have %zu",
                         frame->len, FRAME_MAX);
    memcpy(frame->data, &length, sizeof(length));
    return TRUE;
}
