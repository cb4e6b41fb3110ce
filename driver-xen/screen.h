/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Displays of a guest. */
#include "driver-xen/guest.h"

/* Displays of VM's live definition that want any port have one from now on. Appends to FDS the descriptors (int) that keep it for them. */
gboolean screen_take_ports(Xen *xen, Vm *vm, GArray *fds, GError **error);
