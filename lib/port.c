/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/port.h"
#include "lib/error.h"
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* Holds PORT of one family. -1 if somebody has it; -2 if the host has no such family. */
static int hold(int family, guint port)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((guint16)port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((guint16)port)};
    const struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    socklen_t length = family == AF_INET ? sizeof four : sizeof six;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0)
        return errno == EAFNOSUPPORT ? -2 : -1;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    /* Bound without reuse, so that any other holder is in the way; then with it, so that we are not in QEMU's. */
    if (bind(fd, address, length) < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) {
        int why = errno;

        close(fd);
        return why == EADDRNOTAVAIL || why == EAFNOSUPPORT ? -2 : -1;
    }
    return fd;
}

gboolean port_reserve(const char *what, guint first, guint last, GArray *fds, guint *ret_port, GError **error)
{
    for (guint port = first; port <= last; port++) {
        int four = hold(AF_INET, port);
        int six = four == -1 ? -1 : hold(AF_INET6, port);

        if (six == -1 || (four < 0 && six < 0)) {
            if (four >= 0)
                close(four);
            continue;
        }
        if (four >= 0)
            g_array_append_val(fds, four);
        if (six >= 0)
            g_array_append_val(fds, six);
        *ret_port = port;
        return TRUE;
    }
    return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                     "Unable to find an unused port in range '%s' (%u-%u)", what, first, last);
}
