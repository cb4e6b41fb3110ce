/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors there and back; and those that take long to close: closing the last of a socket that lingers waits for its
 * peer. */
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/daemon/rpc/front.h"

#define LINGER_SECONDS 10
#define SOON_USEC (300 * 1000)

/* A TCP connection whose peer reads nothing, with more octets on their way than the peer takes. */
typedef struct {
    int fd, peer;
} Lingering;

static Lingering lingering_new(void)
{
    struct linger linger = {.l_onoff = 1, .l_linger = LINGER_SECONDS};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Lingering lingering = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    char octets[65536] = {0};

    g_assert_cmpint(bind(listening, (struct sockaddr *)&address, size), ==, 0);
    g_assert_cmpint(getsockname(listening, (struct sockaddr *)&address, &size), ==, 0);
    g_assert_cmpint(listen(listening, 1), ==, 0);
    g_assert_cmpint(connect(lingering.fd, (struct sockaddr *)&address, size), ==, 0);
    lingering.peer = accept(listening, NULL, NULL);
    g_assert_cmpint(lingering.peer, >=, 0);
    close(listening);
    g_assert_cmpint(setsockopt(lingering.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), ==, 0);
    while (send(lingering.fd, octets, sizeof(octets), MSG_DONTWAIT) > 0)
        ;
    return lingering;
}

/* One octet with N times FD, which is then left to the receiver. */
static void give(int fd, int given, guint n)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(253 * sizeof(int))];
    } control = {0};
    struct iovec iov = {(char *)"", 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                         .msg_controllen = CMSG_SPACE(n * sizeof(int))};

    control.align.cmsg_level = SOL_SOCKET;
    control.align.cmsg_type = SCM_RIGHTS;
    control.align.cmsg_len = CMSG_LEN(n * sizeof(int));
    for (guint i = 0; i < n; i++)
        memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &given, sizeof(int));
    g_assert_cmpint(sendmsg(fd, &msg, MSG_NOSIGNAL), ==, 1);
    close(given);
}

static void wait_for(gpointer mutex)
{
    g_mutex_lock(mutex);
    g_mutex_unlock(mutex);
}

/* The same, and it is the server that has the last of it: the loop stands still until it is closed here. */
static void give_last(Front *front, int fd, int given, guint n)
{
    GMutex mutex;

    g_mutex_init(&mutex);
    g_mutex_lock(&mutex);
    loop_post(front->io, wait_for, &mutex);
    give(fd, given, n);
    g_mutex_unlock(&mutex);
    loop_call(front->io, wait_for, &mutex);
    g_mutex_clear(&mutex);
}

/* A call that takes no descriptors says that it comes with N. */
static void send_call_with_fds(int fd, const WireProc *proc, guint32 serial, guint32 n)
{
    guint32 count = GUINT32_TO_BE(n);

    send_frame(fd, (FrameHeader){REMOTE_PROGRAM, 1, proc->number, NET_CALL_WITH_FDS, serial, NET_OK}, &count,
               sizeof(count));
}

static void assert_answers_soon(int fd)
{
    gint64 began = g_get_monotonic_time();

    send_call(fd, PROC(CONNECT_GET_LIB_VERSION), 7, NULL);
    g_autoptr(Message) reply = receive(fd);
    assert_ok(reply, 7);
    g_assert_cmpint(g_get_monotonic_time() - began, <, SOON_USEC);
}

static void test_passed(Front *front, gconstpointer data)
{
    Lingering lingering = lingering_new();
    int fd = front_open(front, FALSE), other = front_open(front, FALSE);

    send_call_with_fds(fd, PROC(CONNECT_GET_LIB_VERSION), 2, 1);
    give_last(front, fd, lingering.fd, 1);
    g_autoptr(Message) reply = receive(fd);
    assert_ok(reply, 2);
    assert_answers_soon(other);
    assert_answers_soon(fd);
    close(lingering.peer);
    close(fd);
    close(other);
}

