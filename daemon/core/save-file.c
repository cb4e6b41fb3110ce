/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file is in a process of its own (save-writer.c), and the hypervisor writes to a socket whose other end is there. The
 * descriptor of a file on a server that is gone is a trap: closing it may hang, and so do the copies of it that every fork
 * makes; and who waits in the kernel to write to it cannot be killed, be it QEMU or we. A socket can be shut down by
 * anybody at any time.
 *
 * The file has no name while it is written (O_TMPFILE) and gets one when it is whole, so that a killed daemon leaves
 * nothing to clean up. Where the file system has no such files (NFS), it is written under a name of its own beside
 * PATH; there a kill does leave that behind.
 *
 * Bypassing the cache by O_DIRECT was ruled out: what comes is unaligned. Instead what was written is sent to the disk all
 * the time and dropped from the cache, which has the effect that is asked for: a guest of 100 GiB does not push everything
 * else out of memory.
 */
#include "daemon/core/save-file.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/save-writer.h"
#include "lib/error.h"
#include "lib/patient.h"
#include "lib/process.h"

#define BUFFER (1024 * 1024)
#define LOOK_USEC (G_USEC_PER_SEC / 5)
#define LEAVE_USEC (G_USEC_PER_SEC / 2) /* for the writer to go by itself */

struct SaveFile {
    char *path;
    gint64 patience;
    Process process;
    int control;   /* to the process; -1: there is none */
    int data;      /* what the hypervisor writes to; of the file itself in `seekable`; -1: no more */
    int stream;    /* the socket whose end is the end of the file */
    gint64 *busy;  /* shared with the process */
    SaveWriterAnswer last; /* an error that it ended with */

    GThread *watcher; /* shuts the stream down when the disk hangs */
    GMutex lock;
    GCond stop_now;
    gboolean stop;
};

static gboolean is_stuck(const SaveFile *file)
{
    gint64 since = __atomic_load_n(file->busy, __ATOMIC_ACQUIRE);
    return since && g_get_monotonic_time() - since > file->patience;
}

static gpointer watch(gpointer data)
{
    SaveFile *file = data;
    g_mutex_lock(&file->lock);
    while (!file->stop && !is_stuck(file))
        g_cond_wait_until(&file->stop_now, &file->lock, g_get_monotonic_time() + LOOK_USEC);
    if (!file->stop)
        shutdown(file->stream, SHUT_RDWR);
    g_mutex_unlock(&file->lock);
    return NULL;
}

static void stop_watching(SaveFile *file)
{
    if (!file->watcher)
        return;
    g_mutex_lock(&file->lock);
    file->stop = TRUE;
    g_cond_signal(&file->stop_now);
    g_mutex_unlock(&file->lock);
    g_thread_join(g_steal_pointer(&file->watcher));
}

/* One answer that is there. RET_FD: what came with it, or -1. */
static gboolean receive(const SaveFile *file, SaveWriterAnswer *ret, int *ret_fd)
{
    struct iovec part = {ret, sizeof *ret};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    *ret_fd = -1;
    if (recvmsg(file->control, &message, MSG_CMSG_CLOEXEC) != sizeof *ret)
        return FALSE;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(ret_fd, CMSG_DATA(head), sizeof(int));
    return TRUE;
}

/* Waits for the answer about STEP. FALSE with errno. */
static gboolean await(SaveFile *file, SaveWriterStep step, int *ret_fd)
{
    struct pollfd control = {.fd = file->control, .events = POLLIN};
    SaveWriterAnswer answer = {step, EIO};
    if (file->last.errnum == 0) {
        while (poll(&control, 1, LOOK_USEC / 1000) <= 0 && !is_stuck(file)) {
        }
        if (!control.revents)
            answer.errnum = ETIMEDOUT;
        else if (!receive(file, &answer, ret_fd))
            answer = (SaveWriterAnswer){step, EIO};
        file->last = answer;
    }
    errno = file->last.errnum;
    return errno == 0;
}

static gboolean fail(const SaveFile *file, GError **error)
{
    if (file->last.step == SAVE_WRITER_WROTE)
        return error_set_errno(error, VIR_FROM_QEMU, file->last.errnum, "cannot write '%s' to the disk", file->path);
    return error_set_errno(error, VIR_FROM_QEMU, file->last.errnum, "Failed to create file '%s'", file->path);
}

