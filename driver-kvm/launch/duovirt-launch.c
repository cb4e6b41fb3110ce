/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between fork and exec of a guest: everything that is done with the daemon's rights on behalf of a program that shall have
 * none of them is in this folder, in the order in which it happens, in main(). It uses the C library only.
 *
 * The order matters. The pid is on disk before anything can fail, so that a restarted daemon finds us. The log writer is forked
 * while we may still write to its folder. Limits and control group come before the ids, which end our right to set them;
 * the bounding set goes before the ids for the same reason. Nothing is undone on failure: the daemon hears of
 * it and cleans up.
 */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "description.h"
#include "fail.h"
#include "logger.h"
#include "placement.h"

void fail(const char *step, const char *what)
{
    int errnum = errno;

    dprintf(LAUNCH_STATUS, "%s%s%s: %s\n", step, what ? " " : "", what ? what : "", strerror(errnum));
    _exit(1);
}

static void write_file(const char *step, const char *path, int flags, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0644);
    size_t length = strlen(text);

    if (fd < 0 || write(fd, text, length) != (ssize_t)length || close(fd) < 0)
        fail(step, path);
}

static unsigned long long start_time(void)
{
    char text[1024];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (n <= 0)
        fail("reading", "/proc/self/stat");
    close(fd);
    text[n] = '\0';
    const char *at = strrchr(text, ')');
    for (int i = 0; at && i < 20; i++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* Whole or not at all: a daemon that restarts now must not read half a number. */
static void write_pid(const char *path)
{
    char text[64], temporary[4096];

    if (!path)
        return;
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >= sizeof temporary) {
        errno = ENAMETOOLONG;
        fail("writing", path);
    }
    snprintf(text, sizeof text, "%d %llu\n", getpid(), start_time());
    write_file("writing", temporary, O_CREAT | O_TRUNC, text);
    if (rename(temporary, path) < 0)
        fail("writing", path);
}

static void keep_open(int fd)
{
    int flags = fcntl(fd, F_GETFD);

    if (flags < 0 || fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) < 0) {
        char number[16];
        snprintf(number, sizeof number, "%d", fd);
        fail("keeping descriptor", number);
    }
}

/* All but the listed descriptors end at exec, if not now. */
static void settle_descriptors(const Description *d)
{
    if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        fail("closing descriptors", NULL);
    for (int i = 0; i < d->n_keep; i++)
        keep_open(d->keep[i]);
    for (int i = 0; i < d->n_logs; i++)
        keep_open(d->logs[i].number);
    if (fcntl(LAUNCH_LOCK, F_GETFD) >= 0)
        keep_open(LAUNCH_LOCK);
}

static void join_cgroup(const char *folder)
{
    char path[4096];

    if (!folder)
        return;
    snprintf(path, sizeof path, "%s/cgroup.procs", folder);
    write_file("joining control group", path, 0, "0");
}

static void set_limits(const Description *d)
{
    for (int i = 0; i < d->n_limits; i++)
        if (setrlimit(d->limits[i].resource, &d->limits[i].value) < 0)
            fail("setting limit", d->limits[i].name);
    if (d->oom)
        write_file("writing", "/proc/self/oom_score_adj", 0, d->oom);
}

static void drop_bounding_set(void)
{
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (prctl(PR_CAPBSET_READ, cap) == 1 && prctl(PR_CAPBSET_DROP, cap) < 0 && geteuid() == 0)
            fail("dropping capabilities", "(bounding set)");
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2];

    memset(none, 0, sizeof none);
    if (syscall(SYS_capset, &header, none) < 0)
        fail("dropping capabilities", NULL);
}

static void change_ids(const Description *d)
{
    if (d->has_uid) {
        if (setgroups(d->n_groups, d->groups) < 0)
            fail("setting groups", NULL);
        if (setresgid(d->gid, d->gid, d->gid) < 0)
            fail("setting group", NULL);
        if (setresuid(d->uid, d->uid, d->uid) < 0)
            fail("setting user", NULL);
    }
}

int main(void)
{
    Description d;

    description_read(LAUNCH_DESCRIPTION, &d);
    write_pid(d.pidfile);
    umask(d.umask);
    logger_start(&d);
    settle_descriptors(&d);
    join_cgroup(d.cgroup);
    set_limits(&d);
    placement_cpus(d.cpus);
    placement_memory(d.memory);
    if (d.cwd && chdir(d.cwd) < 0)
        fail("changing to", d.cwd);
    if (!d.keeps_capabilities)
        drop_bounding_set();
    change_ids(&d);
    if (!d.keeps_capabilities)
        drop_capabilities();
    execve(d.args[0], d.args, d.environment);
    fail("executing", d.args[0]);
}
