/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The host is put to sleep: by logind, after an alarm of the clock was set that wakes it. What it can do is what logind said
 * when it was asked last; nobody waits for logind but those who come in the daemon's first moments.
 *
 * Source: org.freedesktop.login1.Manager; the kernel's /sys/class/rtc/rtc0/wakealarm.
 */
#include "daemon/bus.h"

/* LOOP and BUS are borrowed until host_sleep_close(). ROOT (static) is put before the kernel's paths. One in a process. */
void host_sleep_open(Loop *loop, Bus *bus, const char *root);
void host_sleep_close(void); /* on LOOP, or when it does not run any more */

/* Bits 1 << virNodeSuspendTarget. Not on LOOP; waits two seconds after host_sleep_open() at most. */
guint host_sleep_targets(void);

/* The host sleeps (TARGET: virNodeSuspendTarget) some seconds after the return, and wakes SECONDS after it. VIR_ERR_INVALID_ARG,
 * VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_OPERATION_INVALID where it is about to sleep already, VIR_ERR_SYSTEM_ERROR. Blocks
 * as host_sleep_targets(), and for the clock. */
gboolean host_sleep(guint target, guint64 seconds, GError **error);
