/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A domain: its published view, its queue, its driver's private data.
 *
 * Readers take vm_view() and never wait. Run state is published by the event loop (and by the start operation),
 * definitions by the domain's queue; vm_publish() serializes the two with a lock that is never held across I/O.
 */
#include "daemon/core/queue.h"
#include "lib/driver/driver.h"

typedef struct DriverInstance { /* a loaded driver: one per module, lives as long as the daemon */
    const Driver *driver;
    gpointer self;
} DriverInstance;

struct Vm {
    gatomicrefcount refs;
    guint8 uuid[16];
    char uuid_text[37];
    const DriverInstance *instance;
    Queue *queue;

    GMutex lock; /* all below; never held across I/O or a call out */
    GCond changed; /* signalled after each publish */
    VmView *view;
    gpointer private_data;
    GDestroyNotify private_destroy;
    char *operation; /* what the queue is doing now, for messages; NULL if idle */
    gint64 operation_since;
    gboolean removed; /* no longer in the registry */
};

/* A domain with DEFINITION (taken over) as its next definition, or, if TRANSIENT, none until it starts. */
Vm *vm_new(const DriverInstance *instance, const Domain *definition);
Vm *vm_ref(Vm *vm);
void vm_unref(Vm *vm); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Vm, vm_unref)

VmView *vm_view(Vm *vm); /* a new reference, never NULL */

/* CHANGE edits a shallow copy of the current view (its pointers are references of the copy: replace one by unref and
 * assign), which then becomes the view. Any thread; CHANGE must not block. */
typedef void (*VmChange)(VmView *view, gpointer data);
void vm_publish(Vm *vm, VmChange change, gpointer data);

/* Waits until the domain is not running or DEADLINE (g_get_monotonic_time()) has passed; FALSE then. */
gboolean vm_wait_inactive(Vm *vm, gint64 deadline);
