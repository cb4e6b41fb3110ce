/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What becomes of a guest that has powered off or crashed. Loop thread. */
#include "driver-kvm/guest.h"

/* QEMU waits, stopped: it ends. */
void power_end(Guest *guest);

/* Instead the guest boots again, in the same QEMU. */
void power_reboot(Guest *guest);

/* The guest's system has crashed, and clients know: does what the definition wants then. */
void power_crashed(Guest *guest);
/* The dump that power_crashed() began has come to its end, good or bad. */
void power_dumped(Guest *guest);
