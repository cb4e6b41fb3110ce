/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* This host's processor, asked by CPUID and, for what it says of its faults, a model specific register. */
#include "lib/cpu/x86-decode.h"

/* Whom to ask. Any of these may be a test's. */
typedef struct {
    /* REGS: eax and ecx in, eax to edx out. */
    void (*cpuid)(guint32 regs[4], gpointer data);
    gboolean (*msr)(guint32 index, guint64 *ret_value, gpointer data); /* FALSE: cannot be read */
    gpointer data;
} X86Source;

void x86_host_read(const X86Source *source, X86Data *ret_data);

/* The same of this host, asked once in the life of the process. FALSE: it is no x86. Any thread. */
gboolean x86_host(X86Data *ret_data);

/* As a host's, or a guest's that is not filtered by any hypervisor; NULL with ERROR if nothing fits. */
Cpu *x86_host_cpu(gboolean host, GError **error);
