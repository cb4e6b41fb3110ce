/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Who is at the other end of a connection. Immutable once made. */
#include <glib.h>
#include <sys/types.h>

typedef enum { TRANSPORT_UNIX, TRANSPORT_TCP, TRANSPORT_TLS } Transport;

typedef struct Identity {
    gatomicrefcount refs;
    Transport transport;
    gboolean read_only; /* came in by the read-only socket */
    pid_t pid;          /* unix: SO_PEERCRED; else -1 */
    uid_t uid;
    gid_t gid;
    guint64 start_time; /* of the process `pid`, as process_start_time(); 0: gone, or nobody asked for it */
    char *name;         /* for logs: "uid 0 pid 123"; owned */
} Identity;

/* The identity of the peer of a connected unix socket FD. WITH_PROCESS: it will be asked which process it is. */
Identity *identity_new_unix(int fd, gboolean read_only, gboolean with_process, GError **error);
Identity *identity_ref(Identity *identity);
void identity_unref(Identity *identity); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Identity, identity_unref)
