/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/error.h"

#define BUFFER_SIZE 65536

static const FrameHeader call = {0x20008086, 1, 157, NET_CALL, 7, NET_OK};

typedef struct {
    int peer, fd;
    FrameReader reader;
    guint8 buffer[BUFFER_SIZE];
} Link;

static void setup(Link *link, gconstpointer data)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    memset(link, 0, sizeof(*link));
    link->peer = fds[0];
    link->fd = fds[1];
}

static void teardown(Link *link, gconstpointer data)
{
    frame_reader_clear(&link->reader);
    close(link->peer);
    close(link->fd);
}

static void send_bytes(Link *link, const GByteArray *bytes)
{
    g_assert_cmpint(send(link->peer, bytes->data, bytes->len, 0), ==, bytes->len);
}

/* One octet with N descriptors. */
static void send_fds(Link *link, guint n)
{
    g_autofree char *control = g_malloc0(CMSG_SPACE(n * sizeof(int)));
    struct iovec iov = {(char *)"x", 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                         .msg_controllen = CMSG_SPACE(n * sizeof(int))};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
    for (guint i = 0; i < n; i++)
        memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &link->peer, sizeof(int));
    g_assert_cmpint(sendmsg(link->peer, &msg, 0), ==, 1);
}

static FrameResult next(Link *link, Frame *frame, GError **error)
{
    FrameResult result;

    while ((result = frame_reader_next(&link->reader, frame, error)) == FRAME_MORE) {
        frame_reader_settle(&link->reader);
        if (frame_reader_receive(&link->reader, link->fd, link->buffer, BUFFER_SIZE) <= 0)
            break;
    }
    return result;
}

static GByteArray *message(FrameHeader header, const void *payload, gsize n)
{
    GByteArray *frame = frame_begin(&header);

    g_byte_array_append(frame, payload, n);
    g_assert_true(frame_finish(frame, NULL));
    return frame;
}

static GByteArray *message_with_fds(guint n_fds)
{
    FrameHeader header = call;
    guint32 n = GUINT32_TO_BE(n_fds);

    header.type = NET_CALL_WITH_FDS;
    return message(header, &n, sizeof(n));
}

static void assert_refused(const void *bytes, gsize n, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *copy = g_memdup2(bytes, n); /* exactly N, so that a sanitizer sees a step beyond */
    Frame frame;

    g_assert_cmpint(frame_cut(copy, n, &frame, &error), ==, FRAME_BAD);
    g_assert_error(error, error_domain(VIR_FROM_RPC), VIR_ERR_RPC);
    g_assert_nonnull(strstr(error->message, words));
}

static void test_round_trip(void)
{
    g_autoptr(GByteArray) bytes = message(call, "abcdefgh", 8);
    Frame frame;

    for (gsize n = 0; n < bytes->len; n++)
        g_assert_cmpint(frame_cut(bytes->data, n, &frame, NULL), ==, FRAME_MORE);
    g_assert_cmpint(frame_cut(bytes->data, bytes->len, &frame, NULL), ==, FRAME_READY);
    g_assert_cmpmem(&frame.header, sizeof(call), &call, sizeof(call));
    g_assert_cmpmem(frame.payload, frame.n_payload, "abcdefgh", 8);
    g_assert_cmpuint(frame.size, ==, bytes->len);
}

