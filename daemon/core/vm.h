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
#include "lib/error.h"

typedef struct Registry Registry; /* daemon/core/registry.h */
typedef struct VmJob VmJob;       /* daemon/core/vm-job.h */

typedef struct DriverInstance { /* a loaded driver: one per module, lives as long as the daemon */
    const Driver *driver;
    gpointer self;
    Registry *registry;       /* its domains */
    virErrorDomain from;      /* of the errors that the daemon itself makes about its domains */
} DriverInstance;

/* Where a run stands (run.c). */
typedef enum {
    VM_IDLE,
    VM_STARTING, /* the start operation owns the run: an end is only noted */
    VM_RUNNING,
    VM_ENDING,   /* somebody publishes the end just now */
    VM_ENDED,    /* published as inactive; the driver's cleanup waits for its turn in the queue */
} VmPhase;

typedef struct {
    gboolean noted;  /* the rest means something */
    gboolean wanted; /* somebody killed it */
    gboolean again;  /* the domain is to be started again: decided when the end is published */
    int detail;     /* virDomainEventStoppedDetailType, or HOST_STOPPED_REBOOT */
    int reason;     /* virDomainShutoffReason */
} VmEnd;

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
    const char *operation; /* what the queue is doing now, for messages; NULL if idle; static */
    gint64 operation_since;
    VmJob *job;       /* what clients can watch and end; NULL: nothing */
    Params *last_job; /* figures of the last one that succeeded; NULL: none, or a client has taken them */
    gboolean removed; /* no longer in the registry */
    gboolean host;    /* it is no guest: the host is one of its hypervisor's domains; constant from the first listing on */
    VmPhase phase;
    VmEnd end;        /* the driver saw the end while the start operation was at it */
    VmEnd wanted_end; /* somebody is killing it: what that is called, whatever the driver sees */
    guint killers;    /* how many are at that */
    gpointer owner;   /* the connection whose end ends this run (autodestroy); compared only */
    GDestroyNotify owner_release;
    Domain *ended; /* what the run that is cleaned up now had been; for hooks */

    GHashTable *fd_groups; /* what fd-groups.c keeps by name; NULL: nothing */
    int agent_timeout; /* of its guest's agent: seconds, or virDomainAgentResponseTimeoutValues */
    guint taints;      /* of VmTaint; of this run */

    GMutex record_lock; /* held while the run record is written, before `lock` */
    GMutex edit_lock;   /* held while the live definition is edited, before `lock` */
    gpointer sampler; /* its last figures (sampler.h); NULL: nobody asked yet */
    GDestroyNotify sampler_destroy;
};

/* A domain of INSTANCE with the UUID and, until the first publish, the shape of DEFINITION (taken over): as its next
 * definition if PERSISTENT, else as the live one of a run that is about to begin. */
Vm *vm_new(const DriverInstance *instance, Domain *definition, gboolean persistent);
Vm *vm_ref(Vm *vm);
void vm_unref(Vm *vm); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Vm, vm_unref)

VmView *vm_view(Vm *vm); /* a new reference, never NULL */

/* CHANGE edits a shallow copy of the current view (its pointers are references of the copy: replace one by unref and
 * assign), which then becomes the view. Any thread; CHANGE must not block. */
typedef void (*VmChange)(VmView *view, gpointer data);
void vm_publish(Vm *vm, VmChange change, gpointer data);

/* A virDomainState and its reason, with the time, of the run. Nothing if there is none. */
void vm_publish_state(Vm *vm, int state, int reason);
/* One that runs does so for REASON (virDomainRunningReason) from now on. */
void vm_publish_went_on(Vm *vm, int reason);
/* What starts next time (taken over; NULL: it becomes transient). */
void vm_publish_next(Vm *vm, Domain *next);

/* The driver's data of the run: DriverHost.set_private. */
void vm_set_private(Vm *vm, gpointer data, GDestroyNotify destroy);

/* Waits until the domain is not running or DEADLINE (g_get_monotonic_time()) has passed; FALSE then. */
gboolean vm_wait_inactive(Vm *vm, gint64 deadline);

/* One line to the log with VM's name before it, and the call's that the thread works for. */
void vm_log(Vm *vm, int priority, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* VM's run is tainted from now on; said in the log once. FALSE: it was already; else its record is to be saved. */
gboolean vm_taint(Vm *vm, VmTaint taint);

/* What the queue is doing now, for messages. NAME (static); NULL: nothing. */
void vm_set_operation(Vm *vm, const char *name);

/* Who can be asked: an error each, said as libvirt does, if the domain is not (or is) running, or no longer there. Where
 * the monitor is needed, also if it stopped answering. */
gboolean vm_check_active(Vm *vm, GError **error);
gboolean vm_check_inactive(Vm *vm, GError **error);
gboolean vm_check_present(Vm *vm, GError **error);
gboolean vm_check_monitor(Vm *vm, GError **error);
/* It is a guest: the host itself can be neither ended nor paused, saved or defined. */
gboolean vm_check_guest(Vm *vm, GError **error);
