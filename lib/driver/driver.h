/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the daemon asks of a hypervisor driver. What a driver may ask back is in host.h; the two headers together are
 * the whole contract.
 *
 * A driver is a module (duovirt-driver-NAME.so) that exports one symbol, DRIVER_ENTRY, a const Driver. The header is
 * internal to one build: a module whose `build` differs from the daemon's DRIVER_BUILD is refused.
 *
 * A driver offers several small tables. A NULL table, or a NULL slot in one, means "not offered": the daemon answers
 * VIR_ERR_NO_SUPPORT. Only `open`, `close`, `definition`, and `run` with start, kill, cleanup and reconnect are
 * mandatory. tests/fake/driver.c is the smallest complete driver.
 *
 * Threads. "Queue" below means the domain's own queue: such a call is alone on its domain, may block, and must set
 * itself a deadline for everything it waits for. "Pool" means any thread, at the same time as a queue call on the same
 * domain; such a call must not block longer than the budget it is given. "Event loop" means host->loop: never blocks.
 *
 * Errors: FALSE or NULL with ERROR set. `ret_` parameters are written on success only.
 */
#include <glib.h>
#include <json-glib/json-glib.h>
#include <libvirt/virterror.h>
#include "lib/cpuset.h"
#include "lib/driver/host.h"
#include "lib/model/domain-device.h"
#include "lib/model/model.h"
#include "lib/params.h"
#include "lib/xml.h"

#define DRIVER_ENTRY duovirt_driver
#define DRIVER_ENTRY_NAME "duovirt_driver"

/* A hypervisor program and how it is to run guests, in the words of libvirt's API; each may be NULL (the driver's default). */
typedef struct {
    const char *emulator, *arch, *machine, *virt_type;
} DriverHypervisor;

/* A host, in the words of virNodeInfo. */
typedef struct {
    guint64 memory, free; /* KiB */
    guint cpus, mhz;
    guint nodes, sockets, cores, threads; /* sockets of a node, cores of a socket, threads of a core */
} DriverNode;

/* The driver as a whole, and this host as its guests see it. Pool. */
typedef struct {
    /* What the hypervisor knows of the host, which is more than its kernel does. NULL: it is not more. */
    gboolean (*info)(gpointer self, DriverNode *ret_node, GError **error);
    /* Hypervisor version, major * 1,000,000 + minor * 1,000 + release. */
    gboolean (*version)(gpointer self, guint64 *ret_version, GError **error);
    /* TYPE is a domain type ("kvm") or NULL for the driver's default. */
    gboolean (*max_vcpus)(gpointer self, const char *type, int *ret_max, GError **error);
    /* Writes the <guest> elements of the capabilities document. */
    gboolean (*guests)(gpointer self, XmlWriter *writer, GError **error);
    /* The domain capabilities document; every argument but SELF may be NULL (the driver's default). */
    char *(*domain_capabilities)(gpointer self, const char *emulator, const char *arch, const char *machine,
                                 const char *virt_type, GError **error);
    /* Who guests' processes run as. NULL: as the daemon does. */
    void (*owner)(gpointer self, uid_t *ret_uid, gid_t *ret_gid);
    /* A virCPUCompareResult: whether a guest can have the CPU of document XML, which must match SCHEMA (a path; NULL: no
     * matter). FAIL: that it cannot is VIR_ERR_CPU_INCOMPATIBLE. */
    int (*compare_cpu)(gpointer self, const DriverHypervisor *which, const char *xml, const char *schema, gboolean fail,
                       GError **error);
    /* The CPU that a guest can have on each of the hosts of N documents; FLAGS: virConnectBaselineCPUFlags. */
    char *(*baseline_cpu)(gpointer self, const DriverHypervisor *which, const char *const *xmls, guint n, guint flags,
                          GError **error);
} DriverNodeOps;

typedef enum {
    DRIVER_COMPLETE_DEFINE, /* a document from a client: fill in every default, assign addresses, refuse nonsense */
    DRIVER_COMPLETE_START,  /* the copy that is about to start: live-only facts (aliases, generated names) */
} DriverComplete;

/* What makes a run one that nobody can vouch for. The first two are done to it, the others in its definition. */
typedef enum {
    VM_TAINT_AGENT_COMMAND = 1,
    VM_TAINT_MONITOR_COMMAND = 2,
    VM_TAINT_ARGUMENTS = 4,  /* the hypervisor gets some that nobody here understands */
    VM_TAINT_DEPRECATED = 8, /* it uses what its hypervisor will drop */
    VM_TAINT_DEVICE = 16,    /* properties of a device are what the document says, whatever it means */
} VmTaint;

