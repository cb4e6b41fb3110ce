/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a machine has whether or not its document says so, as machine.c's table has it. */
#include "driver-kvm/caps.h"
#include "lib/model/model.h"

/* Adds it. A root of PCI that is not this machine's is VIR_ERR_XML_ERROR. */
gboolean implied_devices(Domain *def, const Caps *caps, GError **error);
