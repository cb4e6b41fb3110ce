/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Figures of a running guest that the host's kernel knows by the live definition alone. Any thread; nobody is waited for. */
#include "lib/model/model.h"
#include "lib/params.h"

/* Adds "net.count" and "net.N.*" of LIVE's interfaces: the guest receives what the host's end sends, unless that is the very
 * device that the guest drives. */
void domain_sample_interfaces(const Domain *live, Params *params);
