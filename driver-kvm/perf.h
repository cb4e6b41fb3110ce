/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Events that the host's kernel counts for a guest. The counters are ours: they begin anew with each daemon. */
#include "driver-kvm/guest.h"
#include "lib/params.h"

/* EVENT is counted from now on, or no more. VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_SYSTEM_ERROR. */
gboolean perf_count(Guest *guest, PerfEventName event, gboolean on, GError **error);

/* All that the live definition asks for. */
gboolean perf_count_all(Guest *guest, GError **error);

/* "perf.NAME" of each that is counted. */
void perf_sample(Guest *guest, Params *params);
