/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where things lie: below the root, or for a user other than root in his own folders; programs of a daemon that runs from
 * its build folder in that. */
#include "lib/driver/host.h"

typedef struct {
    DriverPaths driver; /* strings owned, as all here */
    char *sockets;      /* folder: run/libvirt */
    gboolean session;   /* it serves only the user it runs as */
    char *lock;
    char *config;
    char *hooks; /* folder; NULL for a session */
} Places;

/* ROOT: NULL for the system's own places, or the user's; else made absolute. */
Places *places_new(const char *root);
void places_free(Places *places); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Places, places_free)
