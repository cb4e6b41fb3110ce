/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "driver-kvm/guest.h"

/* DriverSaveOps.progress and abort. */
gboolean progress_of(gpointer self, Vm *vm, guint64 budget, Params *params, GError **error);
gboolean progress_abort(gpointer self, Vm *vm, GError **error);
