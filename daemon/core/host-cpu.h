/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The host's processors: what they are, what they have done. (Where they sit: host-topology.h.)
 *
 * ROOT is put before the paths of the kernel's files ("" on the real host). Any thread.
 */
#include <glib.h>

/* The clock frequency in MHz that the kernel tells; 0 if it does not. */
guint host_cpu_mhz(const char *root);

typedef struct {
    guint64 kernel, user, idle, iowait; /* nanoseconds since the boot */
} HostCpuTimes;

/* CPU -1: all together. FALSE: no such CPU. */
gboolean host_cpu_times(const char *root, int cpu, HostCpuTimes *ret_times);

/* What a CPU model is recognized by. x86 only: FALSE elsewhere. VENDOR is libvirt's name ("AMD") or "". */
typedef struct {
    char vendor[16];
    guint64 microcode; /* 0: unknown */
    guint family, model, stepping;
    guint physical_bits; /* 0: unknown */
} HostCpuIdentity;

gboolean host_cpu_identity(const char *root, HostCpuIdentity *ret_identity);

/* The frequency in Hz at which a guest's time stamp counter runs by default, and whether it can be scaled. FALSE
 * where KVM does not tell. Asks KVM once in the life of the process. */
gboolean host_cpu_tsc(guint64 *ret_frequency, gboolean *ret_scaling);
