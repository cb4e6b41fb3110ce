/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/xenstore.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include "lib/error.h"

#define PATH "/run/xenstored/socket"
#define PATIENCE_MS 3000

/* All of LENGTH octets. */
static gboolean receive(int fd, gpointer octets, gsize length)
{
    for (gsize done = 0; done < length;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, PATIENCE_MS);
        gssize n = ready == 1 ? recv(fd, (char *)octets + done, length - done, 0) : -1;

        if (ready == 0)
            errno = ETIMEDOUT;
        if (n <= 0)
            return FALSE;
        done += (gsize)n;
    }
    return TRUE;
}

/* The answer to a question of TYPE about TEXT, to free; NULL with errno. */
static char *ask(int fd, guint32 type, const char *text)
{
    struct xsd_sockmsg head = {.type = type, .len = (guint32)strlen(text) + 1};
    g_autoptr(GByteArray) question = g_byte_array_new();

    g_byte_array_append(question, (const guint8 *)&head, sizeof head);
    g_byte_array_append(question, (const guint8 *)text, head.len);
    if (send(fd, question->data, question->len, MSG_NOSIGNAL) != (gssize)question->len || !receive(fd, &head, sizeof head))
        return NULL;
    if (head.len > XENSTORE_PAYLOAD_MAX) {
        errno = EPROTO;
        return NULL;
    }
    g_autofree char *answer = g_malloc0(head.len + 1);
    if (!receive(fd, answer, head.len))
        return NULL;
    errno = ENOENT;
    return (guint32)head.type == type ? g_steal_pointer(&answer) : NULL;
}

static char *query(guint32 type, const char *text)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = PATH};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    char *answer = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? ask(fd, type, text) : NULL;
    int errnum = errno;

    if (fd >= 0)
        close(fd);
    errno = errnum;
    return answer;
}

char *xenstore_read(const char *path)
{
    return query(XS_READ, path);
}

gboolean xenstore_check(GError **error)
{
    if (access(PATH, F_OK) < 0)
        return TRUE;
    g_autofree char *answer = query(XS_GET_DOMAIN_PATH, "0");
    if (answer)
        return TRUE;
    int errnum = errno;
    if (errnum == ETIMEDOUT || errnum == EAGAIN)
        return error_set(error, VIR_FROM_LIBXL, VIR_ERR_OPERATION_TIMEOUT,
                         "xenstored does not answer at " PATH ": Xen's domains can be neither changed nor asked until it does");
    return error_set_errno(error, VIR_FROM_LIBXL, errnum, "cannot reach xenstored at " PATH);
}
