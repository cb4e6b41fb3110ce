/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * One line each to the journal (where standard error is connected to it) or to standard error, with the domain and the
 * request that the thread works for. Libraries do not log: the caller that knows the purpose does, once.
 *
 * All functions: any thread. PRIORITY is one of syslog(3)'s.
 */
#include <glib.h>
#include <syslog.h>

/* Looks where standard error goes, and from then on no line waits for its reader: a thread writes them, and says how many
 * it had to leave out. Before it is called, lines go to standard error as they are. Before other threads. */
void log_open(const char *identifier);

/* Waits until all lines are written, for a second at most; exit() does, _exit() does not. */
void log_flush(void);

/* Lines above PRIORITY are dropped. LOG_INFO at first. */
void log_set_level(int priority);
gboolean log_wants(int priority);

/* Octets that would break the line are shown as \xNN: a message may quote what a client sent. */
void log_line(int priority, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* What the calling thread works for; strings are borrowed until log_context_leave(). Nests: what the inner one leaves open
 * is the outer one's. */
typedef struct LogContext {
    const char *domain;
    const char *request;
    struct LogContext *outer;
} LogContext;

void log_context_enter(LogContext *context);
void log_context_leave(LogContext *context);

/* All that is known now, for another thread that works for the same: it enters a copy. Strings are borrowed. */
LogContext log_context_get(void);

/* For what a stranger can cause as often as he likes: at most BURST lines every INTERVAL seconds, and then one that
 * says how many were left out. Static storage, LOG_LIMIT_INIT. */
typedef struct {
    guint burst, interval;
    GMutex lock;
    gint64 since; /* seconds, monotonic */
    guint written, dropped;
} LogLimit;

#define LOG_LIMIT_INIT(burst, interval) {(burst), (interval)}

void log_limited(LogLimit *limit, int priority, const char *format, ...) G_GNUC_PRINTF(3, 4);
