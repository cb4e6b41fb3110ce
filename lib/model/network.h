/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a network's document means beyond its description.
 *
 * network_read() does what needs nothing but the document; network_validate() refuses what no network driver can do; then
 * network_fill_in() supplies what the host decides. In libvirt's order and words. Any thread.
 */
#include "lib/model/model.h"

/* Reads a definition. */
Network *network_read(XmlDocument *document, GError **error);

/* Whether its bridge is ours to make: isolated, nat, route and open ones. */
gboolean network_makes_bridge(const Network *network);

gboolean network_validate(const Network *network, GError **error);

/* Supplies the bridge's name and its MAC address, where the bridge is ours. TAKEN(NAME, DATA) tells which names others have;
 * a device of that name on this host is asked for here. */
typedef gboolean (*NetworkBridgeTaken)(const char *name, gpointer data);
gboolean network_fill_in(Network *network, NetworkBridgeTaken taken, gpointer data, GError **error);
