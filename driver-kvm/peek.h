/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Looking into a running guest's memory (DriverSaveOps.peek). */
#include "lib/driver/driver.h"

guint8 *peek_memory(gpointer self, Vm *vm, guint64 address, gsize size, gboolean is_virtual, GError **error);
