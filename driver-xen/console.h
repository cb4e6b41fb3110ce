/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Terminals of a running guest: xenconsoled's, or its device model's. */
#include "lib/driver/driver.h"

extern const DriverChardevOps chardev_ops;
