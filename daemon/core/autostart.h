/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Domains that start with the host: at the first start of the daemon after a boot, in the order and with the delays that
 * their definitions ask for (host-policy.h). With them those that the host's last shutdown ended and that are to go on
 * (host-stop.h).
 */
#include "daemon/core/host-policy.h"
#include "daemon/core/loader.h"

typedef struct Autostart Autostart;

typedef enum {
    AUTOSTART_BOOT,   /* all, unless this boot had that already */
    AUTOSTART_RESUME, /* what a shutdown has ended that was called off */
} AutostartWhat;

/* Begins on a thread of its own. PATHS and LOADER outlive it, RULES are copied. NULL: there is nothing to do. */
Autostart *autostart_begin(AutostartWhat what, const Loader *loader, const DriverPaths *paths, const HostRules *rules);

/* Begins no further one, waits until those that were begun are done, frees. NULL is allowed. */
void autostart_free(Autostart *autostart);

/* Whether this boot's domains have all been started. */
gboolean autostart_was_done(const DriverPaths *paths);
