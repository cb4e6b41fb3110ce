/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Parts of the domain capabilities document that have a file of their own. */
#include "driver-kvm/caps.h"
#include "lib/xml.h"

/* <cpu>: what a guest's processor may be. */
void domcaps_write_cpu(XmlWriter *writer, const Caps *caps, CapsAccel accel);

/* domcaps-os.c */
void domcaps_write_os(XmlWriter *writer, const Caps *caps, const CapsMachine *machine);
