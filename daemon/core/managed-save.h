/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The file that a domain's next start goes on from. On the domain's queue. */
#include "daemon/core/run.h"

/* There is one now; it is on the disk. */
void managed_save_made(Vm *vm);

/* Forgets it, if there is one. */
gboolean managed_save_remove(Vm *vm, GError **error);

/* Has START run VM from it (START may change HOW, and whether the guest is paused at first), and forgets it then. One whose
 * save never ended is forgotten, and VM boots. */
typedef gboolean (*ManagedSaveStart)(Vm *vm, RunStart *how, gpointer data, GError **error);
gboolean managed_save_start(Vm *vm, gboolean bypass_cache, ManagedSaveStart start, gpointer data, GError **error);
