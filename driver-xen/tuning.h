/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a running guest is given of the host's processors: where it may run, and how much. */
#include "lib/driver/driver.h"

extern const DriverTuningOps tuning_ops;
extern const DriverSchedulerOps scheduler_ops;
