/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Open files that a client has left with a domain under a name (virDomainFDAssociate), for disks whose definition names them.
 * They stay until the client's connection ends or it leaves others under the same name.
 */
#include "daemon/core/vm.h"
#include "daemon/rpc/client.h"

/* Of all clients together; the rest of what a process may have open is for others. */
#define FD_GROUPS_DESCRIPTORS_MAX 256

/* The N descriptors FDS belong to VM as NAME; duplicates are kept, FDS stay the caller's. Any thread. */
gboolean fd_groups_add(Vm *vm, Client *client, const char *name, const int *fds, guint n, GError **error);

/* DriverHost.fd_group. */
int *fd_groups_get(Vm *vm, const char *name, guint *ret_n);
