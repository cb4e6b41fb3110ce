/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The memory modules of a running guest. */
#include "driver-kvm/guest.h"

/* What QEMU alone knows of them, into the live definition: where the guest finds them, how much of each it uses. */
gboolean memory_learn(Guest *guest, Qmp *qmp, GError **error);

/* The module with ALIAS has BYTES now. */
void memory_publish(Guest *guest, const char *alias, guint64 bytes);

/* DriverDeviceOps.update_memory */
gboolean memory_update(gpointer self, Vm *vm, const MemoryDevice *wanted, GError **error);
