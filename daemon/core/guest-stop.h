/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* How one guest ends with its host. */
#include "daemon/core/host-policy.h"
#include "daemon/core/vm.h"

/* What WANTED comes to for a guest as VIEW has it: one that is paused hears no button, a transient one has no managed save. */
HostStop guest_stop_action(const Vm *vm, const VmView *view, HostStop wanted);

/* Ends VM's run ID so; what does not listen is switched off at DEADLINE (g_get_monotonic_time()), a save takes as long as it
 * takes. Harmless if the run is over. The log says how it went. Waits: a pool thread. */
void guest_stop(Vm *vm, int id, HostStop wanted, gint64 deadline);
