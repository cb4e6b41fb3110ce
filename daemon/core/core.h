/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The domains of this host: drivers, definitions, runs. One at a time in a process.
 *
 *   core_open()   opens the drivers, reads definitions and run records: look-ups see every domain from now on, and each
 *                 running guest is being found again in its queue
 *   core_start()  begins to start what starts with the host
 *   core_close()  waits for what the queues are at, closes the drivers; guests go on
 */
#include "daemon/core/host-policy.h"
#include "daemon/core/host.h"
#include "daemon/core/loader.h"

typedef struct Core Core;

typedef struct {
    DriverPaths paths;       /* strings are borrowed and outlive the core; missing folders are made */
    Loop *loop;              /* the event loop: runs before core_open() and until core_close() returns */
    HostConfig config;       /* values of the configuration file */
    HostRules rules;         /* how domains begin and end with the host */
    const char *hooks;       /* the folder of the administrator's programs (hook.h); NULL: there are none */
    guint hook_timeout;      /* seconds that each may take */
    const char *driver_path; /* folders with drivers, separated by colons; NULL: the usual ones */
} CoreOptions;

Core *core_open(const CoreOptions *options, GError **error);
void core_start(Core *core);
void core_close(Core *core); /* NULL is allowed. Not on a loop */

/* The host goes down: guests end as HostRules and their definitions say, in BUDGET microseconds. FALSE: they did before, and
 * nothing has called it off since. Waits, as does the next: any thread but a loop's. */
gboolean core_stop_guests(Core *core, const HostRules *rules, guint64 budget);
/* It does not after all, or did in a former life of the daemon: those that were saved go on. */
void core_resume_guests(Core *core);
/* The last host's end is not yet made up for. */
gboolean core_has_stopped_guests(Core *core);

gboolean core_is_idle(Core *core);  /* no domain runs; any thread */
Loader *core_loader(Core *core); /* its drivers */
