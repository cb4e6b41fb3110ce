/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The storage pools of this host. One at a time in a process.
 *
 *   storage_open()    reads definitions and records: look-ups see every pool from now on; those that were active are so
 * again storage_start()   starts what starts with the host; returns at once
 */
#include "lib/driver/host.h"

gboolean storage_open(const DriverPaths *paths, GError **error);
void storage_start(void);
