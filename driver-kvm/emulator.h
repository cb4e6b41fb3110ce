/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The QEMU binaries of this host. */
#include <glib.h>

typedef struct {
    const char *arch; /* libvirt's name */
    guint bits;
    char *path;
} Emulator;

/* of Emulator, in libvirt's order of architectures */
GPtrArray *emulator_all(void);
/* To free. VIR_ERR_INVALID_ARG for an architecture that does not exist, VIR_ERR_CONFIG_UNSUPPORTED if nothing here
 * emulates it. */
char *emulator_of_arch(const char *arch, GError **error);
char *emulator_of_host(GError **error);
const char *emulator_host_arch(void); /* libvirt's name */
const char *emulator_arch_name(const char *target); /* libvirt's name of what QEMU calls TARGET */
gboolean emulator_serves(const char *binary,
                         const char *arch); /* a QEMU for BINARY runs guests of ARCH; libvirt's names */
