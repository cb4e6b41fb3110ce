/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A running guest's memory and processors. */
#include "lib/driver/driver.h"

extern const DriverResizeOps resize_ops;
