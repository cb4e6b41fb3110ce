/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Changes of devices that have a file of their own. */
#include "daemon/core/vm-ops.h"
#include "lib/model/domain-device.h"

/* NODE is the device as the client wants it. */
gboolean update_memory(Call *call, const XmlNode *node, const VmView *view, OpsAffect affect, GError **error);

/* The guest's display, which runs, is as WANTED says from now on. */
gboolean update_graphics_live(Call *call, const Domain *live, const Graphics *wanted, GError **error);
