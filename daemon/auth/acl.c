/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/auth/acl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/rpc/api.h"
#include "lib/error.h"

/* The peer's groups as they were when it connected. */
static gboolean peer_in_group(int fd, gid_t group)
{
    g_autofree gid_t *groups = NULL;
    socklen_t size = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
        return FALSE;
    groups = g_malloc(MAX(size, sizeof(gid_t)));
    if (size == 0 || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
        return FALSE;
    for (gsize i = 0; i < size / sizeof(gid_t); i++) {
        if (groups[i] == group)
            return TRUE;
    }
    return FALSE;
}

gboolean acl_admits(const Identity *identity, int fd, gid_t group)
{
    if (identity->uid == 0 || identity->uid == geteuid())
        return TRUE;
    if (group == (gid_t)-1)
        return FALSE;
    return identity->gid == group || peer_in_group(fd, group);
}

static guint64 argument(const WirePermission *permission, gconstpointer args)
{
    const guint8 *at = (const guint8 *)args + permission->offset;
    guint64 value;
    guint32 half;

    if (permission->size == sizeof(value)) {
        memcpy(&value, at, sizeof(value));
        return value;
    }
    memcpy(&half, at, sizeof(half));
    return half;
}

static gboolean needed(const WirePermission *permission, gconstpointer args)
{
    switch (permission->when) {
    case WIRE_ALWAYS:
        return TRUE;
    case WIRE_IF_SET:
        return (argument(permission, args) & permission->value) == permission->value;
    case WIRE_UNLESS_SET:
        return (argument(permission, args) & permission->value) == 0;
    case WIRE_IF_EQUAL:
        return argument(permission, args) == permission->value;
    }
    g_assert_not_reached();
}

static gboolean denied(const WireProc *proc, gboolean secure, GError **error)
{
    g_autofree char *api = api_name(proc);

    return error_set(error, api_domain(proc), VIR_ERR_OPERATION_DENIED,
                     secure ? "%s with secure flag" : "read only access prevents %s", api);
}

gboolean acl_check(const Identity *identity, const WireProc *proc, gconstpointer args, GError **error)
{
    if (!identity->read_only)
        return TRUE;
    if (!proc->read_only)
        return denied(proc, FALSE, error);
    for (guint i = 0; i < proc->n_permissions; i++) {
        const WirePermission *permission = &proc->permissions[i];
        /* Those that are always needed are what proc->read_only was made of, exceptions included. */
        if (permission->when != WIRE_ALWAYS && !permission->read_only && needed(permission, args))
            return denied(proc, g_str_equal(permission->permission, "read_secure"), error);
    }
    return TRUE;
}
