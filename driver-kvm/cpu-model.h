/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which CPUs one QEMU can give its guests on this host. x86 only; elsewhere nothing is known. */
#include "driver-kvm/caps.h"
#include "lib/cpu/x86-decode.h"

typedef enum {
    CPU_MODEL_REPORTED,   /* what a guest can have */
    CPU_MODEL_MIGRATABLE, /* what it gets, if it is to have the host's model: without what does not migrate */
    CPU_MODEL_FULL,       /* what it is compared with: also what the host has and QEMU does not tell of */
} CpuModelKind;

/* The host's CPU as this QEMU's guests see it, with policies; to free. Its fallback is CPU_FALLBACK_FORBID where QEMU itself
 * described it. NULL: unknown. */
Cpu *cpu_model_host(const Caps *caps, CapsAccel accel, CpuModelKind kind);

/* of X86Offer: the models of this QEMU's. Lives no longer than CAPS. */
GArray *cpu_model_offers(const Caps *caps, CapsAccel accel);

/* The features that this QEMU knows, whether there or not; FALSE: it does not tell. MIGRATABLE: but for those that do not
 * migrate. */
gboolean cpu_model_features(const Caps *caps, CapsAccel accel, gboolean migratable, X86Bits *ret_features);
gboolean cpu_model_knows(const Caps *caps, CapsAccel accel, const char *feature); /* libvirt's name; TRUE where QEMU does not tell */

/* This QEMU says by name which features it does not have: only then can those in model specific registers be relied on. */
gboolean cpu_model_tells_registers(const Caps *caps);

/* A guest of this QEMU's runs on the host's own kind of processor. */
gboolean cpu_model_is_native(const Caps *caps);
/* CpuMode MODE can be had. */
gboolean cpu_model_has_mode(const Caps *caps, CapsAccel accel, CpuMode mode);
