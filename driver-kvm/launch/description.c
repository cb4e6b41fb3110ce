/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "description.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "contract.h"

static void refuse(const char *what)
{
    errno = EINVAL;
    fail("reading the description,", what);
}

/* Everything stays in one buffer; values point into it. */
static char *read_all(int fd, size_t *ret_length)
{
    size_t size = 64 * 1024, have = 0;
    char *text = malloc(size);

    for (;;) {
        if (!text)
            fail("reading the description", NULL);
        ssize_t n = read(fd, text + have, size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fail("reading the description", NULL);
        if (n == 0)
            break;
        have += n;
        if (have > LAUNCH_SIZE_MAX)
            refuse("size");
        if (have == size)
            text = realloc(text, size *= 2);
    }
    *ret_length = have;
    return text;
}

static unsigned long long number(const char *value, unsigned long long max, int base)
{
    char *end;

    errno = 0;
    unsigned long long result = strtoull(value, &end, base);
    if (errno || end == value || *end || value[0] == '-' || value[0] == '+' || result > max)
        refuse(value);
    return result;
}

/* Cuts the next word off *REST. */
static char *word(char **rest)
{
    char *start = *rest, *blank = strchr(start, ' ');

    if (!blank)
        refuse(start);
    *blank = '\0';
    *rest = blank + 1;
    return start;
}

static void append(char ***list, size_t *n, char *value)
{
    /* grows at powers of two, and always has room for the NULL */
    if ((*n & (*n + 1)) == 0 && !(*list = realloc(*list, (2 * *n + 2) * sizeof **list)))
        fail("reading the description", NULL);
    (*list)[(*n)++] = value;
    (*list)[*n] = NULL;
}

static void read_log(Description *d, char *value)
{
    if (d->n_logs == LOGS_MAX)
        refuse("logs");
    Log *log = &d->logs[d->n_logs++];
    log->number = number(word(&value), INT_MAX, 10);
    log->size = number(word(&value), LLONG_MAX, 10);
    log->count = number(word(&value), 100, 10);
    log->append = strcmp(word(&value), "a") == 0;
    log->path = value;
    if (value[0] != '/' || (log->number != 1 && log->number < LAUNCH_FIRST_FREE))
        refuse("log");
}

static rlim_t limit_value(const char *value)
{
    return strcmp(value, "unlimited") == 0 ? RLIM_INFINITY : number(value, RLIM_INFINITY - 1, 10);
}

static void read_limit(Description *d, char *value)
{
    static const struct {
        const char *name;
        int resource;
    } known[] = {{"core", RLIMIT_CORE}, {"nofile", RLIMIT_NOFILE}, {"memlock", RLIMIT_MEMLOCK}};

    if (d->n_limits == LIMITS_MAX)
        refuse("limits");
    Limit *limit = &d->limits[d->n_limits++];
    limit->name = word(&value);
    limit->resource = -1;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, limit->name) == 0)
            limit->resource = known[i].resource;
    if (limit->resource < 0)
        refuse(limit->name);
    limit->value.rlim_cur = limit_value(word(&value));
    limit->value.rlim_max = limit_value(value);
}

static void read_keep(Description *d, const char *value)
{
    if (d->n_keep == KEEP_MAX)
        refuse("descriptors");
    d->keep[d->n_keep++] = number(value, INT_MAX, 10);
    if (d->keep[d->n_keep - 1] < LAUNCH_FIRST_FREE)
        refuse("descriptor");
}

static void read_group(Description *d, const char *value)
{
    if (d->n_groups == GROUPS_MAX)
        refuse("groups");
    d->groups[d->n_groups++] = number(value, UINT_MAX - 1, 10);
}

static void take(Description *d, const char *key, char *value, size_t *n_args, size_t *n_environment)
{
    if (strcmp(key, "arg") == 0)
        append(&d->args, n_args, value);
    else if (strcmp(key, "env") == 0)
        append(&d->environment, n_environment, value);
    else if (strcmp(key, "keep") == 0)
        read_keep(d, value);
    else if (strcmp(key, "pidfile") == 0)
        d->pidfile = value;
    else if (strcmp(key, "log") == 0)
        read_log(d, value);
    else if (strcmp(key, "title") == 0)
        d->title = value;
    else if (strcmp(key, "cgroup") == 0)
        d->cgroup = value;
    else if (strcmp(key, "limit") == 0)
        read_limit(d, value);
    else if (strcmp(key, "oom") == 0)
        d->oom = value;
    else if (strcmp(key, "cpus") == 0)
        d->cpus = value;
    else if (strcmp(key, "memory") == 0)
        d->memory = value;
    else if (strcmp(key, "capabilities") == 0) {
        if (strcmp(value, "keep") != 0)
            refuse(value);
        d->keeps_capabilities = 1;
    } else if (strcmp(key, "umask") == 0)
        d->umask = number(value, 0777, 8);
    else if (strcmp(key, "cwd") == 0)
        d->cwd = value;
    else if (strcmp(key, "gid") == 0)
        d->gid = number(value, UINT_MAX - 1, 10);
    else if (strcmp(key, "group") == 0)
        read_group(d, value);
    else if (strcmp(key, "uid") == 0) {
        d->uid = number(value, UINT_MAX - 1, 10);
        d->has_uid = 1;
    } else
        refuse(key);
}

void description_read(int fd, Description *d)
{
    size_t length, at = 0, n_args = 0, n_environment = 0;
    char *text = read_all(fd, &length);

    memset(d, 0, sizeof *d);
    d->umask = 022;
    for (;;) {
        char *key = text + at, *blank = memchr(key, ' ', length - at);
        char *colon = blank ? memchr(blank, ':', length - (blank - text)) : NULL;
        if (!colon)
            refuse("a record");
        *blank = *colon = '\0';
        size_t size = number(blank + 1, LAUNCH_SIZE_MAX, 10), rest = length - (colon + 1 - text);
        char *value = colon + 1;
        if (size >= rest || value[size] != '\n' || memchr(value, '\0', size))
            refuse(key);
        value[size] = '\0';
        at = value + size + 1 - text;
        if (strcmp(key, "end") == 0)
            break;
        take(d, key, value, &n_args, &n_environment);
    }
    if (at != length || n_args == 0 || d->args[0][0] != '/')
        refuse("the end");
    if (!d->environment && !(d->environment = calloc(1, sizeof *d->environment)))
        fail("reading the description", NULL);
}
