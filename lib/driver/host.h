/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a driver may ask of the daemon: the other half of driver.h. The daemon fills one DriverHost and hands it to
 * Driver.open; it lives as long as the driver.
 */
#include <glib.h>
#include <sys/types.h>
#include <libvirt/libvirt.h>
#include "lib/loop.h"
#include "lib/model/model.h"
#include "lib/params.h"
#include "lib/secret-value.h"

typedef struct Vm Vm; /* the daemon's domain object; a driver only passes it back */

/* What is known of a domain at one instant: immutable and reference-counted, so that a reader never waits. */
typedef struct VmView {
    gatomicrefcount refs;
    int id;               /* -1: not running */
    guint64 run;          /* which run it is, never one again as long as the daemon lives; 0: not running */
    int state;            /* virDomainState */
    int reason;           /* the state's own reason enumeration */
    Domain *live;         /* what runs now; NULL when not running (a transient domain that ended keeps it) */
    Domain *next;         /* what starts next time; NULL for a transient domain */
    Domain *former;       /* what `next` was before it was undefined during this run; for showing; else NULL */
    gboolean autostart;
    gboolean autodestroy; /* ends with the connection that started it */
    gboolean updated;     /* `next` changed since the start */
    gboolean responsive;  /* FALSE once the monitor missed a deadline */
    gboolean managed_save;
    gint64 state_since;   /* microseconds, g_get_real_time() */
} VmView;

VmView *vm_view_ref(VmView *view);
void vm_view_unref(VmView *view); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmView, vm_view_unref)

/* The definition a reader means by "the domain": live if running, else next. Borrowed from VIEW. */
static inline const Domain *vm_view_def(const VmView *view) { return view->live ? view->live : view->next; }

/* Not one of libvirt's: what a hypervisor's monitor tells, as it is. */
#define EVENT_MONITOR 1000

/* Something that happened to a domain. ID is a virDomainEventID, or EVENT_MONITOR, and picks the member; strings are borrowed. */
typedef struct {
    int id;
    union {
        struct { int event, detail; } lifecycle;
        struct { gint64 offset; } rtc_change;
        struct { int action; } watchdog;
        struct { const char *src_path, *dev_alias, *reason; int action; } io_error; /* ..._IO_ERROR_REASON sends both */
        struct { int phase; int local_family, remote_family; const char *local_node, *local_service, *remote_node,
                 *remote_service, *auth_scheme; const char *const *identities; /* type, name, type, name, NULL */ } graphics;
        struct { const char *old_path, *new_path, *dev_alias; int reason; } disk_change;
        struct { const char *dev_alias; int reason; } tray_change;
        struct { int reason; } pm;
        struct { guint64 actual; } balloon_change;
        struct { const char *dev_alias; } device; /* added, removed, removal failed */
        struct { int state, reason; } agent;
        struct { int type; const char *ns_uri; } metadata;
        struct { int recipient, action; guint flags; } memory_failure;
        struct { const char *alias; guint64 size; } memory_device_size; /* KiB */
        struct { int iteration; } migration_iteration; /* of a save or a dump too */
        struct { const char *path; const char *dst; int type, status; } block_job;
        struct { const char *dev, *path; guint64 threshold, excess; } block_threshold;
        struct { const Params *params; } job; /* completed */
        struct { const char *name, *details; gint64 when; } monitor; /* EVENT_MONITOR: details are JSON or NULL; microseconds */
        struct { const Params *params; } tunable; /* in the place of job's */
    };
} VmEvent;

/* Folders, absolute, all below the daemon's root where --root was given; they exist before Driver.open. */
typedef struct {
    const char *run;      /* /run/duovirt            gone after a boot */
    const char *state;    /* /var/lib/duovirt        stays; also guests' private files */
    const char *cache;    /* /var/cache/duovirt      may be deleted at any time */
    const char *log;      /* /var/log/duovirt */
    const char *launcher; /* the duovirt-launch program itself */
    const char *probe;    /* the duovirt-probe program itself */
} DriverPaths;

