/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Figures of a running guest, which the hypervisor counts. */
#include "lib/driver/driver.h"

extern const DriverStatsOps stats_ops;
