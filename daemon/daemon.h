/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Owns everything of the process and says in which order it begins and ends. One at a time in a process. */
#include <glib.h>

typedef struct {
    const char *root;    /* everything lies below; NULL: the usual places of the system */
    const char *config;  /* the configuration file; NULL: etc/duovirt/duovirtd.conf below root */
    const char *drivers; /* folders with drivers, separated by colons; NULL: the usual ones */
    guint timeout;       /* seconds without clients and running domains after which it ends; 0: it stays */
    gboolean verbose;    /* log everything, whatever the configuration says */
} DaemonOptions;

typedef struct Daemon Daemon;

/* Blocks the signals it will wait for, so before any other thread exists. When it returns, clients are served. */
Daemon *daemon_new(const DaemonOptions *options, GError **error);

/* Serves until SIGTERM or SIGINT. */
void daemon_run(Daemon *daemon);

/* Lets calls in progress end, and ends; guests go on. NULL is allowed. */
void daemon_free(Daemon *daemon);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Daemon, daemon_free)