static void run_writer(SaveFile *file, const SaveFileHow *how, int control, int data)
{
    g_autofree char *folder = g_path_get_dirname(file->path);
    g_autofree char *temporary = g_strdup_printf("%s.%08x.part", file->path, g_random_int());
    g_autofree guint8 *buffer = g_malloc(BUFFER);
    SaveWriter writer = {
        .path = file->path,
        .folder = folder,
        .temporary = temporary,
        .partial = how->partial,
        .whole = how->whole,
        .bypass_cache = how->bypass_cache,
        .seekable = how->seekable,
        .control = control,
        .data = data,
        .busy = file->busy,
        .buffer = buffer,
        .size = BUFFER,
    };
    file->process.pid = fork();
    if (file->process.pid == 0)
        save_writer_run(&writer);
    int errnum = errno;
    if (file->process.pid > 0)
        file->process.pidfd = process_open(file->process.pid);
    errno = errnum;
}

/* FALSE with errno. */
static gboolean start_writer(SaveFile *file, const SaveFileHow *how)
{
    int control[2], data[2];
    file->busy = mmap(NULL, sizeof *file->busy, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (file->busy == MAP_FAILED) {
        file->busy = NULL;
        return FALSE;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
        return FALSE;
    file->control = control[0];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, data) < 0) {
        close(control[1]);
        return FALSE;
    }
    file->data = file->stream = data[0];
    __atomic_store_n(file->busy, g_get_monotonic_time(), __ATOMIC_RELEASE); /* its first words may not come */
    run_writer(file, how, control[1], data[1]);
    int errnum = errno;
    close(control[1]);
    close(data[1]);
    errno = errnum;
    return file->process.pid > 0;
}

SaveFile *save_file_new(const char *path, const SaveFileHow *how, GError **error)
{
    g_autoptr(SaveFile) file = g_new0(SaveFile, 1);
    int fd = -1;
    file->control = file->data = file->stream = file->process.pidfd = -1;
    file->path = g_strdup(path);
    file->patience = MIN(how->patience, PATIENT_USEC);
    g_mutex_init(&file->lock);
    g_cond_init(&file->stop_now);
    if (!start_writer(file, how) || !await(file, SAVE_WRITER_OPENED, &fd)) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "Failed to create file '%s'", path);
        return NULL;
    }
    file->patience = how->patience;
    if (fd >= 0)
        file->data = fd;
    file->watcher = g_thread_new("save", watch, file);
    return g_steal_pointer(&file);
}

/* What comes from now on is nothing: the end of what is written. */
static void end_stream(SaveFile *file)
{
    stop_watching(file);
    if (file->data >= 0 && file->data != file->stream)
        patient_close(file->data);
    if (file->stream >= 0)
        shutdown(file->stream, SHUT_WR);
    file->data = -1;
}

void save_file_free(SaveFile *file)
{
    if (!file)
        return;
    if (file->control >= 0)
        close(file->control);
    end_stream(file);
    if (file->stream >= 0)
        close(file->stream);
    if (file->process.pid > 0) {
        process_wait_gone(file->process.pidfd, g_get_monotonic_time() + LEAVE_USEC);
        process_end(&file->process);
    }
    if (file->busy)
        munmap(file->busy, sizeof *file->busy);
    g_mutex_clear(&file->lock);
    g_cond_clear(&file->stop_now);
    g_free(file->path);
    g_free(file);
}

int save_file_fd(const SaveFile *file)
{
    return file->data;
}

const char *save_file_path(const SaveFile *file)
{
    return file->path;
}

void save_file_explain(SaveFile *file, GError **error)
{
    struct pollfd control = {.fd = file->control, .events = POLLIN};
    int fd;
    if (poll(&control, 1, 0) > 0 || is_stuck(file))
        await(file, SAVE_WRITER_WROTE, &fd);
    if (file->last.errnum == 0)
        return;
    g_clear_error(error);
    fail(file, error);
}

gboolean save_file_commit(SaveFile *file, GError **error)
{
    int fd;
    end_stream(file);
    if (!await(file, SAVE_WRITER_WROTE, &fd))
        return fail(file, error);
    if (send(file->control, "", 1, MSG_NOSIGNAL) != 1)
        file->last = (SaveWriterAnswer){SAVE_WRITER_NAMED, errno};
    return await(file, SAVE_WRITER_NAMED, &fd) || fail(file, error);
}
