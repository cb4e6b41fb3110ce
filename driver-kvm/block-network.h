/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * An image that a server has, as QEMU reaches it: a node of the protocol's driver (QEMU's BlockdevOptionsNbd and its siblings).
 * Names and addresses are looked up by QEMU, whose start they may fail; nothing here talks to a server.
 */
#include <json-glib/json-glib.h>
#include "lib/model/domain-disk.h"

/* Whether QEMU can be told of IMAGE, whose type is that of the network. VIR_ERR_CONFIG_UNSUPPORTED; VIR_ERR_INTERNAL_ERROR: not as many hosts as the protocol takes. */
gboolean block_network_check(const DiskImage *image, GError **error);

/* The node, without its name; IMAGE was checked. The caller's. */
JsonObject *block_network_node(const DiskImage *image);
