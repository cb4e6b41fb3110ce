/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/patient.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/process.h"

typedef struct {
    const char *path;
    int flags;
    mode_t mode;
    gboolean look; /* stat, not open */
} Work;

typedef struct {
    int errnum;
    struct stat info;
} Answer;

/* A message with room for one descriptor. */
typedef struct {
    struct iovec part;
    struct msghdr header;
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
} Message;

static void message_init(Message *message, Answer *answer)
{
    memset(message, 0, sizeof *message);
    message->part = (struct iovec){answer, sizeof *answer};
    message->header.msg_iov = &message->part;
    message->header.msg_iovlen = 1;
    message->header.msg_control = message->control.bytes;
    message->header.msg_controllen = sizeof message->control.bytes;
}

static void attach(Message *message, int fd)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(&message->header);

    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(control), &fd, sizeof fd);
}

static int attached(Message *message)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(&message->header);
    int fd = -1;

    if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
        control->cmsg_len == CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(control), sizeof fd);
    return fd;
}

static void work_in_copy(const Work *work, int out) __attribute__((noreturn));

/* Only system calls: another thread may have held any lock at the fork. */
static void work_in_copy(const Work *work, int out)
{
    Answer answer = {0};
    Message message;
    int fd = -1;

    syscall(SYS_close_range, 0, out - 1, 0);
    syscall(SYS_close_range, out + 1, ~0U, 0);
    if (work->look)
        answer.errnum = stat(work->path, &answer.info) < 0 ? errno : 0;
    else
        answer.errnum = (fd = open(work->path, work->flags, work->mode)) < 0 ? errno : 0;
    message_init(&message, &answer);
    if (fd >= 0)
        attach(&message, fd);
    else
        message.header.msg_controllen = 0;
    _exit(sendmsg(out, &message.header, MSG_NOSIGNAL) < 0);
}

/* FALSE with errno. RET_FD may be -1. */
static gboolean receive(int from, gint64 deadline, Answer *answer, int *ret_fd)
{
    struct pollfd poll_fd = {.fd = from, .events = POLLIN};
    Message message;
    ssize_t n = -1;

    for (gint64 left; n < 0 && (left = deadline - g_get_monotonic_time()) > 0;) {
        message_init(&message, answer);
        if (poll(&poll_fd, 1, MIN(left / 1000 + 1, G_MAXINT)) > 0 &&
            (n = recvmsg(from, &message.header, MSG_CMSG_CLOEXEC)) < 0 && errno != EINTR)
            return FALSE;
    }
    if (n != sizeof *answer) {
        errno = n < 0 ? ETIMEDOUT : EIO;
        return FALSE;
    }
    *ret_fd = attached(&message);
    errno = answer->errnum;
    return answer->errnum == 0;
}

static gboolean run(const Work *work, gint64 deadline, Answer *answer, int *ret_fd)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return FALSE;
    pid_t pid = fork();
    if (pid == 0)
        work_in_copy(work, ends[1]);
    int errnum = errno;
    close(ends[1]);
    gboolean ok = pid > 0 && receive(ends[0], deadline, answer, ret_fd);
    if (pid > 0) {
        errnum = errno;
        Process process = {pid, process_open(pid)};
        process_end(&process); /* it may not be able to die now; then it is reaped later */
    }
    close(ends[0]);
    errno = errnum;
    return ok;
}

int patient_open(const char *path, int flags, mode_t mode, gint64 deadline)
{
    const Work work = {path, flags, mode, FALSE};
    Answer answer;
    int fd = -1;

    return run(&work, deadline, &answer, &fd) ? fd : -1;
}

gboolean patient_stat(const char *path, struct stat *ret_info, gint64 deadline)
{
    const Work work = {path, 0, 0, TRUE};
    Answer answer;
    int fd;

    if (!run(&work, deadline, &answer, &fd))
        return FALSE;
    *ret_info = answer.info;
    return TRUE;
}
