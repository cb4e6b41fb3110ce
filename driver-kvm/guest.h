/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A run of a guest as this driver knows it: QEMU's process, its monitor, and what the next event will mean. (vm.h would
 * be its usual name, but Vm is the daemon's word.)
 *
 * One hand at a time writes most of it, but three look at it: the domain's queue, the event loop, pool threads. So
 * fields under `lock` are for all; the lock is never held while waiting. Whoever wants a guest gets a reference; the
 * table in Kvm holds one from guest_obtain() to guest_forget().
 */
#include "driver-kvm/agent.h"
#include "driver-kvm/kvm.h"
#include "driver-kvm/qmp.h"

#define GUEST_AGAIN_FIRST G_USEC_PER_SEC

typedef enum {
    JOB_NONE,
    JOB_UNDER_WAY,
    JOB_DONE,
    JOB_FAILED,
} JobState;

struct Guest {
    gatomicrefcount refs;
    Kvm *kvm;
    Vm *vm; /* a reference */
    int run; /* the domain's id in this run; constant */
    char *folder;  /* run/domains/UUID */
    char *private_dir; /* below it: QEMU's own */
    Agent *agent;      /* constant; agent.h */

    GMutex lock;
    GCond changed; /* signalled after each change of what stands below */
    Domain *live;      /* the last that is known; for cleaning up when the daemon has dropped its own */
    Process process;   /* pid 0: none */
    guint64 start_time;
    gboolean child;    /* ours to wait for */
    gboolean ours;     /* nobody but our start makes its process: there is none to be found */
    gboolean doomed;   /* to be killed: no process may be made any more */
    gboolean gone;     /* the process has ended */
    gboolean adopted;  /* found after a restart of the daemon: its state is not known before it answers */
    Qmp *qmp;          /* NULL: not connected */
    gboolean ready;    /* the monitor has answered once */
    char *lost_why;    /* why the connection to the monitor ended last; NULL: never */
    GSList *sides;     /* of Side * (side.c) */
    GArray *threads;   /* of gint64: host thread of each virtual CPU */
    GHashTable *counters; /* PerfEventName -> descriptor; NULL: none */
    /* what the next events mean */
    char *leaving;     /* alias of the device that is waited for to go; NULL: none, or the guest keeps it */
    int pause_reason;  /* virDomainPausedReason of the next STOP */
    int run_reason;    /* virDomainRunningReason of the next RESUME */
    gboolean fake_reboot; /* the guest's next power-off is a reboot */
    gboolean boots_again; /* it has powered off and is being reset: the STOP of that says nothing */
    gboolean shut_down;   /* SHUTDOWN came: what ends now ends well */
    gboolean panicked;
    gboolean finished;    /* saved or dumped for good: its end is expected, and nobody is to hear how QEMU takes it */
    JobState migration, dump; /* at most one of them is not JOB_NONE */
    gint64 job_stopped;       /* when the guest was made to stand still for it; 0: it was not */
    char *job_error;

    /* loop only */
    sd_event_source *death, *again;
    guint64 again_after; /* microseconds, until the monitor is connected once more */
    gboolean crash_dump; /* the dump under way is of a crash */
    gboolean lost;       /* the clients were told that the monitor is gone */
};

/* The guest of VM's run (also of one that has just ended), a new reference; made and put into the table if nobody has done
 * so yet. One of an earlier run is forgotten. */
Guest *guest_obtain(Kvm *kvm, Vm *vm);
Guest *guest_ref(Guest *guest);
void guest_unref(Guest *guest); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guest_unref)

Guest *guest_lookup(Kvm *kvm, Vm *vm); /* a new reference; NULL if there is none */
/* The same; VIR_ERR_OPERATION_INVALID if there is none or it has ended. */
Guest *guest_need(Kvm *kvm, Vm *vm, GError **error);

/* Its monitor, a new reference. VIR_ERR_OPERATION_FAILED if it has none. */
Qmp *guest_qmp(Guest *guest, GError **error);

char *guest_path(const Guest *guest, const char *name); /* in its folder; to free */

/* The process, taken over; under the lock. CHILD: it is ours to wait for. Harmless if it is known already. */
void guest_set_process(Guest *guest, Process process, gboolean child);
/* From now on its end is seen, and told to the daemon. Harmless if it is watched already. */
gboolean guest_watch(Guest *guest, GError **error);

/* Opens the monitor. Does not wait for it to answer. */
gboolean guest_connect(Guest *guest, guint64 greeting, GError **error);

/* A connected, non-blocking socket; -1 with errno. Through the folder's descriptor, since a socket's name may have 107 bytes
 * at most. */
int guest_connect_below(const char *folder, const char *name);

/* Waits until the monitor has answered; FALSE without ERROR if the guest has gone or is doomed; VIR_ERR_OPERATION_TIMEOUT. */
gboolean guest_wait_ready(Guest *guest, gint64 deadline, GError **error);

/* Waits until *JOB is done. FALSE with what QEMU said, or that the guest has gone. */
gboolean guest_wait_job(Guest *guest, const JobState *job, gint64 deadline, GError **error);
void guest_set_job(Guest *guest, JobState *job, JobState state, const char *why);

/* The live definition, a new reference. */
Domain *guest_live(Guest *guest);
/* DriverHost.edit_live, and Guest.live follows. */
gboolean guest_edit(Guest *guest, VmEdit edit, gpointer data, GError **error);

/* Lets go of monitor, process and loop, and leaves the table. Any thread but the loop's. */
void guest_forget(Guest *guest);

/* The kernel's view of who holds the folder's lock: the guest's process. FALSE: nobody does. VIR_ERR_INTERNAL_ERROR if
 * somebody does who cannot be found. */
gboolean guest_find_process(const char *folder, Process *ret_process, GError **error);
/* The same for any LOCK, and the file PIDFILE that names its holder. */
gboolean guest_find_holder(const char *lock, const char *pidfile, Process *ret_process, GError **error);

/* qmp-event.c: what QEMU tells. Loop thread. */
void guest_on_event(const char *name, JsonObject *data, gint64 when, gpointer guest);
/* After the monitor came (back): brings the published state in line with QEMU's. */
void guest_ask_state(Guest *guest);
