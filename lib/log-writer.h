/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A thread that writes what the others log. Who reads standard error or the journal may stop doing so, and nobody who logs
 * may wait for him; a descriptor that is not ours alone must not be made non-blocking either.
 */
#include <glib.h>

/* A record is a NULL-terminated array of strings that only its sink understands. */
typedef struct {
    void (*write)(char **record); /* may block; on the thread */
    char **(*lost)(guint n);      /* the record that says that N were left out; to free */
} LogSink;

/* Once. FALSE if no thread can be had. */
gboolean log_writer_start(const LogSink *sink);

/* RECORD (taken over) will be written, in the order of the calls, or, if too much waits, be left out. Any thread. */
void log_writer_push(char **record);

/* Waits until everything is written, USEC at most. Any thread. */
void log_writer_flush(gint64 usec);
