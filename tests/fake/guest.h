/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The fake driver's guest: a process that sleeps. It outlives the daemon; the next one finds it by its environment, which
 * names its run folder, so that not even kill -9 between fork and record can orphan it.
 */
#include "lib/driver/driver.h"
#include "lib/process.h"

typedef struct {
    const DriverHost *host;
    GMutex lock; /* the pointer to a domain's Guest */
    gint kills;  /* atomic: how often somebody tried */
} Fake;

typedef struct {
    gatomicrefcount refs;
    Fake *fake;
    Vm *vm; /* which owns this one */
    pid_t pid;
    int pidfd;
    sd_event_source *death; /* event loop; NULL once it was seen */
    gint detail, reason;    /* atomic: what its end will be called */
} Guest;

/* Starts the process and watches it. */
Guest *guest_start(Fake *fake, Vm *vm, GError **error);
/* Finds the process of VM's folder and watches it; NULL if there is none. */
Guest *guest_find(Fake *fake, Vm *vm);

Guest *guest_ref(Guest *guest);
void guest_unref(gpointer guest); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guest_unref)

/* Reports nothing any more. Not on the event loop. */
void guest_forget(Guest *guest);

/* Forgets it and drops the reference: the run is over, or the daemon ends and the guest does not. Not on the event loop. */
void guest_let_go(gpointer guest);

/* Kills it and waits for its end; what is reported says DETAIL and REASON. FALSE if it is still there after SECONDS. */
gboolean guest_end(Guest *guest, int detail, int reason, guint seconds);
