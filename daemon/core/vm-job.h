/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a domain is at that a client can watch and end: a save or a dump. One at a time, since both are operations of the
 * domain's queue. Who watches or ends it does not wait for that queue.
 */
#include "daemon/core/vm.h"

/* OPERATION is a virDomainJobOperation. FIGURES: it ends with figures that are kept, and told of. On the domain's queue, as
 * are all up to vm_job_end(). */
void vm_job_begin(Vm *vm, int operation, gboolean figures);

/* The driver is at it from now on. FALSE with VIR_ERR_OPERATION_ABORTED: a client has ended it. */
gboolean vm_job_enter(Vm *vm, GError **error);

/* The driver has failed: if a client wanted it, *ERROR becomes that, and TRUE is returned. */
gboolean vm_job_explain(Vm *vm, GError **error);

/* The driver is done, and it cannot be ended any more. FALSE with VIR_ERR_OPERATION_ABORTED: a client has ended it before. */
gboolean vm_job_done(Vm *vm, GError **error);

void vm_job_end(Vm *vm);

/* A client has ended it. Any thread. */
gboolean vm_job_aborted(Vm *vm);

/* --- pool threads --- */

/* Whether there is one. */
gboolean vm_job_is(Vm *vm);

/* Its figures by libvirt's names; NULL without an error if there is none. BUDGET: microseconds. */
Params *vm_job_figures(Vm *vm, guint64 budget, GError **error);

/* Those of the last one that succeeded, which are forgotten unless KEEP; NULL if there are none, or one is under way. */
Params *vm_job_last(Vm *vm, gboolean keep);

/* VIR_ERR_OPERATION_INVALID if there is nothing that could be ended. */
gboolean vm_job_abort(Vm *vm, GError **error);
