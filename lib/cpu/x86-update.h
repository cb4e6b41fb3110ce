/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A guest's CPU as it is asked for -> as this host's hypervisor makes it -> as it turned out. */
#include "lib/cpu/x86-decode.h"

/* Whether an update needs to know the host. */
gboolean x86_update_is_relative(const Cpu *guest);

/* What depends on the host (host-model, match='minimum', optional features) is settled by HOST, a Cpu with policies; NULL:
 * unknown, VIR_ERR_CONFIG_UNSUPPORTED where it matters. A mode that is not described is left as it is. */
gboolean x86_update(Cpu *guest, const Cpu *host, GError **error);

/* In place of a model that is not offered the best one that is, if its fallback allows it. */
gboolean x86_translate(Cpu *cpu, const GArray *offers, GError **error);

/* What the hypervisor says of the CPU that it made. Where check='full' asks for it, a difference is
 * VIR_ERR_OPERATION_FAILED; else it is written into CPU. RET_LOOKED: CPU is of a kind that is looked at. */
gboolean x86_update_live(Cpu *cpu, const X86Bits *enabled, const X86Bits *disabled, gboolean *ret_looked, GError **error);

/* Which of CPU's forbidden features the host is said to have: VIR_ERR_CPU_INCOMPATIBLE. */
gboolean x86_check_forbidden(const Cpu *cpu, const Cpu *host, GError **error);
