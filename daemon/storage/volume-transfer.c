/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream's descriptor must be pollable, and a file on dead storage must hold up nobody: so a forked copy moves the
 * octets between the file and a socket. It ends at the end of either, or with the stream: then its socket is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <signal.h>
#include <unistd.h>

#include "daemon/storage/volume-files.h"

#define PIECE (256 * 1024)

typedef struct {
    const char *path;
    gboolean upload;
    guint64 offset, length; /* 0: all */
} Transfer;

static gboolean put(int fd, const char *data, gsize length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno != EINTR)
            return FALSE;
        data += MAX(n, 0), length -= MAX(n, 0);
    }
    return TRUE;
}

static void move_octets(const Transfer *transfer, int wire) __attribute__((noreturn));

/* In the copy: system calls only. */
static void move_octets(const Transfer *transfer, int wire)
{
    static char piece[PIECE];
    signal(SIGPIPE, SIG_IGN);
    if (wire != 3)
        dup2(wire, 3);
    syscall(SYS_close_range, 4, ~0U, 0);
    int file = open(transfer->path, (transfer->upload ? O_WRONLY : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0 || lseek(file, (off_t)transfer->offset, SEEK_SET) < 0)
        _exit(1);
    int from = transfer->upload ? 3 : file, to = transfer->upload ? file : 3;
    guint64 left = transfer->length ? transfer->length : G_MAXUINT64;
    for (ssize_t n = 1; n != 0 && left > 0;) {
        n = read(from, piece, MIN(left, sizeof piece));
        if (n < 0 && errno != EINTR)
            _exit(1);
        if (n > 0 && !put(to, piece, (gsize)n))
            _exit(1);
        left -= (guint64)MAX(n, 0);
    }
    _exit(transfer->upload && fsync(file) < 0);
}

gboolean volume_file_transfer(const StoragePool *pool, const StorageVolume *volume, gboolean upload, guint64 offset,
                              guint64 length, int *ret_fd, pid_t *ret_pid, GError **error)
{
    const Transfer transfer = {volume->target->path, upload, offset, length};
    int ends[2];
    if (offset > G_MAXINT64 || length > G_MAXINT64)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG, "offset or length is too large");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return error_set_errno(error, VIR_FROM_STORAGE, errno, "cannot make a socket");
    pid_t pid = fork();
    if (pid == 0)
        move_octets(&transfer, ends[1]);
    int errnum = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return error_set_errno(error, VIR_FROM_STORAGE, errnum, "cannot fork");
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *ret_fd = ends[0];
    *ret_pid = pid;
    return TRUE;
}