/* Meaning of a definition that only the hypervisor knows. Pool; DEF is the caller's alone. */
typedef struct {
    gboolean (*complete)(gpointer self, Domain *def, DriverComplete when, GError **error);
    /* DEF is about to be forgotten: what is kept for it beside its document goes or stays as FLAGS
     * (virDomainUndefineFlagsValues) say; or a refusal. Queue. NULL: nothing is kept. */
    gboolean (*undefine)(gpointer self, Vm *vm, const Domain *def, guint flags, GError **error);
    /* DEF's CPU as a guest that started now would get it. NULL: as it is said. */
    gboolean (*foretell_cpu)(gpointer self, Domain *def, GError **error);
    /* DEF, complete, as text in FORMAT, one of NATIVE_FORMATS (NULL terminated): what would be started. Nothing is taken of the
     * host. Both NULL: there is no such text. */
    const char *const *native_formats;
    char *(*to_native)(gpointer self, const char *format, const Domain *def, GError **error);
    /* The way back: TEXT in FORMAT as a domain's document, which is looked at like a client's. To free. NULL: there is no way back. */
    char *(*from_native)(gpointer self, const char *format, const char *text, GError **error);
    /* VmTaint bits of the live definition DEF; adds to DEPRECATED (of char *) what that is. NULL: there is nothing to be said. */
    guint (*judge)(gpointer self, const Domain *def, GPtrArray *deprecated);
} DriverDefinitionOps;

typedef struct {
    gboolean paused;          /* leave the guest paused */
    int restore_fd;           /* a saved guest's stream, positioned at its start; -1 for a fresh boot; borrowed */
    const char *restore_name; /* the file's name for messages; NULL when restore_fd is -1 */
    gboolean reset_nvram;     /* the firmware's variables are made anew */
} DriverStart;

/* A guest's life. Queue, unless a slot says otherwise. */
typedef struct {
    /* The view is already published as active: id, live definition, paused (starting up); the intent is on disk.
     * On success the guest is running or paused and host->set_state has said so. On failure the daemon calls kill and
     * cleanup (not if kill fails: then the run stays, unresponsive, to be destroyed later); the driver needs no undo of
     * its own. */
    gboolean (*start)(gpointer self, Vm *vm, const DriverStart *options, GError **error);

    /* Ends the guest without its monitor: SIGTERM first if GRACEFUL (fails with VIR_ERR_OPERATION_FAILED if it is still
     * there after 15 s), else SIGKILL. Returns when the process is gone. Pool: overtakes a queue call on the same
     * domain. Harmless if the process is gone already. */
    gboolean (*kill)(gpointer self, Vm *vm, gboolean graceful, GError **error);

    /* The process is gone: releases everything the driver holds for this run (sockets, files, taps, private data).
     * Queue, exactly once per run, also after a failed start and for a half-started record found at a restart. From its
     * return on nothing is told of this run: the next one may begin. */
    void (*cleanup)(gpointer self, Vm *vm);

    /* After a restart of the daemon: STATUS is what `status` wrote. TRUE: attached again, state published by
     * host->set_state. FALSE: no such process; the daemon calls kill and cleanup and tells the clients. */
    gboolean (*reconnect)(gpointer self, Vm *vm, GHashTable *status, GError **error);

    /* Adds to OUT (char * -> char *, both owned by it) what reconnect needs. Any thread; does not block. */
    void (*status)(gpointer self, Vm *vm, GHashTable *out);

    gboolean (*suspend)(gpointer self, Vm *vm, GError **error);
    gboolean (*resume)(gpointer self, Vm *vm, GError **error);
    gboolean (*shutdown)(gpointer self, Vm *vm, guint flags, GError **error); /* virDomainShutdownFlagValues */
    gboolean (*reboot)(gpointer self, Vm *vm, guint flags, GError **error);   /* virDomainRebootFlagValues */
    gboolean (*reset)(gpointer self, Vm *vm, GError **error);
    gboolean (*wakeup)(gpointer self, Vm *vm, GError **error); /* from sleep */

    /* Whether the hypervisor can do what DEF says for power off, reboot and crash. LIVE: the running guest does from now on. */
    gboolean (*set_actions)(gpointer self, Vm *vm, const Domain *def, gboolean live, GError **error);

    /* The domain that the host itself is, as its definition, complete and with its id; NULL without ERROR: the host is none. It is
     * given to `reconnect` with no status, and then only asked, or changed by what changes a running guest's size. Once, before
     * anything else. */
    Domain *(*host_domain)(gpointer self, GError **error);
} DriverRunOps;

