/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/context.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "driver-xen/xenstore.h"
#include "lib/error.h"

#define FDS_START 16
#define STOP_PATIENCE (10 * G_USEC_PER_SEC) /* for an operation that was told to stop */

static void log_message(xentoollog_logger *logger, xentoollog_level level, int errnum, const char *context, const char *format,
                        va_list args)
{
    Context *self = (Context *)logger;
    if (level < XTL_WARN)
        return;
    g_autofree char *message = g_strdup_vprintf(format, args);
    g_strchomp(message);
    g_autofree char *line = g_strdup_printf("%s: %s%s%s", context ? context : "libxl", message, errnum > 0 ? ": " : "",
                                            errnum > 0 ? g_strerror(errnum) : "");
    if (level >= XTL_ERROR) {
        g_free(self->cause);
        self->cause = g_strdup(message);
    }
    self->host->log(NULL, LOG_WARNING, line);
}

/* The daemon's threads block signals. A device model that did so too would outlive its guest: libxl ends it by one. */
static pid_t fork_with_signals(void *user)
{
    pid_t pid = fork();
    sigset_t none;

    if (pid == 0) {
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
    }
    return pid;
}

Context *context_new(const DriverHost *host, GError **error)
{
    static const libxl_childproc_hooks children = {
        .chldowner = libxl_sigchld_owner_libxl_always_selective_reap,
        .fork_replacement = fork_with_signals,
    };

    if (!xenstore_check(error))
        return NULL;
    Context *context = g_new0(Context, 1);
    context->logger.vmessage = log_message;
    context->host = host;
    if (libxl_ctx_alloc(&context->libxl, LIBXL_VERSION, 0, &context->logger) != 0) {
        context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "libxl cannot reach the hypervisor (is xenstored running?)");
        context_free(context);
        return NULL;
    }
    libxl_childproc_setmode(context->libxl, &children, NULL);
    return context;
}

void context_free(Context *context)
{
    if (!context)
        return;
    if (context->libxl)
        libxl_ctx_free(context->libxl);
    g_free(context->cause);
    g_free(context);
}

gboolean context_failed(Context *context, virErrorNumber code, GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return error_set(error, VIR_FROM_LIBXL, code, "%s%s%s", text, context->cause ? ": " : "", context->cause ? context->cause : "");
}

/* --- libxl's own loop --- */

static void on_done(libxl_ctx *libxl, int rc, void *for_callback)
{
    Context *context = for_callback;

    context->rc = rc;
    context->done = TRUE;
}

const libxl_asyncop_how *context_how(Context *context)
{
    context->how.callback = on_done;
    context->how.u.for_callback = context;
    context->done = FALSE;
    return &context->how;
}

static struct timeval now_as_timeval(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return now;
}

/* What libxl waits for, after one entry of ours. To free; RET_TIMEOUT in milliseconds. */
static struct pollfd *wishes(Context *context, int wake, int *ret_n, int *ret_timeout)
{
    int size = FDS_START;

    for (;;) {
        struct pollfd *fds = g_new0(struct pollfd, size + 1);
        int n = size, timeout = -1;

        fds[0] = (struct pollfd){.fd = wake, .events = POLLIN};
        if (libxl_osevent_beforepoll(context->libxl, &n, fds + 1, &timeout, now_as_timeval()) == 0) {
            *ret_n = n;
            *ret_timeout = timeout;
            return fds;
        }
        g_free(fds);
        size = MAX(n, size * 2);
    }
}

void context_run(Context *context, const gboolean *done, int wake, gint64 deadline)
{
    gboolean woken = FALSE;

    while (!woken && !(done && *done)) {
        int n, timeout;
        g_autofree struct pollfd *fds = wishes(context, wake, &n, &timeout);
        gint64 left = deadline == G_MAXINT64 ? -1 : MAX(0, (deadline - g_get_monotonic_time() + 999) / 1000);

        if (left >= 0 && (timeout < 0 || left < timeout))
            timeout = (int)MIN(left, G_MAXINT);
        poll(fds, (nfds_t)n + 1, timeout);
        libxl_osevent_afterpoll(context->libxl, n, fds + 1, now_as_timeval());
        woken = fds[0].revents != 0;
        if (left == 0)
            return;
    }
}

int context_wait(Context *context, int rc, gint64 deadline)
{
    if (rc != 0)
        return rc;
    context_run(context, &context->done, -1, deadline);
    if (context->done)
        return context->rc;
    libxl_ao_abort(context->libxl, &context->how);
    context_run(context, &context->done, -1, g_get_monotonic_time() + STOP_PATIENCE);
    if (!context->done)
        context->host->log(NULL, LOG_ERR, "an operation of libxl's did not stop when it was told to");
    return ERROR_TIMEDOUT;
}
