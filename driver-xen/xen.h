/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The driver's own: one for the life of the daemon. */
#include "driver-xen/context.h"
#include "driver-xen/watch.h"

struct Xen {
    const DriverHost *host;
    Watch *watch;
    GMutex lock; /* of which run a domain has */
};
typedef struct Xen Xen;

#define XEN_DEADLINE (30 * G_USEC_PER_SEC)
