/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the handlers of tunable values share. */
#include "daemon/core/vm-ops.h"
#include "lib/params.h"

/* VIR_DOMAIN_EVENT_ID_TUNABLE with PARAMS. */
void ops_tell_tuned(Vm *vm, const Params *params);

/* The driver's operations of that kind, for a running domain that answers. SLOT: the offset of the one that is needed. */
const DriverTuningOps *ops_tuning(Call *call, Vm *vm, gsize slot, GError **error);

/* At most MAX parameters of LIST as an answer: a client says for how many it has room. */
RemoteTypedParam *ops_some_params(const Params *list, gint64 max, guint32 *ret_n);
