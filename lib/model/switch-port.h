/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What interfaces, networks, their port groups and their ports say of a switch's port: VLAN tags, the profile of a virtual
 * switch, limits of traffic. What each must hold, in libvirt's order and words. Any thread; NULL is fine everywhere. */
#include "lib/model/model.h"

/* Supplies trunk= where there are several tags. */
gboolean vlan_complete(Vlan *vlan, GError **error);

typedef enum {
    VIRTUAL_PORT_TYPED = 1 << 0,  /* it has a type */
    VIRTUAL_PORT_WHOLE = 1 << 1,  /* it has all that its type needs */
    VIRTUAL_PORT_FILLED = 1 << 2, /* identifiers are made up where they are missing */
} VirtualPortRules;

/* Drops what its type has no place for; nothing left is NULL. */
gboolean virtual_port_complete(VirtualPort **port, guint rules, GError **error);

/* FLOOR_ALLOWED: something guarantees what it asks for. An empty one becomes NULL. */
gboolean bandwidth_complete(Bandwidth **bandwidth, gboolean floor_allowed, GError **error);
