/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A definition gets other figures, and what follows from them. DEF is normalized. */
#include "lib/model/model.h"

/* COUNT of the CPUs there can be are plugged in. COUNT is in 1 to domain_max_vcpus(). */
void domain_set_vcpus(Domain *def, guint count);

/* There can be COUNT CPUs. What belonged to those that are no longer there goes; new ones are not plugged in. Fails
 * with VIR_ERR_INVALID_ARG where topology or NUMA cells of DEF do not allow COUNT; DEF may be changed then. */
gboolean domain_set_max_vcpus(Domain *def, guint count, GError **error);

/* What the balloon can leave at most, in KiB: virtio's modules are not its matter. */
guint64 domain_balloon_max(const Domain *def);

/* How often the balloon, which there must be, reports. 0: it does not, which is written by leaving the element out. */
void domain_set_stats_period(Domain *def, int seconds);
