/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Notices that the host goes down (for a user's own daemon: that his session ends) and has guests ended before it does:
 * by logind's inhibitor, which is held while guests run, and where the daemon is stopped because everything is.
 */
#include "daemon/core/core.h"
#include "daemon/inhibitor.h"

typedef struct HostEnd HostEnd;

/* LOOP, BUS and CORE are borrowed. SESSION: a user's own. */
HostEnd *host_end_new(Loop *loop, Bus *bus, Core *core, const HostRules *rules, gboolean session);
/* After host_end_finish() and core_close(). NULL is allowed. */
void host_end_free(HostEnd *end);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostEnd, host_end_free)

/* Any thread. */
void host_end_set_rules(HostEnd *end, const HostRules *rules);

/* The daemon was told to stop: if that is since the host goes down, returns when guests have ended. From its return on, nothing
 * new begins. Once, not on a loop. */
void host_end_finish(HostEnd *end);
