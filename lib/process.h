/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Other processes: started, waited for with a deadline, ended. No shell, no inherited descriptor that is not listed.
 *
 * A process is held by a pidfd, so that a pid that was given to somebody else is never waited for or signalled.
 * Any thread; whatever waits takes a deadline, g_get_monotonic_time() in microseconds.
 */
#include <glib.h>
#include <sys/types.h>

typedef struct {
    int fd;     /* ours; borrowed */
    int number; /* what it is called there */
} ProcessFd;

typedef struct {
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    gsize n_groups;
} ProcessIds;

typedef struct {
    const char *const *argv;        /* argv[0] is the path */
    const char *const *environment; /* NULL: ours */
    const ProcessFd *fds;           /* 0, 1 and 2 are /dev/null where they are not listed */
    guint n_fds;
    const ProcessIds *ids;          /* NULL: ours. Else all capabilities are lost too, but for: */
    gboolean opens_all;             /* it may open whatever we may (CAP_DAC_OVERRIDE) */
    gboolean dies_with_us;          /* is killed when the thread that started it ends */
} ProcessSpec;

typedef struct {
    pid_t pid;
    int pidfd;
} Process;

/* Returns when the program runs; VIR_ERR_SYSTEM_ERROR with the reason if it cannot be executed. It leads a session of
 * its own, with default signal handling. */
gboolean process_spawn(const ProcessSpec *spec, Process *ret_process, GError **error);

/* Waits for the end of a child and takes its exit status (as of waitpid). FALSE with VIR_ERR_OPERATION_TIMEOUT. */
gboolean process_wait(Process *process, gint64 deadline, int *ret_status, GError **error);

/* Kills it, waits a moment, forgets it; one that cannot die now is reaped when it does. PROCESS is clear after. Harmless
 * on a clear one. */
void process_end(Process *process);

/* FN(DATA) in a forked copy of this process that holds no descriptor but OUT and is killed at DEADLINE: for what may
 * hang in the kernel, as any path may. It may use memory and system calls, and nothing that another thread could have locked
 * at the fork (GObject, stdio, locale). What it writes to OUT (at most MAX bytes) comes back; its result other than 0 is
 * an error. WHAT ("looking at /x") names the work in errors. */
typedef int (*ProcessFunc)(gpointer data, int out);
GByteArray *process_call(const char *what, ProcessFunc fn, gpointer data, gsize max, gint64 deadline, GError **error);

/* For processes that are not our children. */
int process_open(pid_t pid);        /* a pidfd, close-on-exec; -1 with errno */
gboolean process_is_gone(int pidfd);
gboolean process_wait_gone(int pidfd, gint64 deadline); /* FALSE: still there */
gboolean process_signal(int pidfd, int signal);         /* FALSE with errno */
guint64 process_start_time(pid_t pid); /* as in /proc: ticks since the boot; 0 if there is no such process */

/* Closes every descriptor but ONE and OTHER (-1: none, or the same again). For forked children: only system calls. */
void process_keep_only(int one, int other);

/* Becomes IDS, with no way back. For forked children: only system calls. FALSE with errno. */
gboolean process_become(const ProcessIds *ids);
