/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Channels, seen from the guest: whether a program has one open. */
#include "driver-kvm/guest.h"

/* The channel with ALIAS is open in the guest, or not. If that is new, and it is the agent's, clients are told, with REASON
 * (virConnectDomainEventAgentLifecycleReason). Any thread. */
void channel_tell(Guest *guest, const char *alias, gboolean open, int reason);

/* All channels, as QEMU says. Not the loop's thread. */
gboolean channel_learn(Guest *guest, Qmp *qmp, int reason, GError **error);
