/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What who is at the other end may do. Any thread. */
#include <glib.h>
#include "daemon/auth/identity.h"
#include "daemon/rpc/wire.h"

/* Whether the peer of the unix socket FD needs no more proof of who it is: root, the daemon's own user, and members of
 * GROUP ((gid_t)-1: none). */
gboolean acl_admits(const Identity *identity, int fd, gid_t group);

/* Whether IDENTITY may call PROC with ARGS. FALSE with VIR_ERR_OPERATION_DENIED. */
gboolean acl_check(const Identity *identity, const WireProc *proc, gconstpointer args, GError **error);
