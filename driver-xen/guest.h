/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * One run of a domain, from its first moment in the hypervisor to its last. The daemon's queue makes and drops it; the
 * watcher's thread (watch.h) tells it what happens.
 */
#include "driver-xen/context.h"

typedef struct Xen Xen;

typedef struct {
    gatomicrefcount refs;
    Xen *xen;
    Vm *vm; /* a reference */
    guint32 domid;
    libxl_evgen_domain_death *death; /* the watcher's */
    Context *saver;                  /* of a save that is under way; under Xen.lock */
    int model;                       /* a pidfd of its hardware's process, if that is watched; -1 */
    sd_event_source *model_death;    /* of the event loop */
    gint ending;                     /* atomic: somebody is at its end */
} Guest;

Guest *guest_new(Xen *xen, Vm *vm, guint32 domid);
Guest *guest_ref(Guest *guest);
void guest_unref(Guest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guest_unref)

/* The run of VM, a new reference; NULL: it has none. */
Guest *guest_of(Xen *xen, Vm *vm);

/* The same, where one is needed, and a context to ask with. */
Guest *guest_need(Xen *xen, Vm *vm, Context **ret_context, GError **error);

/* The number that the hypervisor has VM by, found by its UUID. FALSE: it has none, or (with ERROR) that cannot be found out. */
gboolean guest_find(Context *context, Vm *vm, guint32 *ret_domid, GError **error);

/* It has suspended itself for a save. */
gboolean guest_is_suspended(Context *context, guint32 domid);

/* It runs: from its first moment, a pause, or a save that came to nothing. */
gboolean guest_unpause(Context *context, guint32 domid, GError **error);

/* Takes domain DOMID out of the hypervisor. Returns when it is gone; harmless if there is none. */
gboolean guest_destroy(Context *context, guint32 domid, GError **error);
