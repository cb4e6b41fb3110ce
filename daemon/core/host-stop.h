/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What becomes of running guests when their host shuts down: host-policy.h's actions, in the reverse order of their starts. */
#include "daemon/core/host-policy.h"
#include "daemon/core/loader.h"

/* Ends the running guests of LOADER's drivers as their policies say, and returns when that is done or at DEADLINE
 * (g_get_monotonic_time()). What is to be done is in the journal (host-journal.h) before it begins. Waits: no loop's thread;
 * one at a time. */
void host_stop(const Loader *loader, const DriverPaths *paths, const HostRules *rules, gint64 deadline);
