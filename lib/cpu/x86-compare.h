/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Whether a host's processor can do what another has, and what several hosts' processors have in common. */
#include "lib/cpu/cpu-document.h"
#include "lib/cpu/x86-decode.h"

/* HOST: a host's, or (a Cpu with policies) what a hypervisor makes of it; NULL or without a model: unknown. A
 * virCPUCompareResult. FAIL: instead of VIR_CPU_COMPARE_INCOMPATIBLE it is VIR_CPU_COMPARE_ERROR, with
 * VIR_ERR_CPU_INCOMPATIBLE and what is in the way. */
int x86_compare(const Cpu *host, gboolean host_is_host, const CpuDocument *cpu, gboolean fail, GError **error);

/* A guest's CPU, exact, that each of CPUS (of CpuDocument) can do. FEATURES: without any other; NULL: no matter. */
Cpu *x86_baseline(const GPtrArray *cpus, const GArray *offers, const X86Bits *features, gboolean migratable, GError **error);

/* Lists all features of a guest's CPU, also those that its model has. */
gboolean x86_expand(Cpu *cpu, GError **error);