static void test_foreign(void)
{
    const struct {
        const char *bytes;
        gsize n;
        const char *words;
    } cases[] = {
        {"GET / HTTP/1.1\r\n", 16, "length"},
        {"\x16\x03\x01\x02", 4, "length"},       /* a TLS hello */
        {"\0\0\0\0", 4, "length"},
        {"\0\0\0\x1b", 4, "length"},             /* no room for a header */
        {"\x02\0\0\5", 4, "length"},             /* one more than allowed */
        {"\0\0\0\x1c" "1234" "1234" "1234" "\0\0\0\7" "1234" "\0\0\0\0", 28, "type"},
        {"\0\0\0\x1c" "1234" "1234" "1234" "\0\0\0\0" "1234" "\0\0\0\3", 28, "status"},
        {"\0\0\0\x1c" "1234" "1234" "1234" "\0\0\0\4" "1234" "\0\0\0\0", 28, "number of descriptors"},
        {"\0\0\0\x20" "1234" "1234" "1234" "\0\0\0\4" "1234" "\0\0\0\0" "\0\0\0\x21", 32, "too many descriptors"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(cases[i].bytes, cases[i].n, cases[i].words);
}

static void test_largest(void)
{
    g_autoptr(GByteArray) bytes = frame_begin(&call);
    Frame frame;

    g_byte_array_set_size(bytes, FRAME_LENGTH_SIZE + NET_MESSAGE_MAX);
    g_assert_true(frame_finish(bytes, NULL));
    g_assert_cmpint(frame_cut(bytes->data, bytes->len, &frame, NULL), ==, FRAME_READY);
    g_byte_array_set_size(bytes, bytes->len + 1);
    g_assert_false(frame_finish(bytes, NULL));
}

/* Many messages and pieces of one, through a socket. */
static void test_pieces(Link *link, gconstpointer data)
{
    g_autofree char *payload = g_strnfill(3000, 'p');
    g_autoptr(GByteArray) stream = g_byte_array_new();
    Frame frame;

    for (guint i = 0; i < 20; i++) {
        FrameHeader header = call;
        header.serial = i;
        g_autoptr(GByteArray) one = message(header, payload, i * 150);
        g_byte_array_append(stream, one->data, one->len);
    }
    for (guint at = 0, piece = 1, got = 0; got < 20; piece = piece * 3 % 1009 + 1) {
        piece = MIN(piece, stream->len - at);
        g_assert_cmpint(send(link->peer, stream->data + at, piece, 0), ==, piece);
        at += piece;
        while (next(link, &frame, NULL) == FRAME_READY) {
            g_assert_cmpuint(frame.header.serial, ==, got);
            g_assert_cmpuint(frame.n_payload, ==, got * 150);
            got++;
        }
    }
    g_assert_null(link->reader.pending);
}

static void test_fds(Link *link, gconstpointer data)
{
    g_autoptr(GByteArray) plain = message(call, NULL, 0);
    g_autoptr(GByteArray) with = message_with_fds(2);
    Frame frame;
    int kept;

    send_bytes(link, plain);
    send_bytes(link, with);
    send_fds(link, 1);
    send_fds(link, 1);
    send_bytes(link, plain);

    g_assert_cmpint(next(link, &frame, NULL), ==, FRAME_READY);
    g_assert_cmpuint(frame.n_fds, ==, 0);
    g_assert_cmpint(next(link, &frame, NULL), ==, FRAME_READY);
    g_assert_cmpuint(frame.n_fds, ==, 2);
    g_assert_cmpuint(frame.n_payload, ==, 0);
    kept = frame.fds[0];
    frame.fds[0] = -1;
    int left = frame.fds[1];
    g_assert_cmpint(fcntl(kept, F_GETFD), ==, FD_CLOEXEC);
    g_assert_cmpint(next(link, &frame, NULL), ==, FRAME_READY);
    g_assert_cmpuint(frame.n_fds, ==, 0);
    g_assert_cmpint(fcntl(left, F_GETFD), ==, -1);
    g_assert_cmpint(fcntl(kept, F_GETFD), ==, FD_CLOEXEC);
    close(kept);
}

static void test_fds_missing(Link *link, gconstpointer data)
{
    g_autoptr(GByteArray) with = message_with_fds(2);
    g_autoptr(GError) error = NULL;
    Frame frame;

    g_byte_array_append(with, (const guint8 *)"xx", 2);
    send_bytes(link, with);
    g_assert_cmpint(next(link, &frame, &error), ==, FRAME_BAD);
    g_assert_nonnull(strstr(error->message, "wrong number of descriptors"));
}

static void test_fds_alone(Link *link, gconstpointer data)
{
    g_autoptr(GByteArray) plain = message(call, "abcx", 4);
    g_autoptr(GError) error = NULL;
    Frame frame;

    /* All but the last octet, and that one with descriptors nobody announced. */
    g_assert_cmpint(send(link->peer, plain->data, plain->len - 1, 0), ==, plain->len - 1);
    send_fds(link, 3);
    g_assert_cmpint(next(link, &frame, &error), ==, FRAME_READY);
    g_assert_cmpint(next(link, &frame, &error), ==, FRAME_BAD);
    g_assert_nonnull(strstr(error->message, "descriptors without a message"));
}

static void test_fds_too_many(Link *link, gconstpointer data)
{
    send_fds(link, FRAME_FDS_MAX + 1);
    g_assert_cmpint(frame_reader_receive(&link->reader, link->fd, link->buffer, BUFFER_SIZE), ==, -EPROTO);
}

static void test_end(Link *link, gconstpointer data)
{
    g_assert_cmpint(frame_reader_receive(&link->reader, link->fd, link->buffer, BUFFER_SIZE), ==, -EAGAIN);
    shutdown(link->peer, SHUT_WR);
    g_assert_cmpint(frame_reader_receive(&link->reader, link->fd, link->buffer, BUFFER_SIZE), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/frame/round-trip", test_round_trip);
    g_test_add_func("/frame/foreign", test_foreign);
    g_test_add_func("/frame/largest", test_largest);
    g_test_add("/frame/pieces", Link, NULL, setup, test_pieces, teardown);
    g_test_add("/frame/fds", Link, NULL, setup, test_fds, teardown);
    g_test_add("/frame/fds-missing", Link, NULL, setup, test_fds_missing, teardown);
    g_test_add("/frame/fds-alone", Link, NULL, setup, test_fds_alone, teardown);
    g_test_add("/frame/fds-too-many", Link, NULL, setup, test_fds_too_many, teardown);
    g_test_add("/frame/end", Link, NULL, setup, test_end, teardown);
    return g_test_run();
}
