/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fork() and then pidfd_open() is free of races here: the child is ours and nobody else waits for it. Between fork and
 * exec there are only system calls; everything they need is made before.
 */
#include "lib/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/close_range.h>

#include "lib/error.h"

#define KILL_PATIENCE (2 * G_USEC_PER_SEC)
#define EXEC_PATIENCE 10000 /* ms: the program may lie on a slow disk */

static GMutex stuck_lock;
static GArray *stuck; /* of Process: killed, and still not gone */

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

int process_open(pid_t pid)
{
    return syscall(SYS_pidfd_open, pid, 0);
}

gboolean process_signal(int pidfd, int signal)
{
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0;
}

gboolean process_wait_gone(int pidfd, gint64 deadline)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

    for (;;) {
        gint64 left = MAX(deadline - g_get_monotonic_time(), 0);
        int r = poll(&poll_fd, 1, MIN(left / 1000 + (left > 0), G_MAXINT));
        if (r > 0)
            return TRUE;
        if (r == 0 && left == 0)
            return FALSE;
        if (r < 0 && errno != EINTR)
            return FALSE;
    }
}

gboolean process_is_gone(int pidfd)
{
    return process_wait_gone(pidfd, 0);
}

guint64 process_start_time(pid_t pid)
{
    char path[64], text[1024];

    g_snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    /* the name, in parentheses, may hold anything; the start time is the 20th word after it */
    const char *at = strrchr(text, ')');
    for (guint i = 0; at && i < 20; i++)
        at = strchr(at + 1, ' ');
    return at ? g_ascii_strtoull(at + 1, NULL, 10) : 0;
}

gboolean process_become(const ProcessIds *ids)
{
    /* the C library's wrappers would try to reach threads that the fork left behind */
    return syscall(SYS_setgroups, ids->n_groups, ids->groups) == 0 &&
           syscall(SYS_setresgid, ids->gid, ids->gid, ids->gid) == 0 &&
           syscall(SYS_setresuid, ids->uid, ids->uid, ids->uid) == 0;
}

/* As process_become(), with the one capability kept over the change of ids and over exec. */
static gboolean become_opener(const ProcessIds *ids)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    data[0].effective = data[0].permitted = data[0].inheritable = 1u << CAP_DAC_OVERRIDE;
    return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && process_become(ids) && syscall(SYS_capset, &header, data) == 0 &&
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0) == 0;
}

static gboolean change_ids(const ProcessSpec *spec)
{
    return !spec->ids || (spec->opens_all ? become_opener(spec->ids) : process_become(spec->ids));
}

static void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        sigaction(i, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Everything from FIRST on is closed by exec, but for what dup2() makes later. */
static void hide_from(unsigned first)
{
    syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* Gives each descriptor its number. They are first moved out of the way of all numbers. FALSE with errno. */
static gboolean place_fds(const ProcessSpec *spec, int base, int *moved)
{
    for (guint i = 0; i < spec->n_fds; i++)
        if ((moved[i] = fcntl(spec->fds[i].fd, F_DUPFD_CLOEXEC, base)) < 0)
            return FALSE;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || (null = fcntl(null, F_DUPFD_CLOEXEC, base)) < 0)
        return FALSE;
    for (int number = 0; number < 3; number++)
        if (dup2(null, number) < 0)
            return FALSE;
    for (guint i = 0; i < spec->n_fds; i++)
        if (dup2(moved[i], spec->fds[i].number) < 0)
            return FALSE;
    return TRUE;
}

static void run_child(const ProcessSpec *spec, char **environment, int base, int *moved, int status, pid_t parent)
    __attribute__((noreturn));

static void run_child(const ProcessSpec *spec, char **environment, int base, int *moved, int status, pid_t parent)
{
    setsid();
    status = fcntl(status, F_DUPFD_CLOEXEC, base);
    hide_from(3);
    reset_signals();
    if (status >= 0 && place_fds(spec, base, moved) && change_ids(spec)) {
        /* after the change of ids, which clears it */
        if (spec->dies_with_us) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent)
                _exit(127);
        }
        execve(spec->argv[0], (char **)spec->argv, environment);
    }
    int errnum = errno;
    (void)!write(status, &errnum, sizeof errnum);
    _exit(127);
}

/* Waits for the children that could not die when they were killed. */
static void reap_stuck(void)
{
    g_mutex_lock(&stuck_lock);
    for (guint i = stuck ? stuck->len : 0; i-- > 0;) {
        Process *process = &g_array_index(stuck, Process, i);
        if (waitpid(process->pid, NULL, WNOHANG) != 0) {
            close_fd(process->pidfd);
            g_array_remove_index_fast(stuck, i);
        }
    }
    g_mutex_unlock(&stuck_lock);
}

