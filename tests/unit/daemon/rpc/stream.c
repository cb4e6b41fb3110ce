/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams through a socket; the host's end of each is a socket as well. */
#include "daemon/rpc/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/rpc/client-private.h"
#include "daemon/rpc/stream-private.h"
#include "lib/error.h"
#include "tests/unit/daemon/rpc/front.h"

#define SERIAL 5

static int host;         /* our end of the host's side */
static gint ended;       /* streams that have ended; atomic */
static gboolean failing; /* the call fails after it has made the stream */
static Stream *made;

static gboolean closing; /* the connection ends as soon as it has the stream, before who makes it does anything more */

static void nothing(gpointer data)
{
}

gboolean __real_streams_add(Stream *stream, GError **error);
gboolean __wrap_streams_add(Stream *stream, GError **error);

/* Linked in the place of the other. */
gboolean __wrap_streams_add(Stream *stream, GError **error)
{
    if (!__real_streams_add(stream, error))
        return FALSE;
    if (closing) {
        client_close(stream->client);
        loop_call(server_loop(stream->client->server), nothing, NULL);
    }
    return TRUE;
}

static void note_end(gpointer data)
{
    g_atomic_int_inc(&ended);
}

gboolean remote_domain_open_channel(Call *call, const RemoteDomainOpenChannelArgs *args, GError **error)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    g_assert_cmpint(fcntl(fds[1], F_SETFL, O_NONBLOCK), ==, 0);
    host = fds[0];
    made = stream_new(call, fds[1], note_end, NULL, error);
    if (!made)
        return FALSE;
    if (failing)
        return error_set(error, VIR_FROM_TEST, VIR_ERR_OPERATION_FAILED, "as told");
    return TRUE;
}

static void send_call_for_stream(int fd, guint32 serial)
{
    RemoteDomainOpenChannelArgs args = {.dom = {.name = (char *)"x"}};

    send_call(fd, PROC(DOMAIN_OPEN_CHANNEL), serial, &args);
}

/* A connection with a stream. */
static int open_stream(Front *front)
{
    int fd = front_open(front, FALSE);

    ended = 0;
    send_call_for_stream(fd, SERIAL);
    g_autoptr(Message) reply = receive(fd);
    assert_ok(reply, SERIAL);
    return fd;
}

static void done(int fd)
{
    g_clear_pointer(&made, stream_unref);
    close(host);
    close(fd);
}

static FrameHeader header(NetMessageType type, NetMessageStatus status)
{
    return (FrameHeader){REMOTE_PROGRAM, 1, REMOTE_PROC_DOMAIN_OPEN_CHANNEL, type, SERIAL, status};
}

static void put(int fd, gconstpointer bytes, gsize n)
{
    send_frame(fd, header(NET_STREAM, NET_CONTINUE), bytes, n);
}

static Message *receive_stream(int fd, NetMessageStatus status)
{
    Message *message = receive(fd);

    g_assert_nonnull(message);
    g_assert_cmpuint(message->header.type, ==, NET_STREAM);
    g_assert_cmpuint(message->header.serial, ==, SERIAL);
    g_assert_cmpint(message->header.procedure, ==, REMOTE_PROC_DOMAIN_OPEN_CHANNEL);
    g_assert_cmpuint(message->header.status, ==, status);
    return message;
}

static void assert_over(int fd, NetMessageStatus status)
{
    g_autoptr(Message) message = receive_stream(fd, status);
    char octet;

    g_assert_cmpint(recv(host, &octet, 1, 0), <=, 0);
    while (g_atomic_int_get(&ended) == 0)
        g_usleep(1000);
    g_assert_cmpint(g_atomic_int_get(&ended), ==, 1);
    if (status == NET_OK)
        g_assert_cmpuint(message->payload->len, ==, 0);
}

static void read_host(gpointer buffer, gsize n)
{
    g_assert_cmpint(recv(host, buffer, n, MSG_WAITALL), ==, n);
}