/* Edits a private copy of the live definition; FALSE with ERROR abandons the edit. Must not block. */
typedef gboolean (*VmEdit)(Domain *live, gpointer data, GError **error);

/* Which secret is meant: that with UUID (16 octets), or, where UUID is NULL, that of kind TYPE which is for USAGE. Borrowed. */
typedef struct {
    SecretUsageType type; /* what it has to be for, in both cases */
    const guint8 *uuid;
    const char *usage;
} SecretWish;

/* Where a volume of a storage pool is. */
typedef struct {
    StorageType type; /* file, block or dir */
    char *path;       /* owned by whoever asked */
} VolumePlace;

/* A DETAIL for DriverHost.stopped beside libvirt's: the guest wants to reboot and this hypervisor needs a new run for that. */
#define HOST_STOPPED_REBOOT (-1)

typedef struct DriverHost {
    const DriverPaths *paths;
    Loop *loop; /* the event loop */

    /* Value of KEY in the configuration file's section of this driver ("user", "group", "vnc_listen"); NULL: not set. */
    const char *(*config)(const char *driver, const char *key);

    /* All below: any thread. */
    VmView *(*view)(Vm *vm); /* a new reference, never NULL */
    const char *(*uuid)(Vm *vm); /* text form; constant for the life of VM */
    Vm *(*ref)(Vm *vm);
    void (*unref)(Vm *vm);

    /* The driver's own data of the run, set in start or reconnect, dropped in cleanup. The setter frees the old one. */
    gpointer (*get_private)(Vm *vm);
    void (*set_private)(Vm *vm, gpointer data, GDestroyNotify destroy);

    /* The run's number is the hypervisor's from now on. */
    gboolean (*set_id)(Vm *vm, int id, GError **error);

    /* Publishes a new run state. No event is sent: the one who knows the cause calls emit. */
    void (*set_state)(Vm *vm, int state, int reason);
    void (*set_responsive)(Vm *vm, gboolean responsive);
    gboolean (*edit_live)(Vm *vm, VmEdit edit, gpointer data, GError **error);

    /* Writes the run record (state, ids, live definition, Driver status) to disk; returns when a kill -9 can no longer
     * lose it. */
    gboolean (*save_status)(Vm *vm, GError **error);

    /* The guest's process is gone. DETAIL is a virDomainEventStoppedDetailType, REASON a virDomainShutoffReason. The
     * daemon publishes the end, sends the event, removes the record and queues cleanup. Called once per run by the
     * driver that noticed; later calls for the same run are ignored. */
    void (*stopped)(Vm *vm, int detail, int reason);

    /* A client wants the save or dump under way to end. Asked once more when a driver has begun one: what was wished for
     * before that, DriverSaveOps.abort could not do. */
    gboolean (*aborted)(Vm *vm);

    void (*emit)(Vm *vm, const VmEvent *event);

    /* Duplicates of the open files that a client has left with VM as NAME, in an array to free; NULL: nobody has. Does not block. */
    int *(*fd_group)(Vm *vm, const char *name, guint *ret_n);

    /* The value of the secret that is meant, private ones' too; the caller's, who frees it as soon as it has been used. It must not come
     * to be in a log, an error, a file or a command line. VIR_ERR_NO_SECRET: there is no such secret, or it has no value;
     * VIR_ERR_INVALID_ARG: it is for something else. Reads a file. */
    SecretValue *(*secret)(const SecretWish *wish, GError **error);

    /* The volume of that name in the pool of that name. VIR_ERR_NO_STORAGE_POOL, VIR_ERR_NO_STORAGE_VOL; VIR_ERR_CONFIG_UNSUPPORTED: the
     * pool is not active. Never waits. */
    gboolean (*volume)(const char *pool, const char *volume, VolumePlace *ret_place, GError **error);

    /* One line to the log, with the domain's name before it. PRIORITY as in syslog(3). VM may be NULL. */
    void (*log)(Vm *vm, int priority, const char *text);
} DriverHost;
