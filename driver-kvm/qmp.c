/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine lives on the loop's thread: the socket, the input buffer and the commands under way are touched only
 * there, by one step (process) that is run after whatever happened: bytes came, room to write, a deadline, a new
 * command, the end. Other threads reach it by one queue of submitted commands and two flags, under the lock.
 *
 * Ruled out: a thread per monitor (a stopped guest would hold one), and out-of-band commands (QEMU offers few, and
 * their answers overtake the others, which every caller would have to reckon with).
 */
#include "driver-kvm/qmp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <fcntl.h>

#include "lib/error.h"
#include "lib/json-peek.h"

#define READ_SIZE (64 * 1024)
#define READS_PER_TURN 16 /* a peer that talks without end leaves the loop to others after this */

typedef enum {
    QMP_GREETING,    /* waiting for {"QMP": ...} */
    QMP_NEGOTIATING, /* qmp_capabilities is sent */
    QMP_READY,
    QMP_CLOSED,
} QmpState;

typedef struct {
    gint64 id;
    char *command;
    char *text; /* the message, with newline */
    gsize length;
    gsize sent;
    guint64 turn; /* order on the wire; 0: not begun */
    int fd;
    gint64 deadline;
    QmpReply fn;
    gpointer data;
    gboolean raw; /* the caller wants the whole message */
} Request;

struct Qmp {
    gatomicrefcount refs;
    Loop *loop;
    const QmpHandler *handler;
    gpointer user;

    GMutex lock; /* guards the next four lines */
    GQueue submitted;
    guint n_pending;
    gint64 last_id;
    gboolean agreed, late, closed;

    /* loop thread only */
    QmpState state;
    int fd;
    gint64 greeting_deadline;
    GByteArray *input;
    gsize scanned; /* no newline in the input before this */
    GQueue outgoing; /* of Request, not wholly written; also in pending */
    GHashTable *pending; /* id -> Request */
    guint64 last_turn;
    sd_event_source *io, *timer;
};

static void process(Qmp *qmp);

static void request_free(Request *request)
{
    g_free(request->command);
    g_free(request->text);
    if (request->fd >= 0)
        close(request->fd);
    g_free(request);
}

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

static void request_end(Qmp *qmp, Request *request, JsonNode *answer, const GError *error)
{
    g_mutex_lock(&qmp->lock);
    qmp->n_pending--;
    g_mutex_unlock(&qmp->lock);
    request->fn(answer, error, request->data);
    request_free(request);
}

static void set_late(Qmp *qmp, gboolean late)
{
    g_mutex_lock(&qmp->lock);
    gboolean changed = qmp->late != late;
    qmp->late = late;
    g_mutex_unlock(&qmp->lock);
    if (changed && qmp->handler->responsive)
        qmp->handler->responsive(!late, qmp->user);
}

static void error_gone(GError **error, const char *command)
{
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "cannot run '%s': QEMU's monitor is closed", command);
}

static void error_late(GError **error, const char *command)
{
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT,
              "cannot run '%s': QEMU's monitor does not answer (destroy needs no monitor)", command);
}

/* WHY: NULL when the owner ends it. */
static void end(Qmp *qmp, const GError *why)
{
    if (qmp->state == QMP_CLOSED)
        return;
    qmp->state = QMP_CLOSED;
    qmp->io = sd_event_source_disable_unref(qmp->io);
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
        error_gone(&error, ((Request *)item->data)->command);
        request_end(qmp, item->data, NULL, error);
    }
    if (why && qmp->handler->closed)
        qmp->handler->closed(why, qmp->user);
}

