/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A guest's CPU at its start: what it is to be on this host, and what QEMU made of it. */
#include "driver-kvm/caps.h"
#include "driver-kvm/qmp.h"
#include "lib/cpu/x86.h"
#include "lib/model/model.h"

/* Whatever depends on the host is settled in LIVE, and refused if this host or this QEMU does not have it. */
gboolean cpu_start_settle(Domain *live, const Caps *caps, GError **error);

/* DEF's CPU as a guest that started now would get it (VIR_DOMAIN_XML_UPDATE_CPU). */
gboolean cpu_start_foretell(Domain *def, const Caps *caps, GError **error);

/* What QEMU says of the CPU it made. */
typedef struct {
    gboolean asked; /* FALSE: there was nothing to ask */
    X86Bits enabled, disabled;
} CpuMade;

gboolean cpu_start_ask(Qmp *qmp, const Domain *live, const Caps *caps, CpuMade *ret_made, GError **error);

/* Into LIVE, or VIR_ERR_OPERATION_FAILED where it was to be exactly what was asked for. What LIVE had stays as asked_cpu. */
gboolean cpu_start_learn(Domain *live, const CpuMade *made, GError **error);
