/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Slots of DriverDeviceOps: the size of a running guest's disk, when to tell that it is nearly full, whether any is in error. */
#include "driver-kvm/guest.h"

gboolean disk_resize(gpointer self, Vm *vm, const char *target, guint64 size, GError **error);
gboolean disk_threshold(gpointer self, Vm *vm, const char *name, guint64 offset, GError **error);
gboolean disk_errors(gpointer self, Vm *vm, gint64 budget, GArray **ret_errors, GError **error);
