/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Parts of a QEMU that runs. All block. */
#include "driver-kvm/argv.h"
#include "driver-kvm/part.h"
#include "driver-kvm/qmp.h"

/* Makes all, with the descriptors of CONTEXT (NULL: there are none), or none. */
gboolean parts_make(Qmp *qmp, const GPtrArray *parts, const ArgvContext *context, GError **error);

/* The commands of CONTEXT, which come after. */
gboolean parts_run_commands(Qmp *qmp, const ArgvContext *context, GError **error);

/* Undoes the first N of PARTS, the last first. What cannot be undone is left. */
void parts_undo(Qmp *qmp, const GPtrArray *parts, guint n);
/* The same but for devices, which are gone. */
void parts_undo_behind(Qmp *qmp, const GPtrArray *parts);
