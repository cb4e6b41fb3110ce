/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors of programs beside QEMU, as packages of the host leave them. */
#include <string.h>

#include "driver-kvm/virtiofs.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length)
{
    g_autofree char *text = g_strndup((const char *)data, length);
    g_autofree char *program = virtiofs_program(text, length);

    if (program && program[0] != '/')
        __builtin_trap();
    return 0;
}
