/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Domain events as messages: in the older form, which knows no callback numbers, and in the newer. */
#include "daemon/core/event.h"
#include "daemon/rpc/client.h"

/* Whether EVENT_ID can be asked for; and in the older form. */
gboolean event_wire_exists(int event_id);
gboolean event_wire_has_legacy(int event_id);

/* Sends EVENT to CLIENT. CALLBACK: its number, or -1 for the older form. Never blocks. */
void event_wire_send(Client *client, const EventSource *source, const VmEvent *event, int callback);
