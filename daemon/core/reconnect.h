/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The domains of the last daemon become ours. */
#include "daemon/core/vm.h"

/* Reads definitions and run records of INSTANCE into its registry; finding the guests again is queued on each domain. Before there are clients. */
void reconnect_load(const DriverInstance *instance);
