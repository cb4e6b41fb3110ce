/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Disks and interfaces that come to a running guest and go, and media that are exchanged. */
#include "driver-xen/guest.h"
#include "lib/driver/driver.h"

extern const DriverDeviceOps device_ops;

/* After a restart of the daemon: what of VM's live definition the hypervisor does not have leaves it. */
gboolean plug_learn(Xen *xen, Context *context, Vm *vm, guint32 domid, GError **error);