static void fail(Qmp *qmp, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void fail(Qmp *qmp, const char *format, ...)
{
    g_autoptr(GError) error = NULL;
    va_list args;

    va_start(args, format);
    g_autofree char *detail = g_strdup_vprintf(format, args);
    va_end(args);
    error_set(&error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s", detail);
    end(qmp, error);
}

static Request *request_new(Qmp *qmp, JsonObject *message, guint64 deadline, QmpReply fn, gpointer data)
{
    Request *request = g_new0(Request, 1);
    const char *command = json_peek_string(message, "execute");

    g_mutex_lock(&qmp->lock);
    request->id = ++qmp->last_id;
    g_mutex_unlock(&qmp->lock);

    json_object_set_int_member(message, "id", request->id);
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, message);
    g_autofree char *json = json_to_string(node, FALSE);
    request->command = g_strdup(command ? command : "?");
    request->text = g_strconcat(json, "\n", NULL);
    request->length = strlen(request->text);
    request->fd = -1;
    request->deadline = g_get_monotonic_time() + deadline;
    request->fn = fn;
    request->data = data;
    return request;
}

static void on_agreed(JsonNode *answer, const GError *error, gpointer data)
{
    Qmp *qmp = data;

    if (qmp->state != QMP_NEGOTIATING)
        return;
    if (error) {
        fail(qmp, "QEMU's monitor refused the handshake: %s", error->message);
        return;
    }
    qmp->state = QMP_READY;
    g_mutex_lock(&qmp->lock);
    qmp->agreed = TRUE;
    g_mutex_unlock(&qmp->lock);
    set_late(qmp, FALSE);
    if (qmp->handler->ready)
        qmp->handler->ready(qmp->user);
}

static void on_greeting(Qmp *qmp, JsonObject *message)
{
    if (!json_peek_object(message, "QMP")) {
        fail(qmp, "QEMU's monitor did not greet");
        return;
    }
    g_autoptr(JsonObject) agree = json_object_new();
    json_object_set_string_member(agree, "execute", "qmp_capabilities");
    qmp->state = QMP_NEGOTIATING;
    /* the greeting's deadline covers this too; it is not a command of its own that could be late */
    Request *request = request_new(qmp, agree, 0, on_agreed, qmp);
    request->deadline = G_MAXINT64;
    g_mutex_lock(&qmp->lock);
    qmp->n_pending++;
    g_mutex_unlock(&qmp->lock);
    g_queue_push_head(&qmp->outgoing, request);
    g_hash_table_insert(qmp->pending, &request->id, request);
}

static void on_event(Qmp *qmp, const char *name, JsonObject *message)
{
    JsonObject *timestamp = json_peek_object(message, "timestamp");
    gint64 seconds = 0, useconds = 0;

    if (qmp->state != QMP_READY || !qmp->handler->event)
        return;
    if (!json_peek_int(timestamp, "seconds", &seconds) || !json_peek_int(timestamp, "microseconds", &useconds) ||
        seconds < 0 || seconds > G_MAXINT64 / G_USEC_PER_SEC - 1 || useconds < 0 || useconds >= G_USEC_PER_SEC)
        seconds = useconds = 0;
    qmp->handler->event(name, json_peek_object(message, "data"), seconds * G_USEC_PER_SEC + useconds, qmp->user);
}

static void on_answer(Qmp *qmp, JsonNode *node, JsonObject *message)
{
    JsonObject *refusal = json_peek_object(message, "error");
    gint64 id = 0;

    if (!json_peek_int(message, "id", &id)) {
        const char *desc = json_peek_string(refusal, "desc");
        fail(qmp, "QEMU's monitor sent an answer without a question%s%s", desc ? ": " : "", desc ? desc : "");
        return;
    }
    Request *request = g_hash_table_lookup(qmp->pending, &id);
    if (!request || request->sent < request->length) {
        fail(qmp, "QEMU's monitor answered a command that was not sent");
        return;
    }

    g_autoptr(GError) error = NULL;
    JsonNode *answer = json_object_get_member(message, "return");
    if (!request->raw && !answer) {
        const char *desc = json_peek_string(refusal, "desc");
        error_set(&error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "unable to execute QEMU command '%s': %s",
                  request->command, desc ? desc : "no reason given");
    }
    g_hash_table_remove(qmp->pending, &id);
    if (qmp->state == QMP_READY)
        set_late(qmp, FALSE);
    request_end(qmp, request, error ? NULL : request->raw ? node : answer, error);
}

static void on_message(Qmp *qmp, const char *text, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) node = json_peek_parse(text, length, QMP_VALUES_MAX, &error);
    JsonObject *message = json_peek_as_object(node);

    if (!message) {
        fail(qmp, "QEMU's monitor sent what is not a message: %s", error ? error_detail(error) : "not an object");
        return;
    }
    const char *event = json_peek_string(message, "event");
    if (qmp->state == QMP_GREETING)
        on_greeting(qmp, message);
    else if (event)
        on_event(qmp, event, message);
    else
        on_answer(qmp, node, message);
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
            on_message(qmp, from, length);
    }
    if (qmp->state == QMP_CLOSED)
        return;
    g_byte_array_remove_range(qmp->input, 0, start);
    qmp->scanned = qmp->input->len;
    if (qmp->input->len > QMP_MESSAGE_MAX)
        fail(qmp, "QEMU's monitor sent a message of more than %d bytes", QMP_MESSAGE_MAX);
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
            fail(qmp, "End of file from qemu monitor");
        else if (errnum == EAGAIN)
            return;
        else if (errnum != EINTR)
            fail(qmp, "Unable to read from monitor: %s", g_strerror(errnum));
    }
}

