/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The hypervisor as a whole. */
#include "lib/driver/driver.h"

extern const DriverNodeOps node_ops;
