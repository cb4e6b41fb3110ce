/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/log.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LINES 40000 /* far more than a pipe and the buffer hold */

static void write_lines(void)
{
    static LogLimit limit = LOG_LIMIT_INIT(2, 3600);
    LogContext outer = {.domain = "web", .request = "7.3"};
    LogContext inner = {.request = "7.4"};

    log_line(LOG_WARNING, "plain");
    log_context_enter(&outer);
    log_line(LOG_ERR, "two\nlines %s", "\x1b[31m");
    log_context_enter(&inner);
    log_line(LOG_INFO, "inner");
    log_context_leave(&inner);
    log_line(LOG_NOTICE, "outer again");
    log_context_leave(&outer);
    log_line(LOG_DEBUG, "not wanted");
    for (int i = 0; i < 10; i++)
        log_limited(&limit, LOG_INFO, "limited %d", i);
}

static void test_lines(void)
{
    if (g_test_subprocess()) {
        write_lines();
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*warning: plain\n"
                              "*error: [web] (7.3) two\\x0alines \\x1b[31m\n"
                              "*info: [web] (7.4) inner\n"
                              "*notice: [web] (7.3) outer again\n"
                              "*info: limited 0\n*info: limited 1\n");
    g_test_trap_assert_stderr_unmatched("*limited 2*");
    g_test_trap_assert_stderr_unmatched("*not wanted*");
}

static void read_lines(int fd, guint *ret_lines, guint *ret_lost)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;
    char buffer[65536];
    gssize n;

    *ret_lines = *ret_lost = 0;
    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        g_string_append_len(text, buffer, n);
    lines = g_strsplit(text->str, "\n", -1);
    for (guint i = 0; lines[i] && lines[i][0]; i++) {
        const char *line = strstr(lines[i], ": ");
        guint number;
        g_assert_nonnull(line);
        if (sscanf(line, ": %u lines were left out", &number) == 1)
            *ret_lost += number;
        else
            (*ret_lines)++;
    }
}

static gpointer read_later(gpointer data)
{
    int *fds = data;
    guint lines, lost;

    read_lines(fds[0], &lines, &lost);
    g_assert_cmpuint(lost, >, 0);
    g_assert_cmpuint(lines + lost, ==, LINES + 1);
    return NULL;
}

/* Nobody reads standard error: who logs goes on, and what was left out is told when it is read again. */
static void test_full_pipe(void)
{
    int fds[2], kept = dup(STDERR_FILENO);
    gint64 began = g_get_monotonic_time();
    GThread *reader;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 20 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    g_assert_cmpint(dup2(fds[1], STDERR_FILENO), ==, STDERR_FILENO);
    close(fds[1]);
    log_open("test");
    for (guint i = 0; i < LINES; i++)
        log_line(LOG_INFO, "line of some length, as lines are, number %u", i);
    g_assert_cmpint(g_get_monotonic_time() - began, <, 5 * G_USEC_PER_SEC);
    reader = g_thread_new("reader", read_later, fds);
    log_flush();
    log_line(LOG_INFO, "the last");
    log_flush();
    g_assert_cmpint(dup2(kept, STDERR_FILENO), ==, STDERR_FILENO); /* the pipe ends */
    g_thread_join(reader);
}

#define JOURNAL "/run/systemd/journal"

/* A journal's socket, in a mount namespace of our own. */
static int open_journal(void)
{
    const struct sockaddr_un address = {AF_UNIX, JOURNAL "/socket"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        g_mkdir_with_parents(JOURNAL, 0755) < 0 || mount("tmpfs", JOURNAL, "tmpfs", 0, NULL) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void expect_fields(int fd, const char *const *expected)
{
    char record[8192];
    gssize n = recv(fd, record, sizeof(record) - 1, MSG_DONTWAIT);

    g_assert_cmpint(n, >, 0);
    record[n] = '\0';
    g_auto(GStrv) fields = g_strsplit(record, "\n", -1);
    guint n_fields = 0;
    for (; *expected; expected++, n_fields++)
        g_assert_true(g_strv_contains((const char *const *)fields, *expected));
    g_assert_cmpuint(g_strv_length(fields), ==, n_fields + 1); /* after the last there is nothing */
}

/* Standard error is connected to the journal: domain and request are fields of their own. */
static void test_journal(void)
{
    LogContext outer = {.domain = "web", .request = "7.3"}, inner = {.domain = "db"};
    g_autofree char *stream = NULL;
    struct stat st;
    int fd;

    if (geteuid() != 0) {
        g_test_skip("needs a mount namespace");
        return;
    }
    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    fd = open_journal();
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(fstat(STDERR_FILENO, &st), ==, 0);
    stream = g_strdup_printf("%lu:%lu", (gulong)st.st_dev, (gulong)st.st_ino);
    g_setenv("JOURNAL_STREAM", stream, TRUE);
    log_open("test");
    log_line(LOG_WARNING, "plain");
    log_context_enter(&outer);
    log_line(LOG_ERR, "outer");
    log_context_enter(&inner);
    log_line(LOG_INFO, "inner");
    log_flush();
    log_context_leave(&inner);
    log_context_leave(&outer);
    expect_fields(fd, (const char *const[]){"MESSAGE=plain", "PRIORITY=4", "SYSLOG_IDENTIFIER=test", NULL});
    expect_fields(fd, (const char *const[]){"MESSAGE=[web] (7.3) outer", "PRIORITY=3", "SYSLOG_IDENTIFIER=test",
                                            "DUOVIRT_DOMAIN=web", "DUOVIRT_REQUEST=7.3", NULL});
    expect_fields(fd, (const char *const[]){"MESSAGE=[db] (7.3) inner", "PRIORITY=6", "SYSLOG_IDENTIFIER=test",
                                            "DUOVIRT_DOMAIN=db", "DUOVIRT_REQUEST=7.3", NULL});
    close(fd);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log/lines", test_lines);
    g_test_add_func("/log/journal", test_journal);
    g_test_add_func("/log/full-pipe", test_full_pipe);
    return g_test_run();
}
