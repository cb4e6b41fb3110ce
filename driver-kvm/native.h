/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A definition as the command that would start its guest (DriverDefinitionOps.to_native). */
#include "lib/model/model.h"

/* "qemu-argv": environment, emulator and arguments, as a shell reads them. */
extern const char *const native_formats[];

char *native_command(gpointer self, const char *format, const Domain *def, GError **error);