/* The descriptor goes along with the message's first byte. */
static ssize_t send_some(int sock, const Request *request)
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
    Request *request;

    while ((qmp->state == QMP_NEGOTIATING || qmp->state == QMP_READY) && (request = g_queue_peek_head(&qmp->outgoing))) {
        if (qmp->state == QMP_NEGOTIATING && request->fn != on_agreed)
            return;
        ssize_t n = send_some(qmp->fd, request);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) {
            fail(qmp, "Unable to write to monitor: %s", g_strerror(errno));
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

static void take_submitted(Qmp *qmp)
{
    if (qmp->state == QMP_CLOSED)
        return;
    g_mutex_lock(&qmp->lock);
    GQueue submitted = qmp->submitted;
    g_queue_init(&qmp->submitted);
    g_mutex_unlock(&qmp->lock);
    for (Request *request; (request = g_queue_pop_head(&submitted));) {
        g_queue_push_tail(&qmp->outgoing, request);
        g_hash_table_insert(qmp->pending, &request->id, request);
    }
}

static void forgotten(JsonNode *answer, const GError *error, gpointer data)
{
}

/* One that has not begun on the wire will not be sent any more; one that has stays until its answer comes. */
static void give_up(Qmp *qmp, Request *request)
{
    g_autoptr(GError) error = NULL;

    error_late(&error, request->command);
    if (request->sent == 0) {
        g_queue_remove(&qmp->outgoing, request);
        g_hash_table_remove(qmp->pending, &request->id);
        request_end(qmp, request, NULL, error);
        return;
    }
    request->deadline = G_MAXINT64;
    QmpReply fn = request->fn;
    request->fn = forgotten;
    fn(NULL, error, request->data);
}

/* The one that the peer is at: it answers in order. One that has not begun on the wire comes last; one whose caller has
 * given up says nothing new. */
static const Request *oldest(Qmp *qmp)
{
    const Request *result = NULL;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, qmp->pending);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Request *request = value;
        if (request->deadline != G_MAXINT64 && (!result || request->turn - 1 < result->turn - 1))
            result = request;
    }
    return result;
}

/* Only the command that the peer is at shows that it is late: the others wait for that one. When it is late, they wait in
 * vain. */
static void check_deadlines(Qmp *qmp, gint64 now)
{
    const Request *first = oldest(qmp);
    gboolean late = (first && first->deadline <= now) || (qmp->state < QMP_READY && qmp->greeting_deadline <= now);
    g_autoptr(GPtrArray) overdue = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, qmp->pending);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Request *request = value;
        if (request->deadline <= now || (late && request->deadline != G_MAXINT64))
            g_ptr_array_add(overdue, request);
    }
    if (late)
        set_late(qmp, TRUE);
    /* a callback may close it, which ends them all */
    for (guint i = 0; i < overdue->len && qmp->state != QMP_CLOSED; i++)
        give_up(qmp, overdue->pdata[i]);
}

