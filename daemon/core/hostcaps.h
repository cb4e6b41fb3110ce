/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The capabilities document: this host, and what its driver can run. */
#include <glib.h>
#include "daemon/core/vm.h"

typedef struct {
    const char *root;     /* before the paths of the kernel's files: "" on the real host */
    const char *uuid;     /* the host's, as text */
    gboolean migrates;    /* the daemon can send guests to other hosts */
    guint sleeps;         /* how the host can sleep: bits 1 << virNodeSuspendTarget */
} HostCaps;

/* The name of confinement by user and group. */
#define HOSTCAPS_OWNER_MODEL "dac"

/* The label of HOSTCAPS_OWNER_MODEL that a guest has where its definition does not say, to free; NULL: the driver's guests have
 * no user of their own. Any thread. */
char *hostcaps_owner_label(const DriverInstance *instance);

/* The whole document, to free. INSTANCE writes the part about guests. May take as long as the driver needs to probe its
 * hypervisor the first time. Any thread. */
char *hostcaps_format(const HostCaps *caps, const DriverInstance *instance, GError **error);
