/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The agent inside a guest, behind the channel "org.qemu.guest_agent.0": one command at a time, each with its deadline.
 * Who calls waits on his own thread, which must be one that may: neither a loop's nor that of a domain's queue.
 */
#include <json-glib/json-glib.h>
#include "driver-kvm/kvm.h"
#include "driver-kvm/qmp.h"

typedef struct Guest Guest;
typedef struct Agent Agent;

Agent *agent_new(void);
void agent_free(Agent *agent); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Agent, agent_free)

/* What happens to the guest, for a command that waits for it. Any thread. */
typedef enum {
    AGENT_LEFT = 1,    /* nobody listens at the guest's end of the channel any more */
    AGENT_POWERED = 2, /* the guest has shut down or begins anew */
    AGENT_ASLEEP = 4,
} AgentNews;
void agent_tell(Agent *agent, AgentNews news);

/* The channel, in LIVE; NULL if there is none. */
const Chardev *agent_channel(const Domain *live);
