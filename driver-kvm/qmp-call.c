/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands as callers see them: with a function for the answer, or waited for. */
#include "driver-kvm/qmp-private.h"

#include <fcntl.h>

#include "lib/error.h"

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

void qmp_send(Qmp *qmp, const char *command, JsonObject *arguments, int fd, guint64 deadline, QmpReply fn,
              gpointer data)
{
    g_autoptr(JsonObject) message = message_new(command, arguments);
    g_autoptr(GError) error = NULL;
    QmpRequest *request = qmp_request_new(qmp, message, deadline, fn, data);

    request->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (qmp_submit(qmp, request, &error))
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
    QmpRequest *request = qmp_request_new(qmp, message, MAX(wait, QMP_DEADLINE), mailbox_fill, mailbox);
    g_autofree char *command = g_strdup(request->command);
    request->raw = raw;
    request->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (!qmp_submit(qmp, request, error)) {
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
        qmp_error_late(error, command);
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

JsonNode *qmp_call_raw(Qmp *qmp, JsonObject *message, int fd, guint64 wait, GError **error)
{
    return call(qmp, message, TRUE, fd, wait, error);
}

gboolean qmp_do(Qmp *qmp, const char *command, JsonObject *arguments, guint64 wait, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call(qmp, command, arguments, wait, error);

    return answer != NULL;
}
