/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a guest reads of its machine: SMBIOS tables and firmware configuration files. */
#include "lib/model/model.h"

/* The values of each SMBIOS table, in the order in which libvirt keeps them; NULL terminated. */
extern const char *const sysinfo_bios[], *const sysinfo_system[], *const sysinfo_base_board[], *const sysinfo_chassis[];

/* The value of NAME in TABLE; NULL if it has none, or TABLE is NULL. */
const char *sysinfo_value(const SysinfoTable *table, const char *name);

/* Keeps what libvirt knows, in its order, and refuses what is malformed. A domain without a UUID takes that of its system
 * table, one with a UUID must have the same there. To be called before DEF gets one that is made up. */
gboolean domain_normalize_sysinfo(Domain *def, GError **error);
