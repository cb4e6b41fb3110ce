/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which machine a definition asks for. Any thread; DEF has its architecture and machine filled in. */
#include "lib/model/model.h"

gboolean machine_is_x86(const Domain *def);
gboolean machine_is_q35(const Domain *def);
gboolean machine_is_i440fx(const Domain *def);
gboolean machine_is_isapc(const Domain *def);
gboolean machine_has_pci(const Domain *def);       /* a controller of type pci with index 0 */
gboolean machine_has_pcie_root(const Domain *def); /* ... that is a pcie-root */
gboolean machine_has_pci_root(const Domain *def);

/* All of the guest's memory may be seen by other processes, as vhost-user and virtiofs need. */
gboolean machine_memory_is_shared(const Domain *def);
