/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "logger.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "contract.h"

#define NAME_SIZE 512
#define NEXT ".new"
#define OPEN_FLAGS (O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)

typedef struct {
    const Log *log;
    int pipe, folder, file;
    char name[NAME_SIZE];
    unsigned long long size;
} Writer;

static int open_file(Writer *writer, const char *name, int flags)
{
    struct stat st;
    int fd = openat(writer->folder, name, OPEN_FLAGS | flags, 0600);

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    writer->size = st.st_size;
    return fd;
}

static void prepare(Writer *writer, const Log *log)
{
    const char *slash = strrchr(log->path, '/');
    char folder[4096];

    *writer = (Writer){.log = log};
    /* ".new" is the longest that is added */
    if ((size_t)(slash - log->path) >= sizeof folder || strlen(slash + 1) + sizeof NEXT > NAME_SIZE || !slash[1]) {
        errno = ENAMETOOLONG;
        fail("opening the log", log->path);
    }
    memcpy(folder, log->path, slash - log->path);
    folder[slash - log->path] = '\0';
    strcpy(writer->name, slash + 1);
    writer->folder = open(slash == log->path ? "/" : folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (writer->folder < 0 || (writer->file = open_file(writer, writer->name, log->append ? 0 : O_TRUNC)) < 0)
        fail("opening the log", log->path);
}

static void rotated_name(const Writer *writer, int generation, char *name, size_t size)
{
    if (generation < 0)
        snprintf(name, size, "%s", writer->name);
    else
        snprintf(name, size, "%s.%d", writer->name, generation);
}

/* PATH -> PATH.0 -> ... -> PATH.(COUNT-1) -> gone. Where there is no room for a new file, the old one goes on as long again. */
static void rotate(Writer *writer)
{
    char from[NAME_SIZE + 16], to[NAME_SIZE + 16];

    snprintf(from, sizeof from, "%s" NEXT, writer->name);
    int fd = open_file(writer, from, O_TRUNC);
    writer->size = 0;
    if (fd < 0)
        return;
    for (int generation = writer->log->count - 1; generation >= 0; generation--) {
        rotated_name(writer, generation - 1, from, sizeof from);
        rotated_name(writer, generation, to, sizeof to);
        renameat(writer->folder, from, writer->folder, to);
    }
    snprintf(from, sizeof from, "%s" NEXT, writer->name);
    renameat(writer->folder, from, writer->folder, writer->name);
    close(writer->file);
    writer->file = fd;
}

static void put(Writer *writer, const char *text, size_t length)
{
    while (length > 0) {
        if (writer->size >= writer->log->size)
            rotate(writer);
        unsigned long long room = writer->size < writer->log->size ? writer->log->size - writer->size : length;
        ssize_t n = write(writer->file, text, room < length ? room : length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        writer->size += n;
        text += n;
        length -= n;
    }
}

static void run(Writer *writers, int n, const char *title)
{
    struct pollfd polls[LOGS_MAX];
    int open_pipes = n;
    static char buffer[64 * 1024];

    if (n > 0 && title)
        put(&writers[0], title, strlen(title));
    for (int i = 0; i < n; i++)
        polls[i] = (struct pollfd){.fd = writers[i].pipe, .events = POLLIN};
    while (open_pipes > 0) {
        if (poll(polls, n, -1) < 0 && errno != EINTR)
            return;
        for (int i = 0; i < n; i++) {
            if (polls[i].fd < 0 || !polls[i].revents)
                continue;
            ssize_t got = read(polls[i].fd, buffer, sizeof buffer);
            if (got > 0) {
                put(&writers[i], buffer, got);
            } else if (got == 0 || errno != EINTR) {
                polls[i].fd = -1;
                open_pipes--;
            }
        }
    }
}

/* Only its own pipes, folders and files, and the end that tells the daemon that all is written. */
static void isolate(Writer *writers, int n)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int i = 0; i < 3; i++)
        if (null < 0 || dup2(null, i) < 0)
            _exit(1);
    close(LAUNCH_STATUS);
    close(LAUNCH_LOCK);
    close(LAUNCH_DESCRIPTION);
    int first = LAUNCH_LOGGED;
    int highest = first;
    for (int i = 0; i < n; i++) {
        int fds[] = {writers[i].pipe, writers[i].folder, writers[i].file};
        for (int k = 0; k < 3; k++)
            highest = fds[k] > highest ? fds[k] : highest;
    }
    for (int fd = first + 1; fd < highest; fd++) {
        int ours = 0;
        for (int i = 0; i < n; i++)
            ours |= fd == writers[i].pipe || fd == writers[i].folder || fd == writers[i].file;
        if (!ours)
            close(fd);
    }
    syscall(SYS_close_range, highest + 1, ~0U, 0);
    if (chdir("/") < 0)
        _exit(1);
    drop_capabilities();
}

void logger_start(const Description *d)
{
    static Writer writers[LOGS_MAX];
    int sinks[LOGS_MAX], base = LAUNCH_FIRST_FREE;

    if (d->n_logs == 0)
        return;
    /* above every number that is promised to somebody */
    for (int i = 0; i < d->n_keep; i++)
        base = d->keep[i] >= base ? d->keep[i] + 1 : base;
    for (int i = 0; i < d->n_logs; i++)
        base = d->logs[i].number >= base ? d->logs[i].number + 1 : base;
    for (int i = 0; i < d->n_logs; i++) {
        int ends[2];
        prepare(&writers[i], &d->logs[i]);
        if (pipe2(ends, O_CLOEXEC) < 0 || (writers[i].pipe = fcntl(ends[0], F_DUPFD_CLOEXEC, base)) < 0 ||
            (sinks[i] = fcntl(ends[1], F_DUPFD_CLOEXEC, base)) < 0 ||
            (writers[i].folder = fcntl(writers[i].folder, F_DUPFD_CLOEXEC, base)) < 0 ||
            (writers[i].file = fcntl(writers[i].file, F_DUPFD_CLOEXEC, base)) < 0)
            fail("making a pipe", NULL);
        close(ends[0]);
        close(ends[1]);
    }

    /* twice, so that it is nobody's child: the program does not expect one */
    pid_t pid = fork();
    if (pid == 0) {
        pid = fork();
        if (pid != 0)
            _exit(pid < 0);
        setsid();
        isolate(writers, d->n_logs);
        run(writers, d->n_logs, d->title);
        _exit(0);
    }
    int status = 1;
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
        fail("forking the log writer", NULL);
    for (int i = 0; i < d->n_logs; i++) {
        int number = d->logs[i].number;
        if (dup2(sinks[i], number) < 0 || (number == 1 && dup2(sinks[i], 2) < 0))
            fail("making a pipe", NULL);
    }
}
