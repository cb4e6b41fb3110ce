/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Threads with a small stack that are made when work comes and end after a few idle seconds, giving back to the system what
 * the work left unused. GThreadPool was ruled out: it
 * gives every thread the default stack and reports nothing when the kernel refuses a thread.
 */
#include <glib.h>

typedef struct Threads Threads;
typedef void (*ThreadsFunc)(gpointer data);

/* At most MAX threads, at most WAITING_MAX tasks that wait for one. NAME (static) is the threads' name. */
Threads *threads_new(const char *name, guint max, guint waiting_max);

/* FN(DATA) on a thread. FALSE when WAITING_MAX tasks wait, or no thread can be had at all. Any thread. */
gboolean threads_push(Threads *threads, ThreadsFunc fn, gpointer data);

/* Waits until nothing is left to do and no thread is left. FALSE if that was so already. */
gboolean threads_drain(Threads *threads);
