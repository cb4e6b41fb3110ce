/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors of firmware and of programs beside QEMU, as packages of the host leave them. */
#include "driver-kvm/firmware.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strndup((const char *)data, length); /* files are read with an end to them */
    g_autoptr(Firmware) firmware = firmware_parse(text, length, &error);

    if (!firmware == !error)
        __builtin_trap();
    if (firmware && (!firmware->path || firmware_suits(firmware, "x86_64", "pc-q35-7.2") > TRUE))
        __builtin_trap();
    return 0;
}
