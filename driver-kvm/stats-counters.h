/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the accelerator counts: QEMU's query-stats and query-stats-schemas. */
#include "driver-kvm/qmp.h"
#include "lib/params.h"

typedef enum { COUNTERS_VM, COUNTERS_VCPU } CountersTarget;

/* Adds "vm.NAME.KIND" or "vcpu.N.NAME.KIND" (KIND: sum, cur or max) for each counter that is one number. Nothing is added
 * where QEMU counts nothing, as without KVM. BUDGET is in microseconds. Not on the loop. */
gboolean stats_counters(Qmp *qmp, CountersTarget target, guint64 budget, Params *params, GError **error);