static void arm(Qmp *qmp)
{
    gint64 next = qmp->state < QMP_READY && !qmp->late ? qmp->greeting_deadline : G_MAXINT64;
    gboolean writing = qmp->state == QMP_READY && !g_queue_is_empty(&qmp->outgoing);
    GHashTableIter iter;
    gpointer value;

    if (qmp->state == QMP_NEGOTIATING) {
        const Request *first = g_queue_peek_head(&qmp->outgoing);
        writing = first && first->fn == on_agreed;
    }
    g_hash_table_iter_init(&iter, qmp->pending);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        next = MIN(next, ((Request *)value)->deadline);
    sd_event_source_set_io_events(qmp->io, EPOLLIN | (writing ? EPOLLOUT : 0));
    sd_event_source_set_enabled(qmp->timer, next == G_MAXINT64 ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
    if (next != G_MAXINT64)
        sd_event_source_set_time(qmp->timer, MAX(next, 1));
}

static void process(Qmp *qmp)
{
    take_submitted(qmp);
    if (qmp->state != QMP_CLOSED)
        check_deadlines(qmp, g_get_monotonic_time());
    transmit(qmp);
    if (qmp->state != QMP_CLOSED)
        arm(qmp);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    g_autoptr(Qmp) qmp = qmp_ref(data);

    if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
        receive(qmp);
    process(qmp);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
    g_autoptr(Qmp) qmp = qmp_ref(data);

    process(qmp);
    return 0;
}

static void posted_process(gpointer data)
{
    g_autoptr(Qmp) qmp = data;

    process(qmp);
}

static void posted_start(gpointer data)
{
    g_autoptr(Qmp) qmp = data;

    if (qmp->state == QMP_CLOSED)
        return;
    sd_event *event = loop_event(qmp->loop);
    if (sd_event_add_io(event, &qmp->io, qmp->fd, EPOLLIN, on_io, qmp) < 0 ||
        sd_event_add_time(event, &qmp->timer, CLOCK_MONOTONIC, 1, 1000, on_timer, qmp) < 0)
        fail(qmp, "cannot watch QEMU's monitor");
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
    end(data, NULL);
}

void qmp_drain(Qmp *qmp)
{
    g_autoptr(Qmp) kept = qmp_ref(qmp);

    /* the dead add nothing: what the kernel holds for us is little */
    for (guint turn = 0; turn < 16 && qmp->state != QMP_CLOSED && qmp->fd >= 0; turn++)
        receive(qmp);
    end(qmp, NULL);
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

/* Takes REQUEST over; FALSE (REQUEST freed, its function not called) if it would only wait in vain. */
static gboolean submit(Qmp *qmp, Request *request, GError **error)
{
    g_mutex_lock(&qmp->lock);
    gboolean closed = qmp->closed;
    gboolean late = qmp->late || qmp->n_pending >= QMP_PENDING_MAX;
    if (!closed && !late) {
        qmp->n_pending++;
        g_queue_push_tail(&qmp->submitted, request);
    }
    g_mutex_unlock(&qmp->lock);
    if (!closed && !late) {
        loop_post(qmp->loop, posted_process, qmp_ref(qmp));
        return TRUE;
    }
    (closed ? error_gone : error_late)(error, request->command);
    request_free(request);
    return FALSE;
}

static JsonObject *message_new(const char *command, JsonObject *arguments)
{
    JsonObject *message = json_object_new();

    json_object_set_string_member(message, "execute", command);
    if (arguments)
        json_object_set_object_member(message, "arguments", arguments);
    return message;
}

typedef struct {
    QmpReply fn;
    gpointer data;
    GError *error;
} Refusal;

static void posted_refusal(gpointer data)
{
    Refusal *refusal = data;

    refusal->fn(NULL, refusal->error, refusal->data);
    g_error_free(refusal->error);
    g_free(refusal);
}

void qmp_send(Qmp *qmp, const char *command, JsonObject *arguments, int fd, guint64 deadline, QmpReply fn, gpointer data)
{
    g_autoptr(JsonObject) message = message_new(command, arguments);
    g_autoptr(GError) error = NULL;
    Request *request = request_new(qmp, message, deadline, fn, data);

    request->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (submit(qmp, request, &error))
        return;
    Refusal *refusal = g_new(Refusal, 1);
    *refusal = (Refusal){fn, data, g_steal_pointer(&error)};
    loop_post(qmp->loop, posted_refusal, refusal);
}

/* Where a waiting thread finds its answer. It belongs to both ends: the one that comes last frees it. */
typedef struct {
    GMutex lock;
    GCond filled;
    gboolean done, abandoned;
    JsonNode *answer;
    GError *error;
} Mailbox;

static void mailbox_free(Mailbox *mailbox)
{
    g_mutex_clear(&mailbox->lock);
    g_cond_clear(&mailbox->filled);
    g_clear_pointer(&mailbox->answer, json_node_unref);
    g_clear_error(&mailbox->error);
    g_free(mailbox);
}

static void mailbox_fill(JsonNode *answer, const GError *error, gpointer data)
{
    Mailbox *mailbox = data;

    g_mutex_lock(&mailbox->lock);
    gboolean abandoned = mailbox->abandoned;
    mailbox->done = TRUE;
    if (!abandoned) {
        mailbox->answer = answer ? json_node_ref(answer) : NULL;
        mailbox->error = error ? g_error_copy(error) : NULL;
        g_cond_signal(&mailbox->filled);
    }
    g_mutex_unlock(&mailbox->lock);
    if (abandoned)
        mailbox_free(mailbox);
}

static JsonNode *call(Qmp *qmp, JsonObject *message, gboolean raw, int fd, guint64 wait, GError **error)
{
    g_assert(!loop_is_current(qmp->loop));

    Mailbox *mailbox = g_new0(Mailbox, 1);
    g_mutex_init(&mailbox->lock);
    g_cond_init(&mailbox->filled);
    Request *request = request_new(qmp, message, MAX(wait, QMP_DEADLINE), mailbox_fill, mailbox);
    g_autofree char *command = g_strdup(request->command);
    request->raw = raw;
    request->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (!submit(qmp, request, error)) {
        mailbox_free(mailbox);
        return NULL;
    }

    /* the loop ends it at its deadline; half a second more covers a loop that is behind */
    gint64 until = g_get_monotonic_time() + wait + (wait < QMP_DEADLINE ? 0 : G_USEC_PER_SEC / 2);
    g_mutex_lock(&mailbox->lock);
    while (!mailbox->done && g_cond_wait_until(&mailbox->filled, &mailbox->lock, until)) {
    }
    if (!mailbox->done) {
        mailbox->abandoned = TRUE;
        g_mutex_unlock(&mailbox->lock);
        error_late(error, command);
        return NULL;
    }
    g_mutex_unlock(&mailbox->lock);
    JsonNode *answer = g_steal_pointer(&mailbox->answer);
    if (mailbox->error)
        g_propagate_error(error, g_steal_pointer(&mailbox->error));
    mailbox_free(mailbox);
    return answer;
}

JsonNode *qmp_call_with_fd(Qmp *qmp, const char *command, JsonObject *arguments, int fd, guint64 wait, GError **error)
{
    g_autoptr(JsonObject) message = message_new(command, arguments);

    return call(qmp, message, FALSE, fd, wait, error);
}

JsonNode *qmp_call(Qmp *qmp, const char *command, JsonObject *arguments, guint64 wait, GError **error)
{
    return qmp_call_with_fd(qmp, command, arguments, -1, wait, error);
}

JsonNode *qmp_call_raw(Qmp *qmp, JsonObject *message, guint64 wait, GError **error)
{
    return call(qmp, message, TRUE, -1, wait, error);
}

gboolean qmp_do(Qmp *qmp, const char *command, JsonObject *arguments, guint64 wait, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call(qmp, command, arguments, wait, error);

    return answer != NULL;
}
