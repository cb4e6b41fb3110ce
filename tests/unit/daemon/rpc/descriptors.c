/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that take long to close: closing the last of a socket that lingers waits for its peer. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/daemon/rpc/front.h"

#define LINGER_SECONDS 3
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
    give(fd, lingering.fd, 1);
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

    give(fd, lingering.fd, 253);
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
    give(fd, lingering.fd, 1);
    g_usleep(50 * 1000);
    close(fd);
    assert_answers_soon(other);
    close(lingering.peer);
    close(other);
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
    give(fd, lingering.fd, 1);
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
    return g_test_run();
}
