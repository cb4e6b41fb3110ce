/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which QEMU a client means, on which machine, by what accelerator: the four words with which libvirt's API names that. */
#include "driver-kvm/caps-cache.h"

typedef struct {
    Caps *caps;
    const CapsMachine *machine;
    CapsAccel accel;
} Hypervisor;

/* Every word may be NULL: what this driver would take by itself. VIR_ERR_INVALID_ARG or VIR_ERR_CONFIG_UNSUPPORTED in
 * libvirt's words. */
gboolean hypervisor_find(CapsCache *cache, const char *emulator, const char *arch, const char *machine, const char *type,
                         Hypervisor *ret_hypervisor, GError **error);
void hypervisor_clear(Hypervisor *hypervisor);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Hypervisor, hypervisor_clear)
