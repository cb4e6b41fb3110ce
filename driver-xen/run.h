/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A guest's life. */
#include "lib/driver/driver.h"

extern const DriverRunOps run_ops;
