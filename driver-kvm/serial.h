/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which serial ports there are, and on which machines. Any thread. */
#include "lib/model/model.h"

/* Fills in kind and model, from the machine and from each other. */
void serial_complete(const Domain *def, Chardev *serial);

/* That kind, model and address belong together and to the machine. */
gboolean serial_validate(const Domain *def, const Chardev *serial, GError **error);

/* QEMU's device; NULL: the board has it. */
const char *serial_driver(const Chardev *serial);

/* A machine has four ISA ports: those that ask for a number get it, the others what is left. */
gboolean serial_number_isa(Domain *def, GError **error);