/* Saving a guest to a file and its memory to a dump. Queue. */
typedef struct {
    /* Writes the guest's state to FD (borrowed) and ends with the guest paused. COMPRESSION may be NULL. */
    gboolean (*save)(gpointer self, Vm *vm, int fd, const char *path, GError **error);
    /* FORMAT is a virDomainCoreDumpFormat; FLAGS virDomainCoreDumpFlags. */
    gboolean (*dump)(gpointer self, Vm *vm, int fd, const char *path, guint format, guint flags, GError **error);

    /* Adds to PARAMS how far the save or dump is that is under way, or was just done: VIR_DOMAIN_JOB_* fields, none as long
     * as nothing is known. Pool. BUDGET as in DriverStatsOps. */
    gboolean (*progress)(gpointer self, Vm *vm, guint64 budget, Params *params, GError **error);
    /* The save or dump under way fails soon. Harmless if there is none. Pool. */
    gboolean (*abort)(gpointer self, Vm *vm, GError **error);

    /* SIZE octets of the guest's memory, to free. IS_VIRTUAL: at ADDRESS as the first virtual CPU sees it. */
    guint8 *(*peek)(gpointer self, Vm *vm, guint64 address, gsize size, gboolean is_virtual, GError **error);
} DriverSaveOps;

/* Beside virDomainStatsTypes: those of BLOCK, with a record of each image that a disk's own builds on after the disk's. */
#define DRIVER_STATS_CHAINS (1u << 29)

/* A virtual CPU that a hypervisor of its own runs. */
typedef struct {
    guint number;
    int state;   /* virVcpuState */
    int cpu;     /* the host's, that it is or was on; -1: none */
    guint64 time; /* nanoseconds */
    CpuSet *cpus; /* it may be on; owned */
} DriverVcpu;

/* Figures of a running guest. Pool. BUDGET is in microseconds: past it the call fails with VIR_ERR_OPERATION_TIMEOUT. */
typedef struct {
    /* Adds the GROUPS (virDomainStatsTypes) it knows, with libvirt's field names. CPU_TOTAL, VCPU and INTERFACE come
     * from the host's kernel: they are asked also of a guest that does not answer, and must not wait for it. */
    gboolean (*sample)(gpointer self, Vm *vm, guint groups, guint64 budget, Params *params, GError **error);
    gboolean (*memory)(gpointer self, Vm *vm, guint64 budget, virDomainMemoryStatPtr stats, guint max, guint *ret_n,
                       GError **error);
    /* Begins to measure, for SECONDS, how fast the guest writes its memory; `sample` tells of it. FLAGS: of
     * virDomainDirtyRateCalcFlags. */
    gboolean (*measure_dirtying)(gpointer self, Vm *vm, guint seconds, guint flags, guint64 budget, GError **error);
    /* The host's threads of a running guest: its main one, and one for each virtual CPU (pid_t, 0: not plugged in; at
     * most MAX). Does not block. */
    gboolean (*threads)(gpointer self, Vm *vm, pid_t *ret_main, pid_t *vcpus, guint max, guint *ret_n, GError **error);
    /* Where virtual CPUs are no threads of the host: RET_VCPUS, of DriverVcpu, a new array that frees its elements. */
    gboolean (*vcpus)(gpointer self, Vm *vm, GArray **ret_vcpus, GError **error);
} DriverStatsOps;

/* Changes of a running guest's size. Queue. */
typedef struct {
    gboolean (*set_memory)(gpointer self, Vm *vm, guint64 kib, GError **error);
    gboolean (*set_stats_period)(gpointer self, Vm *vm, int seconds, GError **error);
    /* Virtual CPU ID, which is not in that state, comes or has gone; the live definition follows. VIR_ERR_OPERATION_TIMEOUT:
     * the guest has not let it go yet. */
    gboolean (*plug_vcpu)(gpointer self, Vm *vm, guint id, gboolean in, GError **error);
} DriverResizeOps;

