/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A client of QEMU's monitor protocol.
 *
 * The peer is not trusted: what it may make us hold is bounded (QMP_MESSAGE_MAX, QMP_VALUES_MAX), and a message that is
 * too large, is not JSON, or answers what was never asked closes the connection.
 *
 * Every command has a deadline. The peer answers in order, so when the command it is at misses its deadline, the peer counts as
 * unresponsive: that command and all behind it fail, and those that follow fail at once, until the peer answers
 * anything (the answer itself is dropped).
 */
#include <glib.h>
#include <json-glib/json-glib.h>
#include "lib/loop.h"

#define QMP_MESSAGE_MAX (4 * 1024 * 1024) /* the largest QEMU sends, query-qmp-schema, has some 200 kB */
#define QMP_VALUES_MAX 200000
#define QMP_PENDING_MAX 256 /* commands of one monitor that wait for an answer */

/* QEMU answers in milliseconds; under heavy load on two cores 0.3 s were seen. 5 s is far above that and still a wait
 * that a person at virsh accepts. Commands that flush disks or leave QEMU's main loop for long get QMP_DEADLINE_LONG. */
#define QMP_DEADLINE (5 * G_USEC_PER_SEC)
#define QMP_DEADLINE_LONG (15 * G_USEC_PER_SEC)

typedef struct Qmp Qmp;

/* All are called on the loop's thread, and none after qmp_close() has returned. Slots may be NULL. */
typedef struct {
    void (*ready)(gpointer user); /* the peer has greeted and agreed */
    /* DATA may be NULL. WHEN: the peer's clock, microseconds since 1970. */
    void (*event)(const char *name, JsonObject *data, gint64 when, gpointer user);
    void (*responsive)(gboolean responsive, gpointer user);
    void (*closed)(const GError *why, gpointer user); /* once; the connection ended by itself */
} QmpHandler;

/* A client on the connected socket FD (taken over). A peer that has not greeted after GREETING microseconds counts as
 * unresponsive. HANDLER must stay. Any thread. */
Qmp *qmp_new(Loop *loop, int fd, guint64 greeting, const QmpHandler *handler, gpointer user);

/* Ends the connection: every command that waits fails. Any thread; the last reference may go only after this. */
void qmp_close(Qmp *qmp);
/* As qmp_close, but what the peer has already sent is handled first: for a peer that is known to be dead. Loop thread. */
void qmp_drain(Qmp *qmp);
Qmp *qmp_ref(Qmp *qmp);
void qmp_unref(Qmp *qmp); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Qmp, qmp_unref)

/* Exactly one of ANSWER (the "return" member, borrowed) and ERROR is set. Loop thread. */
typedef void (*QmpReply)(JsonNode *answer, const GError *error, gpointer data);

/* Runs COMMAND; FN(DATA) is called exactly once. ARGUMENTS (taken over) may be NULL. FD, unless -1, goes along with it
 * (a duplicate does, FD stays the caller's). Any thread. */
void qmp_send(Qmp *qmp, const char *command, JsonObject *arguments, int fd, guint64 deadline, QmpReply fn, gpointer data);

/* Runs COMMAND and waits for the answer at most WAIT microseconds. A WAIT below QMP_DEADLINE is the caller's own hurry: the
 * peer is not held to it. NULL with VIR_ERR_INTERNAL_ERROR (QEMU refused, in its words), VIR_ERR_OPERATION_TIMEOUT
 * or VIR_ERR_OPERATION_FAILED (no connection). Any thread but the loop's. */
JsonNode *qmp_call(Qmp *qmp, const char *command, JsonObject *arguments, guint64 wait, GError **error);
JsonNode *qmp_call_with_fd(Qmp *qmp, const char *command, JsonObject *arguments, int fd, guint64 wait, GError **error);

/* Sends the whole message MESSAGE, which gets an "id", with FD (-1: none), and returns the whole answer, an error too. */
JsonNode *qmp_call_raw(Qmp *qmp, JsonObject *message, int fd, guint64 wait, GError **error);

/* As qmp_call, where the answer says nothing: TRUE if QEMU did it. */
gboolean qmp_do(Qmp *qmp, const char *command, JsonObject *arguments, guint64 wait, GError **error);

gboolean qmp_is_responsive(Qmp *qmp); /* connected, agreed and not late */
