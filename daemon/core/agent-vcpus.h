/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "daemon/rpc/call.h"

/* How many virtual CPUs the guest uses, or could; and that it shall use COUNT. FLAGS: virDomainVcpuFlags. Control lane: the agent is asked. */
gboolean agent_vcpus_count(Call *call, guint flags, gint32 *ret_count, GError **error);
gboolean agent_vcpus_set(Call *call, guint count, guint flags, GError **error);