/* The host's threads of a guest. */
typedef enum { DRIVER_THREAD_EMULATOR, DRIVER_THREAD_VCPU, DRIVER_THREAD_IOTHREAD } DriverThread;

/* An I/O thread of a running guest; -1: the hypervisor does not say. */
typedef struct {
    guint id;
    pid_t tid;
    gint64 poll_max_ns, poll_grow, poll_shrink;
} DriverIothread;

/* What a running guest is given of its host's processors. Queue, unless a slot says otherwise. None changes the live
 * definition. */
typedef struct {
    /* Thread NUMBER of KIND may run on CPUS only. A virtual CPU that is not plugged in has no thread: that is no error. */
    gboolean (*pin)(gpointer self, Vm *vm, DriverThread kind, guint number, const CpuSet *cpus, GError **error);
    /* RET_THREADS: of DriverIothread. Pool. BUDGET as in DriverStatsOps. */
    gboolean (*iothreads)(gpointer self, Vm *vm, guint64 budget, GArray **ret_threads, GError **error);
    gboolean (*add_iothread)(gpointer self, Vm *vm, guint id, GError **error);
    gboolean (*del_iothread)(gpointer self, Vm *vm, guint id, GError **error);
    /* VALUES, of virDomainSetIOThreadParams, were checked. */
    gboolean (*set_iothread)(gpointer self, Vm *vm, guint id, const Params *values, GError **error);
    /* EVENT of the host's processors is counted for the guest from now on, or no more. */
    gboolean (*count_event)(gpointer self, Vm *vm, PerfEventName event, gboolean on, GError **error);
} DriverTuningOps;

/* How a hypervisor with a scheduler of its own shares out the host's processors among running guests. A NULL table: the host's
 * kernel does. */
typedef struct {
    /* RET_NAME is static. Adds to PARAMS what can be set, as it is now. Pool. */
    gboolean (*get)(gpointer self, Vm *vm, const char **ret_name, Params *params, GError **error);
    /* VALUES were checked: they have the names and types that `get` tells. Queue. */
    gboolean (*set)(gpointer self, Vm *vm, const Params *values, GError **error);
} DriverSchedulerOps;

/* Character devices of a running guest. Queue. */
typedef struct {
    /* A descriptor, non-blocking, connected to the host side of the device with ALIAS. */
    int (*open)(gpointer self, Vm *vm, const char *alias, GError **error);
} DriverChardevOps;

/* Screens and keyboards of a running guest. Queue. */
typedef struct {
    /* A picture of SCREEN, counted over the heads of all video cards, into FD (a file, empty, borrowed). RET_MIME: static. */
    gboolean (*screenshot)(gpointer self, Vm *vm, guint screen, int fd, const char **ret_mime, GError **error);
    /* The N keys QNUMS (QEMU's numbers) go down together and up after HOLDTIME milliseconds (0: as the hypervisor likes). */
    gboolean (*send_key)(gpointer self, Vm *vm, guint holdtime, const guint *qnums, guint n, GError **error);
    gboolean (*inject_nmi)(gpointer self, Vm *vm, GError **error);
    /* The connected socket FD (borrowed) becomes a client of display number INDEX. */
    gboolean (*open_graphics)(gpointer self, Vm *vm, guint index, int fd, gboolean skip_auth, GError **error);
} DriverDisplayOps;

/* A disk of a running guest that is in error. */
typedef struct {
    char *target;
    int error; /* virDomainDiskErrorCode */
} DriverDiskError;

