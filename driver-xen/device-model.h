/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The process that is a guest's hardware. The hypervisor does not mind its death, but the guest then waits for ever. */
#include "driver-xen/guest.h"

/* Once it dies, watch_lost() is told. Harmless where GUEST has none. Not on the event loop. */
void device_model_watch(Guest *guest);
void device_model_unwatch(Guest *guest); /* harmless if it was not watched */
