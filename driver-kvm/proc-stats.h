/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the kernel counted for a process or thread. Any thread. */
#include <glib.h>
#include <sys/types.h>

typedef struct {
    guint64 user, system; /* nanoseconds, in steps of a clock tick */
    guint64 rss;          /* KiB */
} ProcTimes;

/* TID 0: the whole process. FALSE if there is no such process or thread. */
gboolean proc_times(pid_t pid, pid_t tid, ProcTimes *ret_times);

/* Nanoseconds that a thread waited for something (where the kernel counts that), and that it could have run but did not. */
void proc_waits(pid_t pid, pid_t tid, guint64 *ret_wait, guint64 *ret_delay);

/* Nanoseconds that KVM polled for a guest that had halted; 0 where that is not known. */
void proc_halt_polls(pid_t pid, guint64 *ret_success, guint64 *ret_fail);
