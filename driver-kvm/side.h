/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Processes that run beside a guest's QEMU and belong to it: they are started before it, live on when the daemon ends, and are
 * ended when the guest is cleaned up.
 *
 * Each goes through the launcher like QEMU, and is found again in the same way: below the run's folder, side/NAME.lock is a lock
 * that only it can hold, and side/NAME.pid says who it is. So what an earlier daemon started is neither lost nor taken for
 * somebody else.
 */
#include "driver-kvm/guest.h"

typedef struct {
    const char *name;        /* what it serves: "tpm0"; part of file names */
    const char *const *argv; /* argv[0] is the path */
    const ProcessIds *ids;   /* as whom it runs; NULL: as we do, with all our rights, which it gives up by itself */
    const ProcessFd *fds;    /* borrowed; numbers are LAUNCH_FIRST_FREE and above */
    guint n_fds;
} SideSpec;

/* Returns when the program runs. VIR_ERR_OPERATION_ABORTED if the guest is to be killed. Domain's queue. */
gboolean side_start(Guest *guest, const SideSpec *spec, GError **error);

/* Ends the one that serves NAME, if there is one, and forgets it. Returns when it has ended. Any thread but a loop's. */
void side_stop(Guest *guest, const char *name);

/* Finds those that an earlier daemon started. */
void side_find(Guest *guest);

/* Lets go of all; they live on. Any thread but a loop's. */
void side_forget(Guest *guest);

/* Ends all, known or not. Returns when they have ended. Any thread but a loop's. */
void side_end(Guest *guest);