static void test_too_many(Front *front, gconstpointer data)
{
    Lingering lingering = lingering_new();
    int fd = front_open(front, FALSE), other = front_open(front, FALSE);

    give_last(front, fd, lingering.fd, 253);
    g_assert_true(has_ended(fd));
    assert_answers_soon(other);
    close(lingering.peer);
    close(fd);
    close(other);
}

static void test_half_a_message(Front *front, gconstpointer data)
{
    Lingering lingering = lingering_new();
    int fd = front_open(front, FALSE), other = front_open(front, FALSE);

    send_call_with_fds(fd, PROC(CONNECT_GET_LIB_VERSION), 2, 2);
    give_last(front, fd, lingering.fd, 1);
    g_usleep(50 * 1000);
    close(fd);
    assert_answers_soon(other);
    close(lingering.peer);
    close(other);
}

/* A user whose descriptors do not close is refused more, until they have. */
static void test_bound(Front *front, gconstpointer data)
{
    struct rlimit limit = {4 * CLOSER_WAITING_MAX, 4 * CLOSER_WAITING_MAX};
    Lingering lingering = lingering_new();
    char octets[FRAME_FDS_MAX - 1] = {0}; /* one for each of the others */
    int fd = front_open(front, FALSE);
    guint32 serial = 3;

    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    send_call_with_fds(fd, PROC(CONNECT_GET_LIB_VERSION), 2, 1);
    give_last(front, fd, lingering.fd, 1);
    g_autoptr(Message) first = receive(fd);
    assert_ok(first, 2);
    g_usleep(20 * 1000); /* it is being closed */
    for (; serial < 3 + CLOSER_WAITING_MAX / FRAME_FDS_MAX + 2; serial++) {
        send_call_with_fds(fd, PROC(CONNECT_GET_LIB_VERSION), serial, FRAME_FDS_MAX);
        give(fd, dup(STDERR_FILENO), FRAME_FDS_MAX);
        if (send(fd, octets, sizeof(octets), MSG_NOSIGNAL) < 0)
            break;
        g_autoptr(Message) reply = receive(fd);
        if (!reply)
            break;
        assert_ok(reply, serial);
    }
    g_assert_cmpuint(serial, >=, 3 + CLOSER_WAITING_MAX / FRAME_FDS_MAX - 1);
    g_assert_true(has_ended(fd));
    close(fd);
    fd = front_connect(front, FALSE);
    g_assert_true(has_ended(fd));
    close(fd);
    close(lingering.peer);
    g_usleep(G_USEC_PER_SEC / 2);
    fd = front_open(front, FALSE);
    assert_answers_soon(fd);
    close(fd);
}

static GArray *taken; /* of int */

/* Row with descriptors in: keeps them. */
gboolean remote_domain_create_with_files(Call *call, const RemoteDomainCreateWithFilesArgs *args,
                                         RemoteDomainCreateWithFilesRet *ret, GError **error)
{
    for (guint i = 0; i < call->n_fds; i++) {
        g_array_append_val(taken, call->fds[i]);
        call->fds[i] = -1;
    }
    ret->dom.name = g_strdup("x");
    return TRUE;
}

/* Row with descriptors out: gives those back. */
gboolean remote_domain_open_graphics_fd(Call *call, const RemoteDomainOpenGraphicsFdArgs *args, GError **error)
{
    g_array_append_vals(call->ret_fds, taken->data, taken->len);
    g_array_set_size(taken, 0);
    return TRUE;
}

/* The next message with its descriptors, which the reader keeps. */
static void receive_frame(int fd, FrameReader *reader, guint8 *buffer, Frame *ret_frame)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    while (frame_reader_next(reader, ret_frame, NULL) != FRAME_READY) {
        frame_reader_settle(reader);
        g_assert_cmpint(poll(&pollfd, 1, 10000), ==, 1);
        g_assert_cmpint(frame_reader_receive(reader, fd, buffer, SERVER_BUFFER_SIZE), >, 0);
    }
}

