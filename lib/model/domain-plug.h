/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Virtual CPUs one by one: which are plugged in, in what order, and which of them can go again. DEF is normalized. */
#include "lib/model/model.h"

/* The state of CPU ID; NULL where DEF has no list, which says that the first ones are plugged in for good. */
VcpuState *domain_vcpu_state(const Domain *def, guint id);

gboolean domain_vcpu_enabled(const Domain *def, guint id);
gboolean domain_vcpu_hotpluggable(const Domain *def, guint id);

/* How many the machine is made with: those that are plugged in for good. */
guint domain_boot_vcpus(const Domain *def);

/* DEF has a list from now on. */
void domain_list_vcpus(Domain *def);

/* Plugs CPU ID in, so that it can go again, or out. RUNNING: DEF is of a guest that runs, where the order counts. */
void domain_plug_vcpu(Domain *def, guint id, gboolean in, gboolean running);
