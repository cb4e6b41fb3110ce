/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Addresses of a network, what its DHCP server gives, its routes, and what its DNS server knows. Any thread. */
#include "lib/model/model.h"

gboolean network_complete_dns(Network *network, GError **error);
gboolean network_complete_addresses(Network *network, GError **error);
