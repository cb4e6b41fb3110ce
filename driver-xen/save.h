/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A guest's state into a file. */
#include "lib/driver/driver.h"

extern const DriverSaveOps save_ops;