/* As many as a message may carry, there and back. */
static void test_most(Front *front, gconstpointer data)
{
    RemoteDomainCreateWithFilesArgs args = {.dom = {.name = (char *)"x"}};
    RemoteDomainOpenGraphicsFdArgs back = {.dom = {.name = (char *)"x"}};
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_autofree guint8 *buffer = g_malloc(SERVER_BUFFER_SIZE);
    guint32 count = GUINT32_TO_BE(FRAME_FDS_MAX);
    int fd = front_open(front, FALSE), pipes[2];
    FrameReader reader = {0};
    Frame frame;

    taken = g_array_new(FALSE, FALSE, sizeof(int));
    g_assert_cmpint(pipe(pipes), ==, 0);
    g_byte_array_append(payload, (const guint8 *)&count, sizeof(count));
    g_assert_true(wire_encode(PROC(DOMAIN_CREATE_WITH_FILES)->args, &args, payload, NULL));
    send_frame(fd, (FrameHeader){REMOTE_PROGRAM, 1, REMOTE_PROC_DOMAIN_CREATE_WITH_FILES, NET_CALL_WITH_FDS, 2, NET_OK},
               payload->data, payload->len);
    for (guint i = 1; i < FRAME_FDS_MAX; i++)
        give(fd, dup(pipes[1]), 1);
    give(fd, pipes[1], 1);
    g_autoptr(Message) made = receive(fd);
    assert_ok(made, 2);
    g_assert_cmpuint(taken->len, ==, FRAME_FDS_MAX);

    send_call(fd, PROC(DOMAIN_OPEN_GRAPHICS_FD), 3, &back);
    receive_frame(fd, &reader, buffer, &frame);
    g_assert_cmpuint(frame.header.type, ==, NET_REPLY_WITH_FDS);
    g_assert_cmpuint(frame.header.status, ==, NET_OK);
    g_assert_cmpuint(frame.n_fds, ==, FRAME_FDS_MAX);
    for (guint i = 0; i < frame.n_fds; i++)
        g_assert_cmpint(write(frame.fds[i], "x", 1), ==, 1);
    frame_reader_clear(&reader);
    close(fd);
    g_assert_cmpint(read(pipes[0], buffer, SERVER_BUFFER_SIZE), ==, FRAME_FDS_MAX);
    g_assert_cmpint(read(pipes[0], buffer, 1), ==, 0); /* nobody kept one */
    close(pipes[0]);
    g_array_unref(taken);
}

static GMutex gate;

/* Lane work: waits for the gate. */
gboolean remote_connect_get_hostname(Call *call, RemoteConnectGetHostnameRet *ret, GError **error)
{
    g_mutex_lock(&gate);
    g_mutex_unlock(&gate);
    ret->hostname = g_strdup("slow");
    return TRUE;
}

/* The connection ends while descriptors are on their way to it that nobody has taken. */
static void test_not_received(Front *front, gconstpointer data)
{
    Lingering lingering = lingering_new();
    int fd, other;

    front->limits.max_calls = 1;
    server_set_limits(front->server, &front->limits);
    fd = front_open(front, FALSE);
    other = front_open(front, FALSE);
    g_mutex_lock(&gate);
    send_call(fd, PROC(CONNECT_GET_HOSTNAME), 2, NULL);
    send_call(fd, PROC(CONNECT_GET_LIB_VERSION), 3, NULL);
    g_usleep(50 * 1000);
    give_last(front, fd, lingering.fd, 1);
    close(fd);
    assert_answers_soon(other);
    g_mutex_unlock(&gate);
    close(lingering.peer);
    close(other);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/descriptors/passed", Front, NULL, front_setup, test_passed, front_teardown);
    g_test_add("/descriptors/too-many", Front, NULL, front_setup, test_too_many, front_teardown);
    g_test_add("/descriptors/half-a-message", Front, NULL, front_setup, test_half_a_message, front_teardown);
    g_test_add("/descriptors/not-received", Front, NULL, front_setup, test_not_received, front_teardown);
    g_test_add("/descriptors/bound", Front, NULL, front_setup, test_bound, front_teardown);
    g_test_add("/descriptors/most", Front, NULL, front_setup, test_most, front_teardown);
    return g_test_run();
}
