/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine lives on the loop's thread: the socket, the input buffer and the commands under way are touched only
 * there, by one step (process) that is run after whatever happened: bytes came, room to write, a deadline, a new
 * command, the end. Other threads reach it by one queue of submitted commands and two flags, under the lock.
 *
 * Ruled out: a thread per monitor (a stopped guest would hold one), and out-of-band commands (QEMU offers few, and
 * their answers overtake the others, which every caller would have to reckon with).
 */
#include "driver-kvm/qmp-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/error.h"

#define READ_SIZE (64 * 1024)
#define READS_PER_TURN 16 /* a peer that talks without end leaves the loop to others after this */

Qmp *qmp_ref(Qmp *qmp)
{
    g_atomic_ref_count_inc(&qmp->refs);
    return qmp;
}

void qmp_unref(Qmp *qmp)
{
    if (!qmp || !g_atomic_ref_count_dec(&qmp->refs))
        return;
    g_assert(qmp->closed && g_queue_is_empty(&qmp->submitted));
    g_byte_array_unref(qmp->input);
    g_hash_table_unref(qmp->pending);
    g_mutex_clear(&qmp->lock);
    g_free(qmp);
}

void qmp_end(Qmp *qmp, const GError *why)
{
    if (qmp->state == QMP_CLOSED)
        return;
    qmp->state = QMP_CLOSED;
    g_clear_pointer(&qmp->io, loop_watch_free);
    qmp->timer = sd_event_source_disable_unref(qmp->timer);
    close(qmp->fd);
    qmp->fd = -1;
    g_byte_array_set_size(qmp->input, 0);
    g_queue_clear(&qmp->outgoing);

    g_mutex_lock(&qmp->lock);
    qmp->closed = TRUE;
    GQueue submitted = qmp->submitted;
    g_queue_init(&qmp->submitted);
    g_mutex_unlock(&qmp->lock);

    g_autoptr(GList) waiting = g_hash_table_get_values(qmp->pending);
    g_hash_table_remove_all(qmp->pending);
    waiting = g_list_concat(waiting, submitted.head);
    for (GList *item = waiting; item; item = item->next) {
        g_autoptr(GError) error = NULL;
        qmp_error_gone(&error, ((QmpRequest *)item->data)->command);
        qmp_request_end(qmp, item->data, NULL, error);
    }
    if (why && qmp->handler->closed)
        qmp->handler->closed(why, qmp->user);
}

