/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The system's D-Bus, on one loop. It is connected to when somebody first needs it and again when it was lost: a host
 * without a bus, or whose bus is started anew, has a daemon that serves.
 */
#include <systemd/sd-bus.h>
#include "lib/loop.h"

typedef struct Bus Bus;

Bus *bus_new(Loop *loop); /* borrowed */
void bus_free(Bus *bus);  /* NULL is allowed; on the loop's thread, or when it does not run any more */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bus, bus_free)

/* The connection, borrowed until the loop's next turn. NULL with VIR_ERR_SYSTEM_ERROR. Never blocks. Loop thread. */
sd_bus *bus_connect(Bus *bus, GError **error);
