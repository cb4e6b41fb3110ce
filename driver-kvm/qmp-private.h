/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the parts of the monitor's client share: qmp.c the connection, qmp-message.c what comes in, qmp-request.c the
 * commands under way and their deadlines, qmp-call.c the faces of it.
 */
#include "driver-kvm/qmp.h"

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
} QmpRequest;

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
    GQueue outgoing; /* of QmpRequest, not wholly written; also in pending */
    GHashTable *pending; /* id -> QmpRequest */
    guint64 last_turn;
    LoopWatch *io;
    sd_event_source *timer;
};

/* --- qmp.c; loop thread --- */

/* Ends the connection. WHY: NULL when the owner does. */
void qmp_end(Qmp *qmp, const GError *why);
void qmp_fail(Qmp *qmp, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Takes up what was submitted; to be posted, with a reference. */
void qmp_posted_process(gpointer qmp);

/* --- qmp-message.c; loop thread --- */

/* TEXT, one line, is what the peer sent. */
void qmp_on_message(Qmp *qmp, const char *text, gsize length);
/* True for the request that ends the handshake. */
gboolean qmp_is_agreement(const QmpRequest *request);

/* --- qmp-request.c --- */

/* MESSAGE gets its id. FN is called once, by qmp_request_end(). Any thread. */
QmpRequest *qmp_request_new(Qmp *qmp, JsonObject *message, guint64 deadline, QmpReply fn, gpointer data);
void qmp_request_free(QmpRequest *request);
void qmp_request_end(Qmp *qmp, QmpRequest *request, JsonNode *answer, const GError *error);

/* Takes REQUEST over; FALSE (REQUEST freed, its function not called) if it would only wait in vain. Any thread. */
gboolean qmp_submit(Qmp *qmp, QmpRequest *request, GError **error);
void qmp_take_submitted(Qmp *qmp);

void qmp_set_late(Qmp *qmp, gboolean late);
void qmp_check_deadlines(Qmp *qmp, gint64 now);

void qmp_error_gone(GError **error, const char *command);
void qmp_error_late(GError **error, const char *command);
