/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Changes of devices that have a file of their own. NODE is the device as the client wants it. */
#include "daemon/core/vm-ops.h"

gboolean update_memory(Call *call, const XmlNode *node, const VmView *view, OpsAffect affect, GError **error);
