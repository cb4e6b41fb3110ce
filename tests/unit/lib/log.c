/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/log.h"

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
                              "*info: (7.4) inner\n"
                              "*notice: [web] (7.3) outer again\n"
                              "*info: limited 0\n*info: limited 1\n");
    g_test_trap_assert_stderr_unmatched("*limited 2*");
    g_test_trap_assert_stderr_unmatched("*not wanted*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log/lines", test_lines);
    return g_test_run();
}
