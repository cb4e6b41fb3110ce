/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Routes of interfaces and of networks. Any thread. */
#include "lib/model/model.h"

/* What a route says; texts are addresses that were parsed before. */
typedef struct {
    AddressFamily family;
    const char *address;
    const char *netmask; /* may be NULL */
    guint32 prefix;      /* or UNSET32 */
    const char *gateway;
} Route;

/* Whether its parts are of one family and its target is a network's address. OF is what libvirt's words begin with: whose route
 * it is. */
gboolean route_check(const Route *route, const char *of, GError **error);
