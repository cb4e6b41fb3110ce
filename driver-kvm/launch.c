/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "driver-kvm/launch/contract.h"
#include "lib/error.h"

struct Launch {
    char *launcher;
    GString *text;
    GArray *fds; /* of ProcessFd */
    int lock;
    int status, logged; /* read ends; -1 before the fork */
};

Launch *launch_new(const char *launcher, int lock)
{
    Launch *launch = g_new(Launch, 1);

    *launch = (Launch){g_strdup(launcher), g_string_new(NULL), g_array_new(FALSE, FALSE, sizeof(ProcessFd)), lock, -1, -1};
    return launch;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void launch_free(Launch *launch)
{
    if (!launch)
        return;
    close_fd(launch->lock);
    close_fd(launch->status);
    close_fd(launch->logged);
    g_free(launch->launcher);
    g_string_free(launch->text, TRUE);
    g_array_unref(launch->fds);
    g_free(launch);
}

void launch_add(Launch *launch, const char *key, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *value = g_strdup_vprintf(format, args);
    va_end(args);
    g_string_append_printf(launch->text, "%s %zu:%s\n", key, strlen(value), value);
}

static void pass(Launch *launch, int fd, int number)
{
    ProcessFd entry = {fd, number};

    g_array_append_val(launch->fds, entry);
}

void launch_pass(Launch *launch, int fd, int number)
{
    g_assert(number >= LAUNCH_FIRST_FREE);
    pass(launch, fd, number);
    launch_add(launch, "keep", "%d", number);
}

static int write_description(const Launch *launch)
{
    int fd = memfd_create("launch", MFD_CLOEXEC);
    gsize done = 0;

    while (fd >= 0 && done < launch->text->len) {
        ssize_t n = write(fd, launch->text->str + done, launch->text->len - done);
        if (n < 0) {
            close(fd);
            return -1;
        }
        done += n;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

gboolean launch_fork(Launch *launch, Process *ret_process, GError **error)
{
    const char *argv[] = {launch->launcher, NULL};
    int status[2] = {-1, -1}, logged[2] = {-1, -1};

    launch_add(launch, "end", "%s", "");
    if (launch->text->len > LAUNCH_SIZE_MAX)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "the command line of the guest is too long");
    int description = write_description(launch);
    if (description < 0 || pipe2(status, O_CLOEXEC) < 0 || pipe2(logged, O_CLOEXEC) < 0) {
        int errnum = errno;
        close_fd(description);
        close_fd(status[0]);
        close_fd(status[1]);
        return error_set_errno(error, VIR_FROM_QEMU, errnum, "cannot run %s", launch->launcher);
    }
    pass(launch, description, LAUNCH_DESCRIPTION);
    pass(launch, status[1], LAUNCH_STATUS);
    pass(launch, launch->lock, LAUNCH_LOCK);
    pass(launch, logged[1], LAUNCH_LOGGED);
    ProcessSpec spec = {.argv = argv, .fds = (ProcessFd *)(gpointer)launch->fds->data, .n_fds = launch->fds->len};
    gboolean forked = process_spawn(&spec, ret_process, error);
    close(description);
    close(status[1]);
    close(logged[1]);
    close(launch->lock);
    launch->lock = -1;
    launch->status = status[0];
    launch->logged = logged[0];
    return forked;
}

/* Waits for bytes or the end of FD; FALSE at DEADLINE. */
static gboolean wait_readable(int fd, gint64 deadline)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    gint64 left;

    while ((left = deadline - g_get_monotonic_time()) > 0)
        if (poll(&poll_fd, 1, MIN(left / 1000 + 1, G_MAXINT)) > 0)
            return TRUE;
    return FALSE;
}

gboolean launch_wait(Launch *launch, gint64 deadline, GError **error)
{
    char said[1024];

    if (!wait_readable(launch->status, deadline))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "the launcher takes too long");
    ssize_t n = read(launch->status, said, sizeof said - 1);
    if (n == 0)
        return TRUE;
    said[MAX(n, 0)] = '\0';
    g_autofree char *words = g_utf8_make_valid(g_strchomp(said), -1);
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "cannot launch the guest: %s", words);
}

void launch_drain(Launch *launch, gint64 deadline)
{
    wait_readable(launch->logged, deadline);
}
