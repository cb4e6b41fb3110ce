/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the parts of a run's life share: run.c (how they fit together, and starting), run-kill.c, run-end.c, run-adopt.c. */
#include "daemon/core/run.h"

/* How far a run has come: what there is to clean up. */
typedef enum {
    RUN_BEGUN,    /* nothing outside this process */
    RUN_RECORDED, /* its folder is there */
    RUN_DRIVEN,   /* the driver had a hand in it */
} RunExtent;

void run_set_phase(Vm *vm, VmPhase phase);

/* For VmView.run. */
guint64 run_new_number(void);

/* From STARTING on; an end that came in the meantime is dealt with now. */
void run_become_running(Vm *vm);

/* The end of a run that never became one. On the queue, in STARTING. FALSE: its process cannot be ended, so the run stays,
 * marked unresponsive. */
gboolean run_undo(Vm *vm, RunExtent extent, int reason);

/* On the queue: does what an end has left to do, if there is such an end; who is on the queue when the end is published
 * may come to start the domain before that has its turn. RET_AGAIN (may be NULL): the end asks for another run. */
gboolean run_settle(Vm *vm, gboolean *ret_again);

/* A domain that was there for its run only is seen no more. */
void run_hide_if_transient(Vm *vm);

/* As run_stopped, of the run RUN only. */
void run_stopped_at(Vm *vm, guint64 run, int detail, int reason);
