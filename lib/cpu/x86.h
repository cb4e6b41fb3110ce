/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * x86 processors: tables (emitted from x86.cpu by tools/gen/cpu.py) and what can be said of sets of features.
 *
 * Every feature is one bit of CPUID or of a model specific register, no two the same; so a processor is the set of its
 * features, its vendor and its signature, and nothing else is ever asked of it. The meaning of everything here is
 * libvirt's, to the last tie between two models: guests that migrate, and whoever compares hosts, depend on it.
 *
 * A Cpu (lib/model/model.h) is a guest's, with policies, or, where a function takes HOST, a host's: its features have no
 * policy (CPU_POLICY_UNSET) and are all there. Nothing here keeps state; any thread.
 */
#include "lib/cpu/x86-gen.h"
#include "lib/model/model.h"

typedef struct {
    const char *name, *string; /* "Intel"; what CPUID says: 12 characters */
} X86Vendor;

typedef struct {
    guint64 word[(X86_N_FEATURES + 63) / 64]; /* by the features' numbers */
} X86Bits;

typedef struct {
    const char *name, *qemu;
    gboolean migratable;
    gboolean msr; /* LEAF is the number of a model specific register: REGISTER 0 has its lower half, 3 its upper */
    guint32 leaf, subleaf;
    guint8 reg, bit; /* 0 to 3: eax to edx */
} X86Feature;

typedef struct {
    guint family, model;
    guint32 steppings; /* a bit each */
} X86Signature;

typedef struct {
    const char *name;
    const X86Vendor *vendor; /* NULL: any */
    gboolean for_host, for_guest; /* may describe one */
    X86Bits has;
    X86Signature signatures[5];
    guint n_signatures;
    guint16 removed[16]; /* numbers of features it had once */
    guint n_removed;
} X86Model;

extern const X86Vendor x86_vendors[X86_N_VENDORS];
extern const X86Feature x86_features[X86_N_FEATURES]; /* a feature's number is its place */
extern const X86Model x86_models[X86_N_MODELS];

gboolean x86_is_arch(const char *arch); /* libvirt's name */

/* -1, NULL, NULL: there is none of that name. */
int x86_feature(const char *name);
const X86Model *x86_model(const char *name);
const X86Vendor *x86_vendor(const char *name);
const X86Vendor *x86_vendor_of_string(const char *string);

/* libvirt's name of a feature of QEMU's, and the other way; a name that nobody knows is its own. */
const char *x86_from_qemu(const char *name);
const char *x86_to_qemu(const char *name);

void x86_bits_add(X86Bits *bits, guint feature);
void x86_bits_drop(X86Bits *bits, guint feature);
gboolean x86_bits_has(const X86Bits *bits, guint feature);
X86Bits x86_bits_or(X86Bits a, X86Bits b);
X86Bits x86_bits_and(X86Bits a, X86Bits b);
X86Bits x86_bits_without(X86Bits a, X86Bits b);
guint x86_bits_count(const X86Bits *bits);
/* The next feature after number AFTER (-1 for the first); -1: no more. */
int x86_bits_next(const X86Bits *bits, int after);
char *x86_bits_names(const X86Bits *bits, const char *separator); /* to free */

/* Signatures are those of CPUID leaf 1. */
guint32 x86_signature(guint family, guint model, guint stepping);
X86Signature x86_signature_parts(guint32 signature); /* .steppings: the number of the stepping */

#define X86_ANY_POLICY (-1)
/* The features that CPU has by POLICY (a CpuPolicy); REQUIRE includes its model's. X86_ANY_POLICY: all that it has once
 * what is disabled or forbidden is gone. VIR_ERR_INTERNAL_ERROR for an unknown model or feature. */
gboolean x86_bits_of(const Cpu *cpu, gboolean host, int policy, X86Bits *ret_bits, GError **error);

/* A Cpu's list of features. Setting replaces the policy of one that is there; adding does nothing then. */
CpuFeature *x86_list_find(const Cpu *cpu, const char *name);
void x86_list_set(Cpu *cpu, const char *name, CpuPolicy policy);
void x86_list_add(Cpu *cpu, const char *name, CpuPolicy policy);
void x86_list_clear(Cpu *cpu);
/* Drops those for which KEEP is FALSE. */
void x86_list_filter(Cpu *cpu, gboolean (*keep)(const CpuFeature *feature, gpointer data), gpointer data);
/* Whoever asks for MODEL is told what it once had: such a feature is listed, if only as disabled. */
void x86_list_removed(Cpu *cpu, const X86Model *model);
/* A guest is never shown these (counters of the host's resources, what the guest's own kernel switches on). */
gboolean x86_list_is_for_guests(const CpuFeature *feature, gpointer unused);
