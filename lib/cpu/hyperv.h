/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What of Hyper-V this host's KVM can show a guest: KVM_GET_SUPPORTED_HV_CPUID (Documentation/virt/kvm/api.rst). */
#include <glib.h>

/* FEATURE has libvirt's name ("vpindex"). What needs nothing of the kernel is always there. Asked once in the life of the
 * process, does not block. Any thread. */
gboolean hyperv_has(const char *feature);
