/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What an interface of a guest means beyond what it says. Any thread. */
#include "lib/model/model.h"

/* Supplies its MAC address, families of addresses and the identifiers that a virtual switch asks for; checks VLAN tags, the
 * switch's port, limits and routes. */
gboolean domain_complete_interface(Interface *interface, GError **error);