void qmp_fail(Qmp *qmp, const char *format, ...)
{
    g_autoptr(GError) error = NULL;
    va_list args;

    va_start(args, format);
    g_autofree char *detail = g_strdup_vprintf(format, args);
    va_end(args);
    error_set(&error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s", detail);
    qmp_end(qmp, error);
}

static void cut_messages(Qmp *qmp)
{
    gsize start = 0;

    /* a handler may close it under us */
    while (qmp->state != QMP_CLOSED) {
        const char *from = (const char *)qmp->input->data + start;
        const char *end_of_line = memchr(from + qmp->scanned, '\n', qmp->input->len - start - qmp->scanned);
        if (!end_of_line)
            break;
        gsize length = end_of_line - from;
        qmp->scanned = 0;
        start += length + 1;
        while (length > 0 && g_ascii_isspace(from[length - 1]))
            length--;
        if (length > 0)
            qmp_on_message(qmp, from, length);
    }
    if (qmp->state == QMP_CLOSED)
        return;
    g_byte_array_remove_range(qmp->input, 0, start);
    qmp->scanned = qmp->input->len;
    if (qmp->input->len > QMP_MESSAGE_MAX)
        qmp_fail(qmp, "QEMU's monitor sent a message of more than %d bytes", QMP_MESSAGE_MAX);
}

static void receive(Qmp *qmp)
{
    for (guint turn = 0; turn < READS_PER_TURN && qmp->state != QMP_CLOSED; turn++) {
        gsize have = qmp->input->len;
        g_byte_array_set_size(qmp->input, have + READ_SIZE);
        ssize_t n = recv(qmp->fd, qmp->input->data + have, READ_SIZE, 0);
        int errnum = errno;
        g_byte_array_set_size(qmp->input, have + MAX(n, 0));
        if (n > 0)
            cut_messages(qmp);
        else if (n == 0)
            qmp_fail(qmp, "End of file from qemu monitor");
        else if (errnum == EAGAIN)
            return;
        else if (errnum != EINTR)
            qmp_fail(qmp, "Unable to read from monitor: %s", g_strerror(errnum));
    }
}

/* The descriptor goes along with the message's first byte. */
static ssize_t send_some(int sock, const QmpRequest *request)
{
    struct iovec iov = {request->text + request->sent, request->length - request->sent};
    union {
        char buffer[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (request->fd >= 0 && request->sent == 0) {
        msg.msg_control = control.buffer;
        msg.msg_controllen = sizeof control.buffer;
        struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &request->fd, sizeof(int));
    }
    return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void transmit(Qmp *qmp)
{
    QmpRequest *request;

    while ((qmp->state == QMP_NEGOTIATING || qmp->state == QMP_READY) &&
           (request = g_queue_peek_head(&qmp->outgoing))) {
        if (qmp->state == QMP_NEGOTIATING && !qmp_is_agreement(request))
            return;
        ssize_t n = send_some(qmp->fd, request);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) {
            qmp_fail(qmp, "Unable to write to monitor: %s", g_strerror(errno));
            return;
        }
        if (n > 0 && request->turn == 0)
            request->turn = ++qmp->last_turn;
        if (n > 0)
            request->sent += n;
        if (request->sent < request->length)
            return;
        g_queue_pop_head(&qmp->outgoing);
    }
}

static void arm(Qmp *qmp)
{
    gint64 next = qmp->state < QMP_READY && !qmp->late ? qmp->greeting_deadline : G_MAXINT64;
    gboolean writing = qmp->state == QMP_READY && !g_queue_is_empty(&qmp->outgoing);
    GHashTableIter iter;
    gpointer value;

    if (qmp->state == QMP_NEGOTIATING) {
        const QmpRequest *first = g_queue_peek_head(&qmp->outgoing);
        writing = qmp_is_agreement(first);
    }
    g_hash_table_iter_init(&iter, qmp->pending);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        next = MIN(next, ((QmpRequest *)value)->deadline);
    loop_watch_set(qmp->io, EPOLLIN | (writing ? EPOLLOUT : 0));
    sd_event_source_set_enabled(qmp->timer, next == G_MAXINT64 ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
    if (next != G_MAXINT64)
        sd_event_source_set_time(qmp->timer, MAX(next, 1));
}

static void process(Qmp *qmp)
{
    qmp_take_submitted(qmp);
    if (qmp->state != QMP_CLOSED)
        qmp_check_deadlines(qmp, g_get_monotonic_time());
    transmit(qmp);
    if (qmp->state != QMP_CLOSED)
        arm(qmp);
}

static void on_io(guint32 events, gpointer data)
{
    g_autoptr(Qmp) qmp = qmp_ref(data);

    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        receive(qmp);
    process(qmp);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
    g_autoptr(Qmp) qmp = qmp_ref(data);

    process(qmp);
    return 0;
}

void qmp_posted_process(gpointer data)
{
    g_autoptr(Qmp) qmp = data;

    process(qmp);
}

static void posted_start(gpointer data)
{
    g_autoptr(Qmp) qmp = data;

    if (qmp->state == QMP_CLOSED)
        return;
    qmp->io = loop_watch(qmp->loop, qmp->fd, EPOLLIN, on_io, qmp, NULL);
    if (!qmp->io || sd_event_add_time(loop_event(qmp->loop), &qmp->timer, CLOCK_MONOTONIC, 1, 1000, on_timer, qmp) < 0)
        qmp_fail(qmp, "cannot watch QEMU's monitor");
    else
        process(qmp);
}

Qmp *qmp_new(Loop *loop, int fd, guint64 greeting, const QmpHandler *handler, gpointer user)
{
    Qmp *qmp = g_new0(Qmp, 1);

    g_atomic_ref_count_init(&qmp->refs);
    g_mutex_init(&qmp->lock);
    g_queue_init(&qmp->submitted);
    g_queue_init(&qmp->outgoing);
    qmp->loop = loop;
    qmp->handler = handler;
    qmp->user = user;
    qmp->fd = fd;
    qmp->greeting_deadline = g_get_monotonic_time() + greeting;
    qmp->input = g_byte_array_new();
    qmp->pending = g_hash_table_new(g_int64_hash, g_int64_equal);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    loop_post(loop, posted_start, qmp_ref(qmp));
    return qmp;
}

static void called_end(gpointer data)
{
    qmp_end(data, NULL);
}

void qmp_drain(Qmp *qmp)
{
    g_autoptr(Qmp) kept = qmp_ref(qmp);

    /* the dead add nothing: what the kernel holds for us is little */
    for (guint turn = 0; turn < 16 && qmp->state != QMP_CLOSED && qmp->fd >= 0; turn++)
        receive(qmp);
    qmp_end(qmp, NULL);
}

void qmp_close(Qmp *qmp)
{
    loop_call(qmp->loop, called_end, qmp);
}

gboolean qmp_is_responsive(Qmp *qmp)
{
    g_mutex_lock(&qmp->lock);
    gboolean responsive = qmp->agreed && !qmp->closed && !qmp->late;
    g_mutex_unlock(&qmp->lock);
    return responsive;
}
