/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A group is held by its domain's table (until another takes its place, or the connection ends), by the connection's hook (until
 * it ran or was removed), and by who looks at it. It keeps its domain, so that a table is empty when its domain goes.
 */
#include "daemon/core/fd-groups.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/patient.h"

typedef struct {
    gatomicrefcount refs;
    Vm *vm;
    Client *client;
    guint hook;
    char *name;
    int *fds;
    guint n;
} Group;

static gint held; /* atomic: descriptors of all groups */

static Group *group_ref(Group *group)
{
    g_atomic_ref_count_inc(&group->refs);
    return group;
}

static void group_unref(Group *group)
{
    if (!group || !g_atomic_ref_count_dec(&group->refs))
        return;
    for (guint i = 0; i < group->n; i++)
        patient_close(group->fds[i]);
    g_atomic_int_add(&held, -(gint)group->n);
    vm_unref(group->vm);
    client_unref(group->client);
    g_free(group->name);
    g_free(group->fds);
    g_free(group);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Group, group_unref)

/* The table's reference to the group with NAME, if that is still GROUP; else NULL. */
static Group *take_out(Vm *vm, const Group *group)
{
    Group *found = NULL;
    g_mutex_lock(&vm->lock);
    if (vm->fd_groups && g_hash_table_lookup(vm->fd_groups, group->name) == group) {
        found = (Group *)group;
        g_hash_table_remove(vm->fd_groups, group->name);
    }
    g_mutex_unlock(&vm->lock);
    return found;
}

static void connection_closed(gpointer data)
{
    g_autoptr(Group) group = data; /* the hook's reference */
    group_unref(take_out(group->vm, group));
}

/* The reference of what was in its place, if any. GROUP's own is taken over. */
static Group *put_in(Vm *vm, Group *group)
{
    g_mutex_lock(&vm->lock);
    if (!vm->fd_groups)
        vm->fd_groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Group *old = g_hash_table_lookup(vm->fd_groups, group->name);
    g_hash_table_replace(vm->fd_groups, g_strdup(group->name), group);
    g_mutex_unlock(&vm->lock);
    return old;
}

static gboolean duplicate(const int *fds, guint n, int *copies, GError **error)
{
    for (guint i = 0; i < n; i++) {
        copies[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
        if (copies[i] >= 0)
            continue;
        int errnum = errno;
        while (i > 0)
            patient_close(copies[--i]);
        return error_set_errno(error, VIR_FROM_NONE, errnum, "cannot duplicate a descriptor");
    }
    return TRUE;
}

/* NULL with ERROR. What it counts as held it gives back itself. */
static Group *group_new(Vm *vm, Client *client, const char *name, const int *fds, guint n, GError **error)
{
    g_autofree int *copies = g_new(int, n);
    if (g_atomic_int_add(&held, (gint)n) + (gint)n > FD_GROUPS_DESCRIPTORS_MAX) {
        g_atomic_int_add(&held, -(gint)n);
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "more than %d files are left with domains", FD_GROUPS_DESCRIPTORS_MAX);
        return NULL;
    }
    if (!duplicate(fds, n, copies, error)) {
        g_atomic_int_add(&held, -(gint)n);
        return NULL;
    }
    Group *group = g_new0(Group, 1);
    g_atomic_ref_count_init(&group->refs);
    group->vm = vm_ref(vm);
    group->client = client_ref(client);
    group->name = g_strdup(name);
    group->fds = g_steal_pointer(&copies);
    group->n = n;
    return group;
}

gboolean fd_groups_add(Vm *vm, Client *client, const char *name, const int *fds, guint n, GError **error)
{
    g_autoptr(Group) group = group_new(vm, client, name, fds, n, error);
    if (!group)
        return FALSE;
    g_autoptr(Group) old = put_in(vm, group_ref(group));
    if (old && client_remove_close_hook(old->client, old->hook))
        group_unref(old); /* its hook's */
    group->hook = client_add_close_hook(client, connection_closed, group_ref(group));
    if (group->hook)
        return TRUE;
    group_unref(take_out(vm, group));
    group_unref(group); /* the hook's */
    return error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_ABORTED, "the connection was closed");
}

int *fd_groups_get(Vm *vm, const char *name, guint *ret_n)
{
    g_mutex_lock(&vm->lock);
    Group *found = vm->fd_groups ? g_hash_table_lookup(vm->fd_groups, name) : NULL;
    g_autoptr(Group) group = found ? group_ref(found) : NULL;
    g_mutex_unlock(&vm->lock);
    if (!group)
        return NULL;
    g_autofree int *copies = g_new(int, group->n);
    if (!duplicate(group->fds, group->n, copies, NULL))
        return NULL;
    *ret_n = group->n;
    return g_steal_pointer(&copies);
}
