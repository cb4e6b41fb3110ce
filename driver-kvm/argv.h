/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A live definition as a QEMU command line.
 *
 * Three steps, in this order, on the domain's queue:
 *
 *   argv_prepare()  touches the host: opens taps, reserves VNC ports, makes sockets' paths, reads backing chains. What it
 *                   decides is written into LIVE (so that clients see it) or into the context (what only QEMU needs).
 *   argv_build()    touches nothing: LIVE + context -> arguments. The golden tests call it on a bare context.
 *   argv_release()  gives back what argv_prepare() reserved. From cleanup, also after a failed start and for a run that an
 *                   earlier daemon started (LIVE comes from the run record then); harmless if there is nothing to give back.
 *
 * LIVE has been through complete_domain(..., DRIVER_COMPLETE_START): every device has its alias.
 */
#include <glib.h>
#include <json-glib/json-glib.h>
#include <sys/types.h>
#include "lib/driver/host.h"
#include "lib/model/model.h"

typedef struct Caps Caps;

/* A descriptor QEMU inherits: FD is ours (owned by the context, closed with it), NUMBER is what it is called there. */
typedef struct {
    int fd;
    int number;
} ArgvFd;

/* One start. The caller makes it, sets the plain fields, and frees it once QEMU runs (or has failed to). */
typedef struct ArgvContext {
    char *private_dir;     /* the run's own folder, absolute: sockets and keys of this guest; owned */
    char *state_dir;       /* DriverPaths.state: what outlives the run (NVRAM); owned */
    int monitor_fd;        /* number, in QEMU, of the listening monitor socket; -1: the monitor is a socket QEMU makes
                            * itself, private_dir/monitor.sock (tests) */
    gboolean incoming;     /* the guest comes from a saved stream: -incoming defer */
    gboolean sandbox;      /* -sandbox on,... */
    GHashTable *hugepages; /* size of huge pages in KiB (guint64) -> folder for them; hugepages.c's */
    char *master_key;      /* path of the file QEMU reads its master key from; NULL: no secrets in this run; owned */
    SecretValue *(*find_secret)(const SecretWish *wish, GError **error); /* DriverHost.secret; needed by argv_prepare() only */
    gboolean (*find_volume)(const char *pool, const char *volume, VolumePlace *ret_place, GError **error); /* the same: DriverHost.volume */
    char *vnc_listen;      /* default listen address of VNC; NULL: 127.0.0.1; owned */
    char *spice_listen;    /* the same of SPICE */
    int first_fd;          /* number of the first descriptor that argv_context_pass() gives out */
    uid_t uid;             /* as whom QEMU will run, for messages */
    gid_t gid;
    gboolean live;         /* parts are for the monitor of a QEMU that runs, which is given descriptors by name */
    gboolean touch_host;   /* argv_prepare() looks at images, takes ports, opens taps, sockets and files for QEMU. FALSE in
                            * tests of the command line: QEMU is then told paths and the first port of all */

    GArray *fds;           /* of ArgvFd: what to hand to QEMU */
    GArray *held;          /* of int: what is closed once QEMU runs (ports kept for it) */
    GHashTable *passed;    /* what was opened for a device -> its number: "serial0", "net1/0"; see argv_context_pass() */
    GHashTable *secrets;   /* guest-secret.c's: name of an object -> JsonObject, what QEMU is told of it */
    guint images;          /* number of the last disk image that was numbered */
    GPtrArray *commands;   /* of JsonObject {"execute", "arguments"}: to be run once QEMU answers, before `cont` */
    GPtrArray *environment; /* of char *, "NAME=value": what QEMU's environment has beyond the usual */
} ArgvContext;

ArgvContext *argv_context_new(const char *private_dir);
void argv_context_free(ArgvContext *context); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArgvContext, argv_context_free)

/* Takes FD over; returns the number it will have in QEMU. NAME (copied; may be NULL) is how argv_build() finds it again. */
int argv_context_pass(ArgvContext *context, int fd, const char *name);
/* The number of what was passed as NAME; -1 if nothing was. */
int argv_context_passed(const ArgvContext *context, const char *name);
/* What QEMU is told of the descriptor with NUMBER; to free. */
char *argv_context_fd_name(const ArgvContext *context, int number);

/* Takes ARGUMENTS (may be NULL) over. */
void argv_context_command(ArgvContext *context, const char *execute, JsonObject *arguments);

gboolean argv_prepare(Domain *live, const Caps *caps, ArgvContext *context, GError **error);

/* RET_ARGV: char *, owned by it, NULL terminated, the emulator's path first. */
gboolean argv_build(const Domain *live, const Caps *caps, ArgvContext *context, GPtrArray **ret_argv, GError **error);

void argv_release(const Domain *live);

/* QEMU's whole environment, once argv_build() was there: char *, "NAME=value", owned by it. */
GPtrArray *argv_environment(const ArgvContext *context);

/* WORD behind what LINE has, as a shell reads it. */
void argv_append_word(GString *line, const char *word);

/* What QEMU alone knows, into LIVE: the answer ("return" member) of one of the commands below, asked once after the
 * start, before the guest runs. An answer of a foreign shape is VIR_ERR_INTERNAL_ERROR and leaves LIVE as it was. */
extern const char *const argv_questions[]; /* command names, NULL terminated: "query-chardev", ... */
gboolean argv_learn(Domain *live, const char *command, JsonNode *answer, GError **error);
