/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The life of a run: start, end, adoption after a restart of the daemon. How they fit together is told in run.c.
 */
#include "daemon/core/vm.h"

typedef struct {
    Domain *definition; /* what to start, borrowed; NULL: the domain's next definition */
    gboolean paused;
    gboolean paused_anyway; /* whatever a saved guest's file says */
    int detail;         /* virDomainEventStartedDetailType */
    int restore_fd;     /* -1: a fresh boot */
    const char *restore_name;
    gboolean reset_nvram;
    gpointer owner;     /* autodestroy: whoever's end ends the run; NULL: nobody's */
    GDestroyNotify owner_release; /* called once with OWNER: at the end of the run, or when it does not come to one */
} RunStart;

#define RUN_START_INIT {.detail = VIR_DOMAIN_EVENT_STARTED_BOOTED, .restore_fd = -1}

/* Starts VM, which must be claimed or listed and is listed then. Its queue. */
gboolean run_start(Vm *vm, const RunStart *how, GError **error);

/* Ends VM's run without asking its monitor. What comes of it is called DETAIL (virDomainEventStoppedDetailType) and
 * REASON (virDomainShutoffReason). On success the end is published. Waits; any thread but a loop's, at any time. */
gboolean run_kill(Vm *vm, gboolean graceful, int detail, int reason, GError **error);

/* Ends VM's run if OWNER is whose end ends it. As run_kill. */
void run_owner_gone(Vm *vm, gpointer owner);

/* The guest's process is gone (DriverHost.stopped). Any thread, never blocks. */
void run_stopped(Vm *vm, int detail, int reason);

/* Does now what the end of a run has left to do, if there is such an end; it may begin again. Its queue. For who is about
 * to give the domain up: only then is its name free. */
void run_finish_end(Vm *vm);

/* Publishes the run that STATUS tells of, so that readers see it, and queues finding it again. VM is claimed. Before there are clients. */
void run_adopt(Vm *vm, Status *status);
