/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/outbox.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT (1024 * 1024)

typedef struct {
    Account *account;
    Outbox outbox;
    int peer;
} Fixture;

static void setup(Fixture *f, gconstpointer data)
{
    int fds[2], size = 1;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    g_assert_cmpint(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), ==, 0); /* the least there is */
    f->peer = fds[0];
    f->account = account_new(0);
    outbox_init(&f->outbox, fds[1], f->account);
}

static void teardown(Fixture *f, gconstpointer data)
{
    outbox_clear(&f->outbox);
    g_assert_cmpint(f->account->octets, ==, 0);
    account_unref(f->account);
    close(f->peer);
}

static GByteArray *octets(gsize n)
{
    GByteArray *bytes = g_byte_array_new();

    g_byte_array_set_size(bytes, n);
    memset(bytes->data, 'm', n);
    return bytes;
}

static GArray *descriptors(guint n)
{
    GArray *fds = g_array_new(FALSE, FALSE, sizeof(int));

    for (guint i = 0; i < n; i++) {
        int fd = dup(STDERR_FILENO);
        g_array_append_val(fds, fd);
    }
    return fds;
}

/* Everything that can be read now: octets, and RET_FDS that came with them. */
static gsize drain(Fixture *f, guint *ret_fds)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(8 * sizeof(int))];
    } control;
    char buffer[4096];
    gsize total = 0;
    gssize n;

    *ret_fds = 0;
    do {
        struct iovec iov = {buffer, sizeof(buffer)};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof(control)};
        n = recvmsg(f->peer, &msg, MSG_DONTWAIT);
        total += MAX(n, 0);
        for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg); n > 0 && cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
            int fd;
            memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
            close(fd);
            (*ret_fds)++;
        }
    } while (n > 0);
    return total;
}

static void test_plain(Fixture *f, gconstpointer data)
{
    gsize sent = 0, got = 0;
    guint fds;

    while (outbox_send(&f->outbox, octets(1000), NULL, LIMIT) == OUTBOX_SENT)
        sent += 1000;
    g_assert_cmpuint(outbox_size(&f->outbox), >, 0);
    for (sent += 1000; got < sent; outbox_flush(&f->outbox))
        got += drain(f, &fds);
    g_assert_cmpuint(outbox_size(&f->outbox), ==, 0);
}

/* A message has gone and its descriptors have not: something waits, whatever the size of what went before. */
static void test_descriptors_alone(Fixture *f, gconstpointer data)
{
    guint alone = 0;

    for (guint size = 1; size < 300; size += 7) {
        gsize sent = 0, got = 0;
        guint passed = 0, arrived = 0, fds;
        OutboxResult result;
        do {
            result = outbox_send(&f->outbox, octets(size), descriptors(2), LIMIT);
            sent += size + 2;
            passed += 2;
            g_assert_cmpint(result, <=, OUTBOX_WAITS);
            g_assert_cmpint(outbox_size(&f->outbox) > 0, ==, result == OUTBOX_WAITS);
        } while (result == OUTBOX_SENT);
        alone += outbox_size(&f->outbox) <= 2;
        for (; got < sent; outbox_flush(&f->outbox)) {
            got += drain(f, &fds);
            arrived += fds;
        }
        g_assert_cmpuint(got, ==, sent);
        g_assert_cmpuint(arrived, ==, passed);
        g_assert_cmpuint(outbox_size(&f->outbox), ==, 0);
    }
    g_assert_cmpuint(alone, >, 0);
}

static void test_limit(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(outbox_send(&f->outbox, octets(100000), NULL, 1000), ==, OUTBOX_WAITS);
    g_assert_cmpint(outbox_send(&f->outbox, octets(1), descriptors(1), 1000), ==, OUTBOX_FULL);
    outbox_break(&f->outbox);
    g_assert_cmpuint(outbox_size(&f->outbox), ==, 0);
    g_assert_cmpint(outbox_send(&f->outbox, octets(1), descriptors(1), 1000), ==, OUTBOX_CLOSED);
    g_assert_cmpint(outbox_flush(&f->outbox), ==, OUTBOX_CLOSED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/outbox/plain", Fixture, NULL, setup, test_plain, teardown);
    g_test_add("/outbox/descriptors-alone", Fixture, NULL, setup, test_descriptors_alone, teardown);
    g_test_add("/outbox/limit", Fixture, NULL, setup, test_limit, teardown);
    return g_test_run();
}
