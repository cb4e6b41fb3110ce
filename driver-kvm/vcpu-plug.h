/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Virtual CPUs that come and go. QEMU calls a place for one by its socket, die, core and thread; sorted by these, place N is
 * that of CPU N. What comes is called vcpuN, so that the next daemon finds it again.
 */
#include "driver-kvm/guest.h"

/* Before the guest runs: those that its definition wants plugged in so that they can go again. */
gboolean vcpu_plug_all(Guest *guest, Qmp *qmp, GError **error);

/* The live definition says what QEMU has, whose threads are known: after nobody listened. */
void vcpu_learn(Guest *guest);

/* DriverResizeOps.plug_vcpu */
gboolean vcpu_plug(gpointer self, Vm *vm, guint id, gboolean in, GError **error);

/* The device with ALIAS has gone. FALSE: it was no CPU. Loop thread. */
gboolean vcpu_gone(Guest *guest, const char *alias);
