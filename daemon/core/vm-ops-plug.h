/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "daemon/core/vm-ops.h"

/* Plugs virtual CPUs of the guest that VIEW shows in or out until it has COUNT, which is not more than it can have. */
gboolean plug_vcpus(Call *call, const VmView *view, guint count, GError **error);
