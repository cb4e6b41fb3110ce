/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "lib/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "lib/log-writer.h"

#define LINE_MAX_OCTETS 4096
#define FIELDS_MAX 8
#define FLUSH_USEC G_USEC_PER_SEC

static const char *const level_words[] = {
    "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
};

static const char *identifier; /* set: standard error is the journal */
static gboolean has_writer;    /* log_open() */
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

static char **journal_record(int priority, const char *line, const char *domain, const char *request)
{
    GPtrArray *fields = g_ptr_array_new();

    g_ptr_array_add(fields, g_strdup_printf("MESSAGE=%s", line));
    g_ptr_array_add(fields, g_strdup_printf("PRIORITY=%d", priority));
    g_ptr_array_add(fields, g_strdup_printf("SYSLOG_IDENTIFIER=%s", identifier));
    if (domain)
        g_ptr_array_add(fields, g_strdup_printf("DUOVIRT_DOMAIN=%s", domain));
    if (request)
        g_ptr_array_add(fields, g_strdup_printf("DUOVIRT_REQUEST=%s", request));
    g_ptr_array_add(fields, NULL);
    return (char **)g_ptr_array_free(fields, FALSE);
}

static void write_journal(char **record)
{
    struct iovec iov[FIELDS_MAX];
    int n = 0;

    for (; record[n] && n < FIELDS_MAX; n++)
        iov[n] = (struct iovec){record[n], strlen(record[n])};
    sd_journal_sendv(iov, n);
}

static char **stderr_record(int priority, const char *line)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *when = g_date_time_format(now, "%F %T");
    char **record = g_new0(char *, 2);

    record[0] = g_strdup_printf("%s.%03d %s: %s\n", when, g_date_time_get_microsecond(now) / 1000, level_words[priority],
                                line);
    return record;
}

/* One write where it is taken so, lest lines of several processes mix. */
static void write_stderr(char **record)
{
    const char *text = record[0];
    struct pollfd pollfd = {.fd = STDERR_FILENO, .events = POLLOUT};
    gssize n = 0;

    for (gsize left = strlen(text); left > 0; left -= n, text += n) {
        do
            n = write(STDERR_FILENO, text, left);
        while (n < 0 && (errno == EINTR || (errno == EAGAIN && poll(&pollfd, 1, -1) >= 0)));
        if (n <= 0)
            break;
    }
}

static char **make_record(int priority, const char *line, LogContext context)
{
    if (!identifier)
        return stderr_record(priority, line);
    return journal_record(priority, line, context.domain, context.request);
}

static char **lost_record(guint n)
{
    g_autofree char *line = g_strdup_printf("%u lines were left out here: nobody took them in time", n);

    return make_record(LOG_WARNING, line, (LogContext){0});
}

static void write_record(char **record)
{
    if (identifier)
        write_journal(record);
    else
        write_stderr(record);
}

void log_flush(void)
{
    if (has_writer)
        log_writer_flush(FLUSH_USEC);
}

void log_open(const char *name)
{
    static const LogSink sink = {write_record, lost_record};

    if (stderr_is_journal())
        identifier = name;
    has_writer = log_writer_start(&sink);
    if (has_writer)
        atexit(log_flush);
}

static void log_linev(int priority, const char *format, va_list args)
{
    const LogContext context = log_context_get();
    g_autofree char *text = g_strdup_vprintf(format, args);
    GString *full = g_string_new(NULL);
    g_autofree char *line = NULL;
    g_auto(GStrv) record = NULL;

    if (context.domain)
        g_string_append_printf(full, "[%s] ", context.domain);
    if (context.request)
        g_string_append_printf(full, "(%s) ", context.request);
    g_string_append(full, text);
    line = one_line(full->str);
    g_string_free(full, TRUE);

    record = make_record(priority, line, context);
    if (has_writer)
        log_writer_push(g_steal_pointer(&record));
    else
        write_record(record);
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

LogContext log_context_get(void)
{
    LogContext all = {0};

    for (const LogContext *context = context_now; context; context = context->outer) {
        if (!all.domain)
            all.domain = context->domain;
        if (!all.request)
            all.request = context->request;
    }
    return all;
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
