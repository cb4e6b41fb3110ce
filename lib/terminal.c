/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>

#include "lib/error.h"

int terminal_open(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios attributes;

    if (fd < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot open '%s'", path);
        return -1;
    }
    if (tcgetattr(fd, &attributes) == 0) {
        cfmakeraw(&attributes);
        tcsetattr(fd, TCSANOW, &attributes);
    }
    return fd;
}
