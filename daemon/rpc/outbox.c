/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/outbox.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define GATHER 16 /* messages in one system call */

typedef struct {
    GByteArray *message;
    gsize sent;
    GArray *fds; /* of int, still to be sent, the last first; NULL: none */
} OutboxItem;

static void fds_free(GArray *fds)
{
    if (!fds)
        return;
    for (guint i = 0; i < fds->len; i++)
        close(g_array_index(fds, int, i));
    g_array_unref(fds);
}

/* Nobody sends MESSAGE any more. It may hold a secret, and to overwrite it costs less than to tell. */
static void message_end(GByteArray *message)
{
    explicit_bzero(message->data, message->len);
    g_byte_array_unref(message);
}

static void item_free(OutboxItem *item)
{
    message_end(item->message);
    fds_free(item->fds);
    g_free(item);
}

void outbox_init(Outbox *outbox, int fd, Account *account)
{
    g_mutex_init(&outbox->lock);
    g_queue_init(&outbox->waiting);
    outbox->fd = fd;
    outbox->size = 0;
    outbox->broken = FALSE;
    outbox->account = account;
}

static void change_size(Outbox *outbox, gssize octets)
{
    outbox->size += octets;
    account_charge(outbox->account, octets);
}

static void drop_all(Outbox *outbox)
{
    g_queue_clear_full(&outbox->waiting, (GDestroyNotify)item_free);
    change_size(outbox, -(gssize)outbox->size);
}

static OutboxResult break_locked(Outbox *outbox)
{
    drop_all(outbox);
    if (outbox->fd >= 0)
        shutdown(outbox->fd, SHUT_RDWR);
    outbox->broken = TRUE;
    return OUTBOX_CLOSED;
}

void outbox_break(Outbox *outbox)
{
    g_mutex_lock(&outbox->lock);
    break_locked(outbox);
    g_mutex_unlock(&outbox->lock);
}

void outbox_close(Outbox *outbox)
{
    g_mutex_lock(&outbox->lock);
    drop_all(outbox);
    if (outbox->fd >= 0)
        closer_close_connection(outbox->account->closer, outbox->fd);
    outbox->fd = -1;
    outbox->broken = TRUE;
    g_mutex_unlock(&outbox->lock);
}

void outbox_clear(Outbox *outbox)
{
    outbox_close(outbox);
    g_mutex_clear(&outbox->lock);
}

gsize outbox_size(Outbox *outbox)
{
    gsize size;

    g_mutex_lock(&outbox->lock);
    size = outbox->size;
    g_mutex_unlock(&outbox->lock);
    return size;
}

static gssize send_iov(int fd, struct iovec *iov, int n_iov, int pass_fd)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = n_iov};
    gssize n;

    if (pass_fd >= 0) {
        struct cmsghdr *cmsg = &control.align;
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cmsg), &pass_fd, sizeof(int));
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
    }
    do
        n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Sends one descriptor of ITEM, whose octets are out. */
static gssize send_one_fd(int fd, OutboxItem *item)
{
    struct iovec iov = {(char *)"", 1};
    int last = g_array_index(item->fds, int, item->fds->len - 1);
    gssize n = send_iov(fd, &iov, 1, last);

    if (n > 0) {
        close(last);
        g_array_set_size(item->fds, item->fds->len - 1);
    }
    return n;
}

static gboolean item_done(const OutboxItem *item)
{
    return item->sent == item->message->len && (!item->fds || item->fds->len == 0);
}

/* The octets from the first item to the first that has descriptors. */
static int gather(Outbox *outbox, struct iovec *iov)
{
    int n = 0;

    for (GList *link = outbox->waiting.head; link && n < GATHER; link = link->next) {
        OutboxItem *item = link->data;
        iov[n++] = (struct iovec){item->message->data + item->sent, item->message->len - item->sent};
        if (item->fds)
            break;
    }
    return n;
}

/* N octets of messages have gone. */
static void account(Outbox *outbox, gsize n)
{
    for (GList *link = outbox->waiting.head; n > 0; link = link->next) {
        OutboxItem *item = link->data;
        gsize part = MIN(n, item->message->len - item->sent);
        item->sent += part;
        n -= part;
    }
    while (outbox->waiting.head && item_done(outbox->waiting.head->data))
        item_free(g_queue_pop_head(&outbox->waiting));
}

static OutboxResult flush_locked(Outbox *outbox)
{
    while (outbox->waiting.head) {
        OutboxItem *head = outbox->waiting.head->data;
        gboolean octets = head->sent < head->message->len;
        struct iovec iov[GATHER];
        gssize n = octets ? send_iov(outbox->fd, iov, gather(outbox, iov), -1) : send_one_fd(outbox->fd, head);
        if (n == -EAGAIN)
            return OUTBOX_WAITS;
        if (n < 0)
            return break_locked(outbox);
        change_size(outbox, -n);
        account(outbox, octets ? n : 0);
    }
    return OUTBOX_SENT;
}

OutboxResult outbox_flush(Outbox *outbox)
{
    OutboxResult result;

    g_mutex_lock(&outbox->lock);
    result = outbox->broken ? OUTBOX_CLOSED : flush_locked(outbox);
    g_mutex_unlock(&outbox->lock);
    return result;
}

static void wait_locked(Outbox *outbox, GByteArray *message, gsize sent, GArray *fds)
{
    OutboxItem *item = g_new(OutboxItem, 1);

    *item = (OutboxItem){g_byte_array_ref(message), sent, fds};
    g_queue_push_tail(&outbox->waiting, item);
    change_size(outbox, message->len - sent + (fds ? fds->len : 0)); /* each goes with an octet */
}

/* A message without descriptors and nothing before it: usually one system call and no item. */
static OutboxResult send_directly(Outbox *outbox, GByteArray *message)
{
    struct iovec iov = {message->data, message->len};
    gssize n = send_iov(outbox->fd, &iov, 1, -1);

    if (n == (gssize)message->len)
        return OUTBOX_SENT;
    if (n < 0 && n != -EAGAIN)
        return break_locked(outbox);
    wait_locked(outbox, message, MAX(n, 0), NULL);
    return OUTBOX_WAITS;
}

static OutboxResult send_locked(Outbox *outbox, GByteArray *message, GArray *fds, gsize limit)
{
    if (outbox->broken || (outbox->size > 0 && outbox->size + message->len > limit)) {
        fds_free(fds);
        return outbox->broken ? OUTBOX_CLOSED : OUTBOX_FULL;
    }
    if (!fds && !outbox->waiting.head)
        return send_directly(outbox, message);

    wait_locked(outbox, message, 0, fds);
    /* Behind others there is nothing to try: the I/O loop is told when the socket is ready again. */
    return outbox->waiting.length == 1 ? flush_locked(outbox) : OUTBOX_WAITS;
}

static void reverse(GArray *fds)
{
    for (guint i = 0; i < fds->len / 2; i++) {
        int *a = &g_array_index(fds, int, i), *b = &g_array_index(fds, int, fds->len - 1 - i);
        int kept = *a;
        *a = *b;
        *b = kept;
    }
}

OutboxResult outbox_send(Outbox *outbox, GByteArray *message, GArray *fds, gsize limit)
{
    OutboxResult result;

    if (fds)
        reverse(fds);
    g_mutex_lock(&outbox->lock);
    result = send_locked(outbox, message, fds, limit);
    g_mutex_unlock(&outbox->lock);
    if (result == OUTBOX_WAITS)
        g_byte_array_unref(message);
    else
        message_end(message);
    return result;
}
