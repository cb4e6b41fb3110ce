/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands under way, and what becomes of those that are not answered in time. */
#include "driver-kvm/qmp-private.h"

#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/json-peek.h"

void qmp_error_gone(GError **error, const char *command)
{
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "cannot run '%s': QEMU's monitor is closed", command);
}

void qmp_error_late(GError **error, const char *command)
{
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT,
              "cannot run '%s': QEMU's monitor does not answer (destroy needs no monitor)", command);
}

QmpRequest *qmp_request_new(Qmp *qmp, JsonObject *message, guint64 deadline, QmpReply fn, gpointer data)
{
    QmpRequest *request = g_new0(QmpRequest, 1);
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

void qmp_request_free(QmpRequest *request)
{
    g_free(request->command);
    g_free(request->text);
    if (request->fd >= 0)
        close(request->fd);
    g_free(request);
}

void qmp_request_end(Qmp *qmp, QmpRequest *request, JsonNode *answer, const GError *error)
{
    g_mutex_lock(&qmp->lock);
    qmp->n_pending--;
    g_mutex_unlock(&qmp->lock);
    request->fn(answer, error, request->data);
    qmp_request_free(request);
}

void qmp_set_late(Qmp *qmp, gboolean late)
{
    g_mutex_lock(&qmp->lock);
    gboolean changed = qmp->late != late;
    qmp->late = late;
    g_mutex_unlock(&qmp->lock);
    if (changed && qmp->handler->responsive)
        qmp->handler->responsive(!late, qmp->user);
}

gboolean qmp_submit(Qmp *qmp, QmpRequest *request, GError **error)
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
        loop_post(qmp->loop, qmp_posted_process, qmp_ref(qmp));
        return TRUE;
    }
    (closed ? qmp_error_gone : qmp_error_late)(error, request->command);
    qmp_request_free(request);
    return FALSE;
}

void qmp_take_submitted(Qmp *qmp)
{
    if (qmp->state == QMP_CLOSED)
        return;
    g_mutex_lock(&qmp->lock);
    GQueue submitted = qmp->submitted;
    g_queue_init(&qmp->submitted);
    g_mutex_unlock(&qmp->lock);
    for (QmpRequest *request; (request = g_queue_pop_head(&submitted));) {
        g_queue_push_tail(&qmp->outgoing, request);
        g_hash_table_insert(qmp->pending, &request->id, request);
    }
}

static void forgotten(JsonNode *answer, const GError *error, gpointer data)
{
}

/* One that has not begun on the wire will not be sent any more; one that has stays until its answer comes. */
static void give_up(Qmp *qmp, QmpRequest *request)
{
    g_autoptr(GError) error = NULL;

    qmp_error_late(&error, request->command);
    if (request->sent == 0) {
        g_queue_remove(&qmp->outgoing, request);
        g_hash_table_remove(qmp->pending, &request->id);
        qmp_request_end(qmp, request, NULL, error);
        return;
    }
    request->deadline = G_MAXINT64;
    QmpReply fn = request->fn;
    request->fn = forgotten;
    fn(NULL, error, request->data);
}

/* The one that the peer is at: it answers in order. One that has not begun on the wire comes last; one whose caller has
 * given up says nothing new. */
static const QmpRequest *oldest(Qmp *qmp)
{
    const QmpRequest *result = NULL;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, qmp->pending);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const QmpRequest *request = value;
        if (request->deadline != G_MAXINT64 && (!result || request->turn - 1 < result->turn - 1))
            result = request;
    }
    return result;
}

/* Only the command that the peer is at shows that it is late: the others wait for that one. When it is late, they wait in
 * vain. */
void qmp_check_deadlines(Qmp *qmp, gint64 now)
{
    const QmpRequest *first = oldest(qmp);
    gboolean late = (first && first->deadline <= now) || (qmp->state < QMP_READY && qmp->greeting_deadline <= now);
    g_autoptr(GPtrArray) overdue = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, qmp->pending);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        QmpRequest *request = value;
        if (request->deadline <= now || (late && request->deadline != G_MAXINT64))
            g_ptr_array_add(overdue, request);
    }
    if (late)
        qmp_set_late(qmp, TRUE);
    /* a callback may close it, which ends them all */
    for (guint i = 0; i < overdue->len && qmp->state != QMP_CLOSED; i++)
        give_up(qmp, overdue->pdata[i]);
}
