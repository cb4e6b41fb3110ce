/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Gives every device of a definition its place: PCI slots (with the bridges and ports they need), USB ports (with hubs),
 * virtio-serial ports. What the document says stays; the rest is what libvirtd 9.0.0 would choose, to the letter, since
 * guests name their devices after their places.
 */
#include "driver-kvm/device.h"

gboolean address_assign(Domain *def, const Caps *caps, GError **error);

/* Addresses that this machine or emulator does not have. */
gboolean address_validate(Domain *def, const Caps *caps, GError **error);

/* The same for DEVICE, of KIND, that comes to a guest that runs: LIVE has it already, and nothing can be added for it.
 */
gboolean address_plug(Domain *live, const DeviceKind *kind, gpointer device, GError **error);
