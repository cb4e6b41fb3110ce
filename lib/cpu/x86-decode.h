/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A processor's features as the model that describes it best, and what is to be said besides. */
#include "lib/cpu/x86.h"

/* What is known of a processor. */
typedef struct {
    X86Bits bits;
    const X86Vendor *vendor; /* NULL: unknown */
    guint32 signature;       /* 0: unknown */
} X86Data;

/* A model that a hypervisor offers. */
typedef struct {
    const char *name;
    const char *const *blockers; /* features, by their names in x86.cpu, without which it cannot be had here; NULL: none */
} X86Offer;

typedef struct {
    const GArray *offers;        /* of X86Offer: no other model will do; NULL: any */
    const char *const *preferred; /* names of models; the only one is taken if it can be; NULL: none */
    gboolean host;               /* for a host's document, where nothing can be disabled */
    gboolean forbid;             /* the preferred model or none */
    gboolean migratable;         /* leave out what does not migrate */
} X86Decode;

const X86Offer *x86_offer(const GArray *offers, const char *name); /* NULL: not offered */

/* Into CPU: model (name only), vendor and features, in place of what it has. VIR_ERR_INTERNAL_ERROR if nothing fits. */
gboolean x86_decode(const X86Data *data, const X86Decode *how, Cpu *cpu, GError **error);