static void test_both_ways(Front *front, gconstpointer data)
{
    int fd = open_stream(front);
    char buffer[5];

    put(fd, "hello", 5);
    read_host(buffer, 5);
    g_assert_cmpmem(buffer, 5, "hello", 5);
    g_assert_cmpint(send(host, "there", 5, 0), ==, 5);
    g_autoptr(Message) message = receive_stream(fd, NET_CONTINUE);
    g_assert_cmpmem(message->payload->data, message->payload->len, "there", 5);
    send_frame(fd, header(NET_STREAM, NET_OK), NULL, 0);
    assert_over(fd, NET_OK);
    put(fd, "late", 4); /* ignored */
    send_call(fd, PROC(CONNECT_GET_LIB_VERSION), 9, NULL);
    g_autoptr(Message) reply = receive(fd);
    assert_ok(reply, 9);
    done(fd);
}

static void test_abort_by_client(Front *front, gconstpointer data)
{
    int fd = open_stream(front);

    send_frame(fd, header(NET_STREAM, NET_ERROR), NULL, 0);
    assert_over(fd, NET_OK);
    done(fd);
}

static void test_abort_by_us(Front *front, gconstpointer data)
{
    int fd = open_stream(front);

    stream_abort(made, "stream had I/O failure");
    assert_over(fd, NET_ERROR);
    stream_abort(made, "again");
    done(fd);
}

static void test_end_of_host(Front *front, gconstpointer data)
{
    int fd = open_stream(front);

    g_assert_cmpint(send(host, "last", 4, 0), ==, 4);
    shutdown(host, SHUT_RDWR);
    g_autoptr(Message) last = receive_stream(fd, NET_CONTINUE);
    g_assert_cmpuint(last->payload->len, ==, 4);
    g_autoptr(Message) end = receive_stream(fd, NET_CONTINUE);
    g_assert_cmpuint(end->payload->len, ==, 0);
    g_assert_true(is_quiet(fd, 200));
    put(fd, "x", 1);
    assert_over(fd, NET_ERROR);
    done(fd);
}

static void test_end_of_connection(Front *front, gconstpointer data)
{
    int fd = open_stream(front);
    char octet;

    close(fd);
    g_assert_cmpint(recv(host, &octet, 1, 0), ==, 0);
    done(open("/dev/null", O_RDONLY));
}

/* Who made it hears of the end however early that comes: he holds a console or a volume for it. */
static void test_end_at_once(Front *front, gconstpointer data)
{
    int fd = front_open(front, FALSE);
    char octet;

    ended = 0;
    closing = TRUE;
    send_call_for_stream(fd, SERIAL);
    g_assert_true(has_ended(fd));
    closing = FALSE;
    g_assert_cmpint(recv(host, &octet, 1, 0), ==, 0);
    while (!g_atomic_pointer_get(&made))
        g_usleep(1000);
    g_assert_cmpint(g_atomic_int_get(&ended), ==, 1);
    done(fd);
}

static void test_failed_call(Front *front, gconstpointer data)
{
    int fd = front_open(front, FALSE);

    ended = 0;
    failing = TRUE;
    send_call_for_stream(fd, SERIAL);
    g_autoptr(Message) reply = receive(fd);
    failing = FALSE;
    assert_refused(reply, SERIAL, VIR_ERR_OPERATION_FAILED, "as told");
    while (g_atomic_int_get(&ended) == 0)
        g_usleep(1000);
    done(fd);
}

static void test_many(Front *front, gconstpointer data)
{
    int fd = front_open(front, FALSE);
    int hosts[STREAMS_MAX];

    for (guint i = 0; i < STREAMS_MAX; i++) {
        send_call_for_stream(fd, 100 + i);
        g_autoptr(Message) reply = receive(fd);
        assert_ok(reply, 100 + i);
        hosts[i] = host;
        stream_unref(g_steal_pointer(&made));
    }
    send_call_for_stream(fd, 1000);
    g_autoptr(Message) reply = receive(fd);
    assert_refused(reply, 1000, VIR_ERR_RPC, "too many streams");
    for (guint i = 0; i < STREAMS_MAX; i++)
        close(hosts[i]);
    done(fd);
}

static void test_hole(Front *front, gconstpointer data)
{
    int fd = open_stream(front);

    send_frame(fd, header(NET_STREAM_HOLE, NET_CONTINUE), "\0\0\0\0\0\0\0\x64\0\0\0\0", 12);
    g_assert_true(has_ended(fd));
    done(fd);
}

#define MANY (16 * 1024 * 1024)
#define PART 60000

