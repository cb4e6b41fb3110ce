/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A thread with an event loop (sd-event: epoll, timers, pidfds, signals) and a way in for other threads.
 *
 * The daemon runs two: "io" (client connections, the read lane) and "event" (monitors, child processes, timers: the
 * owner of run state). Nothing that runs on a loop may block. sd-event is used as it is, by loop_event(), and only
 * from the loop's own thread; every other thread goes through loop_post().
 */
#include <glib.h>
#include <systemd/sd-event.h>

typedef struct Loop Loop;

/* A loop that is not running yet. NAME (copied) becomes the thread's name. NULL with ERROR set if the kernel refuses.
 * */
Loop *loop_new(const char *name, GError **error);

/* Runs LOOP on a thread of its own until loop_free(); or, loop_run(), on the calling thread until loop_quit(). */
gboolean loop_start(Loop *loop, GError **error);
int loop_run(Loop *loop);
void loop_quit(Loop *loop); /* any thread */

/* Ends the thread (joining it), runs what was posted before, frees. NULL is allowed. Not from the loop's own thread. */
void loop_free(Loop *loop);

/* The sd_event behind it, for sd_event_add_io() and friends. Loop thread only (or before it runs). */
sd_event *loop_event(Loop *loop);

/* True on LOOP's thread. */
gboolean loop_is_current(const Loop *loop);

/* FN(DATA) will run on LOOP's thread, in the order of the calls. Any thread. Never blocks. */
typedef void (*LoopFunc)(gpointer data);
void loop_post(Loop *loop, LoopFunc fn, gpointer data);

/* The same, and waits until it has run; runs directly when called on LOOP's thread. FN must not block. */
void loop_call(Loop *loop, LoopFunc fn, gpointer data);

/* Calls FN(DATA) once on LOOP's thread after USEC microseconds. Returns a source to unref (which cancels it). Loop
 * thread only. */
sd_event_source *loop_after(Loop *loop, guint64 usec, LoopFunc fn, gpointer data);

/*
 * Descriptors that may be many. sd-event asks epoll for everything that is ready before each single callback, so that N
 * ready descriptors cost N * N; these are asked for once and then called one after the other. Loop thread only.
 */
typedef struct LoopWatch LoopWatch;
typedef void (*LoopWatchFunc)(guint32 events, gpointer data);

/* FN(events, DATA) whenever FD has one of EVENTS (EPOLLIN, EPOLLOUT; EPOLLHUP and EPOLLERR are always meant). NULL with
 * ERROR, for a regular file for instance. FD is borrowed and closed only after loop_watch_free(). */
LoopWatch *loop_watch(Loop *loop, int fd, guint32 events, LoopWatchFunc fn, gpointer data, GError **error);

/* Costs a system call where EVENTS differ from what they were. 0: nothing but EPOLLHUP and EPOLLERR, and these once. */
void loop_watch_set(LoopWatch *watch, guint32 events);

/* FN is not called any more. NULL is allowed. Also from FN. */
void loop_watch_free(LoopWatch *watch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Loop, loop_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LoopWatch, loop_watch_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_event_source, sd_event_source_unref)
