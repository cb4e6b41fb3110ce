/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "lib/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 4096

static const char *const level_words[] = {
    "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
};

static const char *identifier; /* set: standard error is the journal */
static gint level = LOG_INFO;  /* atomic */
static __thread LogContext *context_now;

static gboolean stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    g_autofree char *mine = NULL;
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return FALSE;
    mine = g_strdup_printf("%lu:%lu", (unsigned long)st.st_dev, (unsigned long)st.st_ino);
    return g_str_equal(stream, mine);
}

void log_open(const char *name)
{
    if (stderr_is_journal())
        identifier = name;
}

void log_set_level(int priority)
{
    g_atomic_int_set(&level, priority);
}

gboolean log_wants(int priority)
{
    return priority <= g_atomic_int_get(&level);
}

/* One line of text: control characters escaped, cut at LINE_MAX_OCTETS. */
static char *one_line(const char *text)
{
    GString *line = g_string_new(NULL);

    for (; *text && line->len < LINE_MAX_OCTETS; text++) {
        if ((guchar)*text < 0x20 || *text == 0x7f)
            g_string_append_printf(line, "\\x%02x", (guchar)*text);
        else
            g_string_append_c(line, *text);
    }
    return g_string_free(line, FALSE);
}

static void to_journal(int priority, const char *line, const char *domain, const char *request)
{
    char *fields[5];
    struct iovec iov[5];
    int n = 0;

    fields[n++] = g_strdup_printf("MESSAGE=%s", line);
    fields[n++] = g_strdup_printf("PRIORITY=%d", priority);
    fields[n++] = g_strdup_printf("SYSLOG_IDENTIFIER=%s", identifier);
    if (domain)
        fields[n++] = g_strdup_printf("DUOVIRT_DOMAIN=%s", domain);
    if (request)
        fields[n++] = g_strdup_printf("DUOVIRT_REQUEST=%s", request);
    for (int i = 0; i < n; i++)
        iov[i] = (struct iovec){fields[i], strlen(fields[i])};
    sd_journal_sendv(iov, n);
    for (int i = 0; i < n; i++)
        g_free(fields[i]);
}

static void to_stderr(int priority, const char *line)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *when = g_date_time_format(now, "%F %T");
    g_autofree char *text = g_strdup_printf("%s.%03d %s: %s\n", when, g_date_time_get_microsecond(now) / 1000,
                                            level_words[priority], line);

    /* One write, so that lines of several threads do not mix. */
    (void)!write(STDERR_FILENO, text, strlen(text));
}

static void log_linev(int priority, const char *format, va_list args)
{
    const LogContext *context = context_now;
    g_autofree char *text = g_strdup_vprintf(format, args);
    GString *full = g_string_new(NULL);
    g_autofree char *line = NULL;

    if (context && context->domain)
        g_string_append_printf(full, "[%s] ", context->domain);
    if (context && context->request)
        g_string_append_printf(full, "(%s) ", context->request);
    g_string_append(full, text);
    line = one_line(full->str);
    g_string_free(full, TRUE);

    if (identifier)
        to_journal(priority, line, context ? context->domain : NULL, context ? context->request : NULL);
    else
        to_stderr(priority, line);
}

void log_line(int priority, const char *format, ...)
{
    va_list args;

    if (!log_wants(priority))
        return;
    va_start(args, format);
    log_linev(priority, format, args);
    va_end(args);
}

void log_context_enter(LogContext *context)
{
    context->outer = context_now;
    context_now = context;
}

void log_context_leave(LogContext *context)
{
    context_now = context->outer;
}

/* Whether a line may be written now; RET_DROPPED is how many were not, before. */
static gboolean limit_admits(LogLimit *limit, guint *ret_dropped)
{
    gint64 now = g_get_monotonic_time() / G_USEC_PER_SEC;
    gboolean admitted;

    g_mutex_lock(&limit->lock);
    *ret_dropped = 0;
    if (limit->since == 0 || now - limit->since >= limit->interval) {
        *ret_dropped = limit->dropped;
        limit->since = now;
        limit->written = limit->dropped = 0;
    }
    admitted = limit->written < limit->burst;
    if (admitted)
        limit->written++;
    else
        limit->dropped++;
    g_mutex_unlock(&limit->lock);
    return admitted;
}

void log_limited(LogLimit *limit, int priority, const char *format, ...)
{
    va_list args;
    guint dropped;

    if (!log_wants(priority) || !limit_admits(limit, &dropped))
        return;
    if (dropped > 0)
        log_line(priority, "%u lines like the next one were left out", dropped);
    va_start(args, format);
    log_linev(priority, format, args);
    va_end(args);
}
