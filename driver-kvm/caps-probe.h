/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Asks a QEMU binary what it can do. */
#include <glib.h>
#include "lib/process.h"

/* Long enough for a binary that must first be read from a slow disk, by a host that has just booted and does much else. */
#define CAPS_PROBE_DEADLINE (40 * G_USEC_PER_SEC)

/* Starts BINARY (absolute) as IDS (NULL: as ourselves), asks, ends it. The answer is what caps_parse() reads, to free. NULL
 * with VIR_ERR_INTERNAL_ERROR and what the binary said. Blocks, CAPS_PROBE_DEADLINE at most. TRY_KVM: /dev/kvm is
 * there and works. */
char *caps_probe(const char *binary, const ProcessIds *ids, gboolean try_kvm, GError **error);

/* The types whose properties are asked for, NULL terminated (caps-types.c). */
extern const char *const caps_types[];
