/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a definition means for QEMU beyond what it says (DriverDefinitionOps.complete): the defaults that libvirtd 9.0.0
 * fills in, places for all devices, and the refusal of what cannot be.
 *
 * In two steps, since the emulator must be known before its abilities are. Any thread; DEF is the caller's alone.
 */
#include "driver-kvm/caps.h"
#include "lib/driver/driver.h"
#include "lib/model/domain-device.h"

/* Architecture and emulator, where DEF does not name them. */
gboolean complete_emulator(Domain *def, GError **error);

/* The rest, for the QEMU that DEF now names. */
gboolean complete_domain(Domain *def, const Caps *caps, DriverComplete when, GError **error);

/* The same for HELD, of KIND, that comes to a guest that runs: LIVE has it already. */
gboolean complete_plugged(Domain *live, const DomainDevice *kind, gpointer held, const Caps *caps, GError **error);

/* The accelerator DEF asks for. */
CapsAccel complete_accel(const Domain *def);
