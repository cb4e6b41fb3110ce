/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/patient.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/process.h"

typedef struct Work Work;
typedef struct Answer Answer;

/* In the copy. A descriptor for who asked, or -1; ANSWER->errnum. */
typedef int (*WorkFunc)(const Work *work, Answer *answer);

struct Work {
    WorkFunc fn;
    const char *path;
    int flags;
    mode_t mode;
    int fd;     /* what the copy keeps open; -1: nothing */
    void *data; /* shared with the copy, or for it to read only */
    gsize length;
    gint64 at;
};

struct Answer {
    int errnum;
    union {
        struct stat info;
        gsize length;
    };
};

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

static int do_open(const Work *work, Answer *answer)
{
    int fd = open(work->path, work->flags, work->mode);

    answer->errnum = fd < 0 ? errno : 0;
    return fd;
}

static int do_stat(const Work *work, Answer *answer)
{
    answer->errnum = stat(work->path, &answer->info) < 0 ? errno : 0;
    return -1;
}

static int do_unlink(const Work *work, Answer *answer)
{
    answer->errnum = unlink(work->path) < 0 ? errno : 0;
    return -1;
}

static int do_unlink_socket(const Work *work, Answer *answer)
{
    struct stat info;

    if (lstat(work->path, &info) < 0 || (S_ISSOCK(info.st_mode) && unlink(work->path) < 0))
        answer->errnum = errno;
    return -1;
}

static int do_bind(const Work *work, Answer *answer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, work->path, strlen(work->path) + 1);
    do_unlink_socket(work, answer);
    answer->errnum = bind(work->fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
    return -1;
}

static int do_read(const Work *work, Answer *answer)
{
    ssize_t n = 1;

    for (answer->length = 0; n > 0 && answer->length < work->length;) {
        n = pread(work->fd, (char *)work->data + answer->length, work->length - answer->length, work->at + answer->length);
        if (n > 0)
            answer->length += n;
        else if (n < 0 && errno == EINTR)
            n = 1;
    }
    answer->errnum = n < 0 ? errno : 0;
    return -1;
}

static int do_write_head(const Work *work, Answer *answer)
{
    ssize_t n;

    for (gsize done = 0; done < work->length; done += MAX(n, 0)) {
        n = pwrite(work->fd, (char *)work->data + done, work->length - done, done);
        if (n < 0 && errno != EINTR) {
            answer->errnum = errno;
            return -1;
        }
    }
    answer->errnum = fsync(work->fd) < 0 ? errno : 0;
    return -1;
}

static int do_write_text(const Work *work, Answer *answer)
{
    int fd = open(work->path, O_WRONLY | O_CLOEXEC);

    answer->errnum = fd < 0 || write(fd, work->data, work->length) != (ssize_t)work->length ? errno : 0;
    return -1;
}

static void work_in_copy(const Work *work, int out) __attribute__((noreturn));

/* Only system calls: another thread may have held any lock at the fork. */
static void work_in_copy(const Work *work, int out)
{
    Answer answer = {0};
    Message message;

    process_keep_only(work->fd, out);
    int fd = work->fn(work, &answer);
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
    const Work work = {.fn = do_open, .fd = -1, .path = path, .flags = flags, .mode = mode};
    Answer answer;
    int fd = -1;

    return run(&work, deadline, &answer, &fd) ? fd : -1;
}

gboolean patient_stat(const char *path, struct stat *ret_info, gint64 deadline)
{
    const Work work = {.fn = do_stat, .fd = -1, .path = path};
    Answer answer;
    int fd;

    if (!run(&work, deadline, &answer, &fd))
        return FALSE;
    *ret_info = answer.info;
    return TRUE;
}

gboolean patient_bind(int fd, const char *path, gint64 deadline)
{
    const Work work = {.fn = do_bind, .path = path, .fd = fd};
    Answer answer;
    int none;

    errno = ENAMETOOLONG;
    return strlen(path) < sizeof ((struct sockaddr_un *)NULL)->sun_path && run(&work, deadline, &answer, &none);
}

gboolean patient_unlink(const char *path, gint64 deadline)
{
    const Work work = {.fn = do_unlink, .fd = -1, .path = path};
    Answer answer;
    int none;

    return run(&work, deadline, &answer, &none);
}

gboolean patient_unlink_socket(const char *path, gint64 deadline)
{
    const Work work = {.fn = do_unlink_socket, .fd = -1, .path = path};
    Answer answer;
    int none;

    return run(&work, deadline, &answer, &none);
}

gboolean patient_read(int fd, void *data, gsize length, gint64 at, gsize *ret_length, gint64 deadline)
{
    Work work = {.fn = do_read, .fd = fd, .length = length, .at = at};
    Answer answer;
    int none;

    work.data = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (work.data == MAP_FAILED)
        return FALSE;
    gboolean ok = run(&work, deadline, &answer, &none);
    int errnum = errno;
    if (ok) {
        memcpy(data, work.data, answer.length);
        *ret_length = answer.length;
    }
    munmap(work.data, length);
    errno = errnum;
    return ok;
}

gboolean patient_write_head(int fd, const void *data, gsize length, gint64 deadline)
{
    const Work work = {.fn = do_write_head, .fd = fd, .data = (void *)data, .length = length};
    Answer answer;
    int none;

    return run(&work, deadline, &answer, &none);
}

gboolean patient_write_text(const char *path, const char *text, gint64 deadline)
{
    const Work work = {.fn = do_write_text, .fd = -1, .path = path, .data = (char *)text, .length = strlen(text)};
    Answer answer;
    int none;

    return run(&work, deadline, &answer, &none);
}

static gpointer close_it(gpointer data)
{
    close(GPOINTER_TO_INT(data));
    return NULL;
}

void patient_close(int fd)
{
    GThread *thread = g_thread_try_new("close", close_it, GINT_TO_POINTER(fd), NULL);

    if (thread)
        g_thread_unref(thread);
    else
        close(fd);
}
