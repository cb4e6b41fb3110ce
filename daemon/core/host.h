/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What drivers may ask of the daemon: fills lib/driver/host.h's table. */
#include "lib/driver/host.h"

typedef const char *(*HostConfig)(const char *driver, const char *key);

/* PATHS and LOOP must outlive the drivers. The table lives as long as the process. */
const DriverHost *host_open(const DriverPaths *paths, Loop *loop, HostConfig config);

/* From its return on, nothing that drivers tell becomes work for a queue. Not on a loop. */
void host_shut(void);

/* The folders given to host_open(). */
const DriverPaths *host_paths(void);

/* Edits the live definition of VM (DriverHost.edit_live), for handlers. */
gboolean host_edit_live(Vm *vm, VmEdit edit, gpointer data, GError **error);
