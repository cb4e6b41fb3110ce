/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where things lie: below the root, and for a daemon that runs from its build folder, in that. */
#include "lib/driver/host.h"

typedef struct {
    DriverPaths driver; /* strings owned, as all here */
    char *sockets;      /* folder: run/libvirt */
    char *lock;
    char *config;
} Places;

/* ROOT: NULL for the system's own places; else made absolute. */
Places *places_new(const char *root);
void places_free(Places *places); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Places, places_free)
