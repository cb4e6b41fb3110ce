/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The launch description, read (contract.h says what it may hold). */
#include <sys/resource.h>
#include <sys/types.h>

#define KEEP_MAX 256
#define GROUPS_MAX 256
#define LIMITS_MAX 8
#define LOGS_MAX 32

typedef struct {
    int number;
    unsigned long long size;
    int count;
    int append;
    const char *path;
} Log;

typedef struct {
    const char *name;
    int resource;
    struct rlimit value;
} Limit;

typedef struct {
    char **args, **environment; /* NULL terminated */
    int keep[KEEP_MAX], n_keep;
    Log logs[LOGS_MAX];
    int n_logs;
    Limit limits[LIMITS_MAX];
    int n_limits;
    gid_t groups[GROUPS_MAX];
    int n_groups;
    int has_uid;
    uid_t uid;
    gid_t gid;
    mode_t umask;
    int keeps_capabilities;
    const char *pidfile, *title, *cgroup, *cwd, *oom, *cpus; /* NULL: not told */
    char *memory;
} Description;

/* Reads all of FD. Ends the process if it is not a whole and sound description. */
void description_read(int fd, Description *ret_description);
