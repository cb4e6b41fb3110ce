/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <json-glib/json-glib.h>
#include "lib/model/model.h"

/* Which disk of LIVE the agent means by DEVICE, as it describes what is below a file system: its target's name. NULL: none. */
const char *agent_disk_target(const Domain *live, JsonObject *device);
