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
/* The same of all but devices, which are gone. QEMU may need the rest for a moment more without saying so: what cannot be
 * undone is tried again for PATIENCE, in microseconds. */
void parts_undo_behind(Qmp *qmp, const GPtrArray *parts, gint64 patience);

/* Those descriptors that were passed by name, from number FIRST on, and that nobody took: after a restart of the daemon. */
void parts_forget_fds(Qmp *qmp, int first);
