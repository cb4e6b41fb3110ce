/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/proc-stats.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"

#define KVM_FOLDER "/sys/kernel/debug/kvm"

/* The file WHAT of a process or thread, as far as it fits; FALSE if it is not there. */
static gboolean read_file(pid_t pid, pid_t tid, const char *what, char *text, gsize size)
{
    g_autofree char *path = tid ? g_strdup_printf("/proc/%d/task/%d/%s", pid, tid, what)
                                : g_strdup_printf("/proc/%d/%s", pid, what);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

    if (fd >= 0)
        close(fd);
    text[MAX(n, 0)] = '\0';
    return n > 0;
}

/* The number that is the Nth word of TEXT; 0 if there are fewer. */
static guint64 word_at(const char *text, guint n)
{
    for (; n > 0 && text; n--)
        text = (text = strchr(text, ' ')) ? text + 1 : NULL;
    return text ? g_ascii_strtoull(text, NULL, 10) : 0;
}

gboolean proc_times(pid_t pid, pid_t tid, ProcTimes *ret_times)
{
    char text[2048];

    if (!read_file(pid, tid, "stat", text, sizeof text))
        return FALSE;
    /* the name, in parentheses, may hold anything; the words are counted from behind it */
    const char *rest = strrchr(text, ')');
    if (!rest || strlen(rest) < 2)
        return FALSE;
    guint64 tick = 1000000000 / sysconf(_SC_CLK_TCK);
    *ret_times = (ProcTimes){word_at(rest + 2, 11) * tick, word_at(rest + 2, 12) * tick,
                             word_at(rest + 2, 21) * (sysconf(_SC_PAGESIZE) / 1024)};
    return TRUE;
}

/* Milliseconds with a fraction, as nanoseconds. */
static guint64 line_value(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    at = at ? strchr(at, ':') : NULL;
    return at ? (guint64)(g_ascii_strtod(at + 1, NULL) * 1000000) : 0;
}

void proc_waits(pid_t pid, pid_t tid, guint64 *ret_wait, guint64 *ret_delay)
{
    char text[8192];

    *ret_wait = read_file(pid, tid, "sched", text, sizeof text) ? line_value(text, "wait_sum") : 0;
    *ret_delay = read_file(pid, tid, "schedstat", text, sizeof text) ? word_at(text, 1) : 0;
}

static guint64 read_number(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(KVM_FOLDER, folder, name, NULL);
    g_autofree char *text = file_read(path, 64, NULL, NULL);

    return text ? g_ascii_strtoull(text, NULL, 10) : 0;
}

void proc_halt_polls(pid_t pid, guint64 *ret_success, guint64 *ret_fail)
{
    g_autofree char *prefix = g_strdup_printf("%d-", pid);
    g_autoptr(GDir) dir = g_dir_open(KVM_FOLDER, 0, NULL);
    const char *name;

    *ret_success = *ret_fail = 0;
    while (dir && (name = g_dir_read_name(dir))) {
        if (!g_str_has_prefix(name, prefix))
            continue;
        *ret_success += read_number(name, "halt_poll_success_ns");
        *ret_fail += read_number(name, "halt_poll_fail_ns");
    }
}