static gpointer put_many(gpointer data)
{
    g_autofree char *part = g_malloc(PART);
    int fd = GPOINTER_TO_INT(data);

    for (gsize sent = 0; sent < MANY; sent += PART) {
        memset(part, (int)(sent / PART), PART);
        put(fd, part, PART);
    }
    send_frame(fd, header(NET_STREAM, NET_OK), NULL, 0);
    return NULL;
}

static gssize account_octets(void)
{
    return g_atomic_pointer_get(&made->client->account->octets);
}

/* The host's end is slow: the client is held back and charged, nothing is lost, and the finish waits for the last octet. */
static void test_slow_host(Front *front, gconstpointer data)
{
    g_autofree guint8 *part = g_malloc(PART);
    int fd = open_stream(front);
    GThread *thread = g_thread_new("client", put_many, GINT_TO_POINTER(fd));

    while (account_octets() < STREAM_WAITING_MAX)
        g_usleep(1000);
    for (gsize got = 0; got < MANY; got += PART) {
        read_host(part, PART);
        g_assert_cmpuint(part[0], ==, (guint8)(got / PART));
        g_assert_cmpuint(part[PART - 1], ==, (guint8)(got / PART));
    }
    g_thread_join(thread);
    assert_over(fd, NET_OK);
    while (account_octets() != 0)
        g_usleep(1000);
    done(fd);
}

static gpointer write_host(gpointer data)
{
    g_autofree char *part = g_malloc(PART);

    for (gsize sent = 0; sent < MANY; sent += PART) {
        memset(part, (int)(sent / PART), PART);
        for (gsize at = 0; at < PART;)
            at += send(host, part + at, PART - at, 0);
    }
    shutdown(host, SHUT_WR);
    return NULL;
}

/* The client is slow: the host's end is held back. */
static void test_slow_client(Front *front, gconstpointer data)
{
    int fd = open_stream(front);
    GThread *thread = g_thread_new("host", write_host, NULL);
    gsize whole = (MANY + PART - 1) / PART * PART, got = 0;

    g_usleep(300 * 1000);
    for (gboolean more = TRUE; more;) {
        g_autoptr(Message) message = receive_stream(fd, NET_CONTINUE);
        for (guint i = 0; i < message->payload->len; i++)
            g_assert_cmpuint(message->payload->data[i], ==, (guint8)((got + i) / PART));
        got += message->payload->len;
        more = message->payload->len > 0;
    }
    g_assert_cmpuint(got, ==, whole);
    g_thread_join(thread);
    send_frame(fd, header(NET_STREAM, NET_OK), NULL, 0);
    assert_over(fd, NET_OK);
    done(fd);
}

/* The host's end takes nothing at all: after STREAM_STALL_SECONDS the stream ends, the connection goes on. */
static void test_stuck_host(Front *front, gconstpointer data)
{
    g_autofree char *part = g_malloc0(PART);
    int fd;

    fd = open_stream(front);
    for (gsize sent = 0; sent < STREAM_WAITING_MAX + 512 * 1024; sent += PART)
        put(fd, part, PART);
    g_autoptr(Message) message = receive_stream(fd, NET_ERROR);
    send_call(fd, PROC(CONNECT_GET_LIB_VERSION), 9, NULL);
    g_autoptr(Message) reply = receive(fd);
    assert_ok(reply, 9);
    done(fd);
}

int main(int argc, char **argv)
{
    const struct {
        const char *path;
        void (*fn)(Front *front, gconstpointer data);
    } tests[] = {
        {"/stream/both-ways", test_both_ways},
        {"/stream/abort-by-client", test_abort_by_client},
        {"/stream/abort-by-us", test_abort_by_us},
        {"/stream/end-of-host", test_end_of_host},
        {"/stream/end-of-connection", test_end_of_connection},
        {"/stream/end-at-once", test_end_at_once},
        {"/stream/failed-call", test_failed_call},
        {"/stream/many", test_many},
        {"/stream/hole", test_hole},
        {"/stream/slow-host", test_slow_host},
        {"/stream/slow-client", test_slow_client},
        {"/stream/stuck-host", test_stuck_host},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Front, NULL, front_setup, tests[i].fn, front_teardown);
    return g_test_run();
}
