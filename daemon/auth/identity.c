/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/auth/identity.h"

#include <errno.h>
#include <sys/socket.h>

#include "lib/error.h"
#include "lib/process.h"

Identity *identity_new_unix(int fd, gboolean read_only, gboolean with_process, GError **error)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    Identity *identity;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
        error_set_errno(error, VIR_FROM_RPC, errno, "cannot learn who connected");
        return NULL;
    }
    identity = g_new0(Identity, 1);
    g_atomic_ref_count_init(&identity->refs);
    identity->transport = TRANSPORT_UNIX;
    identity->read_only = read_only;
    identity->pid = peer.pid;
    identity->uid = peer.uid;
    identity->gid = peer.gid;
    if (with_process)
        identity->start_time = process_start_time(peer.pid);
    identity->name = g_strdup_printf("uid %u pid %d", peer.uid, peer.pid);
    return identity;
}

Identity *identity_ref(Identity *identity)
{
    g_atomic_ref_count_inc(&identity->refs);
    return identity;
}

void identity_unref(Identity *identity)
{
    if (!identity || !g_atomic_ref_count_dec(&identity->refs))
        return;
    g_free(identity->name);
    g_free(identity);
}