gboolean process_spawn(const ProcessSpec *spec, Process *ret_process, GError **error)
{
    int status[2], base = 3, errnum = 0;
    g_autofree int *moved = g_new(int, spec->n_fds + 1);
    extern char **environ;
    char **environment = spec->environment ? (char **)spec->environment : environ;

    reap_stuck();
    for (guint i = 0; i < spec->n_fds; i++)
        base = MAX(base, spec->fds[i].number + 1);
    if (pipe2(status, O_CLOEXEC) < 0)
        return error_set_errno(error, VIR_FROM_NONE, errno, "cannot run %s", spec->argv[0]);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        run_child(spec, environment, base, moved, status[1], parent);
    errnum = errno;
    close(status[1]);
    if (pid < 0) {
        close(status[0]);
        return error_set_errno(error, VIR_FROM_NONE, errnum, "cannot fork to run %s", spec->argv[0]);
    }

    Process process = {pid, process_open(pid)};
    struct pollfd poll_fd = {.fd = status[0], .events = POLLIN};
    ssize_t n = poll(&poll_fd, 1, EXEC_PATIENCE) > 0 ? read(status[0], &errnum, sizeof errnum) : -1;
    close(status[0]);
    if (n == 0 && process.pidfd >= 0) {
        *ret_process = process;
        return TRUE;
    }
    if (n != sizeof errnum)
        errnum = process.pidfd < 0 ? EMFILE : ETIMEDOUT;
    process_end(&process);
    return error_set_errno(error, VIR_FROM_NONE, errnum, "cannot run %s", spec->argv[0]);
}

gboolean process_wait(Process *process, gint64 deadline, int *ret_status, GError **error)
{
    if (!process_wait_gone(process->pidfd, deadline))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_TIMEOUT, "process %d has not ended", process->pid);
    while (waitpid(process->pid, ret_status, 0) < 0 && errno == EINTR) {
    }
    close_fd(process->pidfd);
    *process = (Process){0, -1};
    return TRUE;
}

void process_end(Process *process)
{
    int status;

    if (process->pid <= 0)
        return;
    kill(process->pid, SIGKILL); /* our child, not waited for: the pid is still its own */
    if (process->pidfd >= 0 && process_wait(process, g_get_monotonic_time() + KILL_PATIENCE, &status, NULL))
        return;
    g_mutex_lock(&stuck_lock);
    if (!stuck)
        stuck = g_array_new(FALSE, FALSE, sizeof(Process));
    g_array_append_val(stuck, *process);
    g_mutex_unlock(&stuck_lock);
    *process = (Process){0, -1};
}

void process_keep_only(int one, int other)
{
    int low = MIN(one, other), high = MAX(one, other);

    if (low > 0)
        syscall(SYS_close_range, 0, low - 1, 0);
    if (high > low + 1)
        syscall(SYS_close_range, low + 1, high - 1, 0);
    syscall(SYS_close_range, high + 1, ~0U, 0);
}

static void run_copy(ProcessFunc fn, gpointer data, int out) __attribute__((noreturn));

static void run_copy(ProcessFunc fn, gpointer data, int out)
{
    reset_signals();
    process_keep_only(out, -1);
    _exit(fn(data, out));
}

/* Reads to the end of FD; FALSE if that did not come before DEADLINE or more than MAX bytes came. */
static gboolean collect(int fd, GByteArray *into, gsize max, gint64 deadline)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    guint8 buffer[4096];

    for (;;) {
        gint64 left = deadline - g_get_monotonic_time();
        if (left <= 0)
            return FALSE;
        if (poll(&poll_fd, 1, MIN(left / 1000 + 1, G_MAXINT)) <= 0)
            continue;
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n == 0)
            return TRUE;
        if (n < 0 && errno != EINTR)
            return FALSE;
        if (n > 0 && (gsize)n > max - into->len)
            return FALSE;
        if (n > 0)
            g_byte_array_append(into, buffer, n);
    }
}

GByteArray *process_call(const char *what, ProcessFunc fn, gpointer data, gsize max, gint64 deadline, GError **error)
{
    g_autoptr(GByteArray) reply = g_byte_array_new();
    int ends[2], status = 0;

    reap_stuck();
    if (pipe2(ends, O_CLOEXEC) < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "%s", what);
        return NULL;
    }
    pid_t pid = fork();
    if (pid == 0)
        run_copy(fn, data, ends[1]);
    int errnum = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        error_set_errno(error, VIR_FROM_NONE, errnum, "%s: cannot fork", what);
        return NULL;
    }

    Process process = {pid, process_open(pid)};
    gboolean whole = process.pidfd >= 0 && collect(ends[0], reply, max, deadline);
    close(ends[0]);
    if (!whole || !process_wait(&process, deadline, &status, NULL)) {
        process_end(&process);
        if (g_get_monotonic_time() >= deadline)
            error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_TIMEOUT, "%s takes too long", what);
        else
            error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "%s: more than %zu bytes, or no descriptor left", what,
                      max);
        return NULL;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "%s failed", what);
        return NULL;
    }
    return g_steal_pointer(&reply);
}
