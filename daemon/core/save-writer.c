/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is written goes to the disk all the time, half a window behind, so that little is left to wait for at the end: only
 * then can a slow disk be told from a dead one by how long it takes.
 *
 * The head that makes the file a saved guest is written last, when the file has its name. A process that hangs in the
 * kernel may end its system call long after it was killed, and what it was waiting for may be the name: what is found
 * then says of itself that it is not complete.
 */
#include "daemon/core/save-writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/process.h"

#define MODE 0600
#define WINDOW (32 * 1024 * 1024)
#define LOOK_AGAIN 500 /* ms: at what somebody else writes */

typedef struct {
    const SaveWriter *how;
    int fd;
    gboolean direct; /* PATH is written itself */
    gboolean beside; /* it has the temporary name */
    off_t at;        /* what is written, */
    off_t sent;      /* and what of it the disk was told to take */
} Writer;

static void busy(const Writer *writer, gboolean is)
{
    __atomic_store_n(writer->how->busy, is ? g_get_monotonic_time() : 0, __ATOMIC_RELEASE);
}

static void answer(const Writer *writer, SaveWriterStep step, int errnum, int fd)
{
    SaveWriterAnswer content = {step, errnum};
    struct iovec part = {&content, sizeof content};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
        memcpy(CMSG_DATA(head), &fd, sizeof fd);
    }
    if (sendmsg(writer->how->control, &message, MSG_NOSIGNAL) < 0)
        _exit(1);
}

