/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Ends a daemon that nobody needs: no connection and no running domain for some seconds. Whoever starts it when a client
 * comes (a systemd socket) wants that. */
#include "daemon/core/core.h"
#include "daemon/rpc/server.h"

typedef struct Idle Idle;

/* Quits LOOP, looked at once a second, after SECONDS. All are borrowed. Loop thread, or before it runs. */
Idle *idle_new(Loop *loop, const Server *server, Core *core, guint seconds);
void idle_free(Idle *idle); /* NULL is allowed */
