/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The abilities of every QEMU binary that was asked for, in memory and on disk.
 *
 * A binary is probed when somebody first wants to know, once however many want to know at the same time, and again when
 * it is another file, another kernel runs, or /dev/kvm became usable or ceased to be. Any thread; the first question
 * about a binary blocks for CAPS_PROBE_DEADLINE at most.
 */
#include "driver-kvm/caps.h"
#include "lib/process.h"

typedef struct CapsCache CapsCache;

/* FOLDER: where it is kept (made where missing). PROBE: the duovirt-probe program. IDS: as whom QEMU will run; borrowed for
 * the life of the cache; may be NULL. */
CapsCache *caps_cache_new(const char *folder, const char *probe, const ProcessIds *ids);
void caps_cache_free(CapsCache *cache); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CapsCache, caps_cache_free)

/* A new reference. NULL with VIR_ERR_SYSTEM_ERROR (no such file) or what caps_probe() said. */
Caps *caps_cache_get(CapsCache *cache, const char *binary, GError **error);