static gboolean write_at(int fd, const guint8 *data, gsize length, off_t at)
{
    while (length > 0) {
        ssize_t n = pwrite(fd, data, length, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        data += n;
        length -= n;
        at += n;
    }
    return TRUE;
}

/* --- opening --- */

static gboolean open_beside(Writer *writer)
{
    writer->fd = open(writer->how->temporary, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, MODE);
    writer->beside = writer->fd >= 0;
    return writer->beside;
}

static gboolean open_new(Writer *writer)
{
    writer->fd = open(writer->how->folder, O_TMPFILE | O_RDWR, MODE);
    if (writer->fd >= 0)
        return TRUE;
    return (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) && open_beside(writer);
}

static gboolean open_file(Writer *writer)
{
    struct stat info;

    if (stat(writer->how->path, &info) < 0)
        return errno == ENOENT && open_new(writer);
    if (S_ISREG(info.st_mode))
        return open_new(writer);
    errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    if (!S_ISBLK(info.st_mode))
        return FALSE;
    writer->direct = TRUE;
    writer->fd = open(writer->how->path, O_RDWR);
    return writer->fd >= 0;
}

static gboolean write_head(Writer *writer, const GByteArray *head)
{
    return !head || write_at(writer->fd, head->data, head->len, 0);
}

/* --- the stream --- */

/* What was sent before is on the disk; what came since is sent. */
static gboolean keep_up(Writer *writer)
{
    off_t before = writer->sent;

    if (writer->at - writer->sent < WINDOW)
        return TRUE;
    writer->sent = writer->at;
    if (sync_file_range(writer->fd, before, writer->at - before, SYNC_FILE_RANGE_WRITE) < 0 ||
        (before > 0 && sync_file_range(writer->fd, 0, before, SYNC_FILE_RANGE_WAIT_BEFORE) < 0))
        return errno == ESPIPE || errno == EINVAL || errno == ENOSYS; /* not a file that could */
    if (writer->how->bypass_cache)
        posix_fadvise(writer->fd, 0, before, POSIX_FADV_DONTNEED);
    return TRUE;
}

/* The same where it is not us who write. */
static void keep_others_up(const Writer *writer)
{
    sync_file_range(writer->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    if (writer->how->bypass_cache)
        posix_fadvise(writer->fd, 0, 0, POSIX_FADV_DONTNEED);
}

/* Waits for more; the daemon's end means ours. */
static ssize_t read_more(const Writer *writer)
{
    struct pollfd fds[] = {{writer->how->data, POLLIN, 0}, {writer->how->control, 0, 0}};

    for (;;) {
        int ready = poll(fds, 2, writer->how->seekable ? LOOK_AGAIN : -1);
        if (ready < 0 && errno != EINTR)
            return -1;
        if (ready > 0 && fds[1].revents) {
            errno = ECANCELED;
            return -1;
        }
        if (ready == 0)
            keep_others_up(writer);
        if (ready <= 0)
            continue;
        ssize_t n = read(writer->how->data, writer->how->buffer, writer->how->size);
        if (n >= 0 || errno != EINTR)
            return n;
    }
}

static gboolean copy(Writer *writer)
{
    ssize_t n;

    while (busy(writer, FALSE), (n = read_more(writer)) > 0) {
        busy(writer, TRUE);
        if (!write_at(writer->fd, writer->how->buffer, n, writer->at))
            return FALSE;
        writer->at += n;
        if (!keep_up(writer))
            return FALSE;
    }
    busy(writer, TRUE);
    return n == 0;
}

/* --- the name --- */

static gboolean link_to(const Writer *writer, const char *to)
{
    char self[64];

    snprintf(self, sizeof self, "/proc/self/fd/%d", writer->fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0;
}

/* PATH becomes the file's name; what had it before is gone in the same instant. */
static gboolean take_name(Writer *writer)
{
    if (!writer->beside) {
        if (link_to(writer, writer->how->path))
            return TRUE;
        if (errno != EEXIST || !link_to(writer, writer->how->temporary))
            return FALSE;
        writer->beside = TRUE;
    }
    if (rename(writer->how->temporary, writer->how->path) < 0)
        return FALSE;
    writer->beside = FALSE;
    return TRUE;
}

static gboolean sync_folder(const Writer *writer)
{
    int fd = open(writer->how->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && fsync(fd) == 0;
}

static gboolean be_found(Writer *writer)
{
    busy(writer, TRUE);
    if (!writer->direct && !take_name(writer))
        return FALSE;
    busy(writer, TRUE);
    gboolean ok = (writer->direct || sync_folder(writer)) && write_head(writer, writer->how->whole) &&
                  fsync(writer->fd) == 0;
    int errnum = errno;
    if (!ok && !writer->direct)
        unlink(writer->how->path); /* the guest goes on, so this must not be found */
    errno = errnum;
    return ok;
}

/* --- all of it --- */

static void fail(const Writer *writer, SaveWriterStep step) __attribute__((noreturn));

static void fail(const Writer *writer, SaveWriterStep step)
{
    int errnum = errno;

    if (writer->beside)
        unlink(writer->how->temporary);
    answer(writer, step, errnum ? errnum : EIO, -1);
    _exit(0); /* who writes hears of it at once */
}

void save_writer_run(SaveWriter *how)
{
    Writer writer = {.how = how, .fd = -1};
    char go;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    process_keep_only(how->control, how->data);
    busy(&writer, TRUE);
    if (!open_file(&writer) || !write_head(&writer, how->partial))
        fail(&writer, SAVE_WRITER_OPENED);
    writer.at = how->partial ? how->partial->len : 0;
    busy(&writer, FALSE);
    answer(&writer, SAVE_WRITER_OPENED, 0, how->seekable ? writer.fd : -1);
    if (!copy(&writer) || fsync(writer.fd) < 0)
        fail(&writer, SAVE_WRITER_WROTE);
    busy(&writer, FALSE);
    answer(&writer, SAVE_WRITER_WROTE, 0, -1);
    if (recv(how->control, &go, 1, 0) != 1) {
        if (writer.beside)
            unlink(how->temporary);
        _exit(0);
    }
    if (!be_found(&writer))
        fail(&writer, SAVE_WRITER_NAMED);
    busy(&writer, FALSE);
    answer(&writer, SAVE_WRITER_NAMED, 0, -1);
    _exit(0);
}