/* Changes of a running guest's devices, told in its live definition. Queue. */
typedef struct {
    /* A device like WANTED is there now. */
    gboolean (*attach)(gpointer self, Vm *vm, const DomainDevice *wanted, GError **error);
    /* The device with ALIAS, of KIND (whose device it is, borrowed), is asked to go. It may still be there for a while:
     * its end is told by VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED. VIR_ERR_OPERATION_FAILED: the guest keeps it. */
    gboolean (*detach)(gpointer self, Vm *vm, const DomainDevice *kind, const char *alias, GError **error);
    /* The drive at WANTED's target has WANTED's medium now; FORCE: also if the guest holds the tray. */
    gboolean (*set_medium)(gpointer self, Vm *vm, const Disk *wanted, gboolean force, GError **error);
    gboolean (*set_link)(gpointer self, Vm *vm, const char *mac, gboolean up, GError **error);
    /* The disk at TARGET, and those that share its group, have these limits from now on. */
    gboolean (*set_limits)(gpointer self, Vm *vm, const char *target, const DiskIoTune *tune, GError **error);
    /* The image at TARGET has SIZE octets (or a little more, where its format counts in more) from now on. */
    gboolean (*resize)(gpointer self, Vm *vm, const char *target, guint64 size, GError **error);
    /* Once OFFSET octets of the image NAME (as domain_disk_image() takes it) were written, an event tells; 0: none does. */
    gboolean (*set_threshold)(gpointer self, Vm *vm, const char *name, guint64 offset, GError **error);
    /* RET_ERRORS: of DriverDiskError, a new array that frees its elements. Pool. BUDGET as in DriverStatsOps. */
    gboolean (*disk_errors)(gpointer self, Vm *vm, gint64 budget, GArray **ret_errors, GError **error);
    /* The name of the group that DISK is in alone where no other is said; to free. Any thread. */
    char *(*own_group)(const Disk *disk);
    /* The display of WANTED's type has WANTED's password, for as long as that says. NULL: none is asked for any more by
     * the definition, the one it has stays. */
    gboolean (*set_password)(gpointer self, Vm *vm, const Graphics *wanted, GError **error);
    /* The module at WANTED's address shall have WANTED's requested size; VIR_ERR_CONFIG_UNSUPPORTED if more differs. */
    gboolean (*update_memory)(gpointer self, Vm *vm, const MemoryDevice *wanted, GError **error);
} DriverDeviceOps;

/* Hypervisor specific. Queue. */
typedef struct {
    /* COMMAND goes to the monitor as it is (FLAGS: virDomainQemuMonitorCommandFlags), and FD with it (borrowed; -1: none); the
     * answer comes back as text. */
    char *(*command)(gpointer self, Vm *vm, const char *command, guint flags, int fd, GError **error);
} DriverMonitorOps;

/* The agent inside a running guest (qemu-guest-agent's protocol). Pool, and may wait for long: the guest need not answer. */
typedef struct {
    /* It could be asked now; an error each, in libvirt's words, if there is none, or it does not listen. Does not block. */
    gboolean (*check)(gpointer self, Vm *vm, GError **error);
    gboolean (*is_there)(gpointer self, Vm *vm); /* the same, where it is no error */
    /* Sends MESSAGE; the whole answer, which may be an error of the agent's. TIMEOUT: seconds, or a
     * virDomainAgentResponseTimeoutValues. VIR_ERR_AGENT_UNRESPONSIVE. */
    JsonNode *(*call)(gpointer self, Vm *vm, JsonNode *message, int timeout, GError **error);
    /* Returns when the guest does it. TARGET: virNodeSuspendTarget. */
    gboolean (*shut_down)(gpointer self, Vm *vm, gboolean reboot, GError **error);
    gboolean (*sleep)(gpointer self, Vm *vm, guint target, GError **error);
    /* The guest's time was set: what its clock has missed is not to be made up for. */
    gboolean (*time_set)(gpointer self, Vm *vm, GError **error);
} DriverAgentOps;

typedef struct Driver {
    const char *build;                /* DRIVER_BUILD of the header it was compiled with */
    const char *name;                 /* "kvm": module name, also in the state files */
    const char *scheme;               /* "qemu": the URI scheme that leads here */
    const char *type;                 /* "QEMU": what virConnectGetType answers */
    const char *const *domain_types;  /* {"qemu", "kvm", NULL}: the <domain type=''> values it takes */
    const char *const *config_keys;   /* what it asks host->config for, NULL terminated; NULL: nothing */
    virErrorDomain error_domain;      /* VIR_FROM_QEMU: of the errors that libvirt's driver for it gives */

    /* Called once. NULL with ERROR: this host has no such hypervisor; the daemon says so and goes on without the
     * driver. Must not block for long: nothing is probed here that can be probed later. */
    gpointer (*open)(const DriverHost *host, GError **error);
    void (*close)(gpointer self);

    const DriverNodeOps *node;
    const DriverDefinitionOps *definition;
    const DriverRunOps *run;
    const DriverSaveOps *save;
    const DriverStatsOps *stats;
    const DriverResizeOps *resize;
    const DriverTuningOps *tuning;
    const DriverSchedulerOps *scheduler;
    const DriverChardevOps *chardev;
    const DriverDisplayOps *display;
    const DriverDeviceOps *device;
    const DriverMonitorOps *monitor;
    const DriverAgentOps *agent;
} Driver;
