/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the peer sends: its greeting, events, answers. Whatever else it sends ends the connection. */
#include "driver-kvm/qmp-private.h"

#include "lib/error.h"
#include "lib/json-peek.h"

static void on_agreed(JsonNode *answer, const GError *error, gpointer data)
{
    Qmp *qmp = data;

    if (qmp->state != QMP_NEGOTIATING)
        return;
    if (error) {
        qmp_fail(qmp, "QEMU's monitor refused the handshake: %s", error->message);
        return;
    }
    qmp->state = QMP_READY;
    g_mutex_lock(&qmp->lock);
    qmp->agreed = TRUE;
    g_mutex_unlock(&qmp->lock);
    qmp_set_late(qmp, FALSE);
    if (qmp->handler->ready)
        qmp->handler->ready(qmp->user);
}

gboolean qmp_is_agreement(const QmpRequest *request)
{
    return request && request->fn == on_agreed;
}

static void on_greeting(Qmp *qmp, JsonObject *message)
{
    if (!json_peek_object(message, "QMP")) {
        qmp_fail(qmp, "QEMU's monitor did not greet");
        return;
    }
    g_autoptr(JsonObject) agree = json_object_new();
    json_object_set_string_member(agree, "execute", "qmp_capabilities");
    qmp->state = QMP_NEGOTIATING;
    /* the greeting's deadline covers this too; it is not a command of its own that could be late */
    QmpRequest *request = qmp_request_new(qmp, agree, 0, on_agreed, qmp);
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
        qmp_fail(qmp, "QEMU's monitor sent an answer without a question%s%s", desc ? ": " : "", desc ? desc : "");
        return;
    }
    QmpRequest *request = g_hash_table_lookup(qmp->pending, &id);
    if (!request || request->sent < request->length) {
        qmp_fail(qmp, "QEMU's monitor answered a command that was not sent");
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
        qmp_set_late(qmp, FALSE);
    qmp_request_end(qmp, request, error ? NULL : request->raw ? node : answer, error);
}

void qmp_on_message(Qmp *qmp, const char *text, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) node = json_peek_parse(text, length, QMP_VALUES_MAX, &error);
    JsonObject *message = json_peek_as_object(node);

    if (!message) {
        qmp_fail(qmp, "QEMU's monitor sent what is not a message: %s", error ? error_detail(error) : "not an object");
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
