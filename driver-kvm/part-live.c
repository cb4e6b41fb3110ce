/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/part-live.h"

#include "driver-kvm/qmp-commands.h"
#include "driver-kvm/tap.h"

#define UNDO_PAUSE (20 * 1000)

static int fd_of(const ArgvContext *context, int number)
{
    for (guint i = 0; context && i < context->fds->len; i++) {
        const ArgvFd *fd = &g_array_index(context->fds, ArgvFd, i);

        if (fd->number == number)
            return fd->fd;
    }
    return -1;
}

static gboolean is_in_set(const GPtrArray *parts, int number)
{
    for (guint i = 0; i < parts->len; i++) {
        const Part *part = parts->pdata[i];

        if (part->kind == PART_FDSET && json_object_get_int_member(part->props, "fdset-id") == number)
            return TRUE;
    }
    return FALSE;
}

/* What is not passed as a set is called by its name. */
static gboolean pass_fds(Qmp *qmp, const GPtrArray *parts, const ArgvContext *context, GError **error)
{
    for (guint i = 0; context && i < context->fds->len; i++) {
        const ArgvFd *fd = &g_array_index(context->fds, ArgvFd, i);
        g_autofree char *name = argv_context_fd_name(context, fd->number);

        if (!is_in_set(parts, fd->number) && !qmp_getfd(qmp, name, fd->fd, error))
            return FALSE;
    }
    return TRUE;
}

/* Harmless for those that QEMU has taken. */
static void take_back_fds(Qmp *qmp, const GPtrArray *parts, const ArgvContext *context)
{
    for (guint i = 0; context && i < context->fds->len; i++) {
        g_autofree char *name = argv_context_fd_name(context, g_array_index(context->fds, ArgvFd, i).number);

        if (!is_in_set(parts, g_array_index(context->fds, ArgvFd, i).number))
            qmp_do(qmp, "closefd", qmp_args("s:fdname", name, NULL), QMP_DEADLINE, NULL);
    }
}

static gboolean make_one(Qmp *qmp, const Part *part, const ArgvContext *context, GError **error)
{
    const char *command;
    JsonObject *arguments = NULL;
    int fd = part->kind == PART_FDSET ? fd_of(context, (int)json_object_get_int_member(part->props, "fdset-id")) : -1;

    if (!part_to_command(part, &command, &arguments))
        return TRUE;
    g_autoptr(JsonNode) answer = qmp_call_with_fd(qmp, command, arguments, fd, QMP_DEADLINE_LONG, error);
    return answer != NULL;
}

/* FALSE: QEMU does not have it, or still needs it. */
static gboolean undo_one(Qmp *qmp, const Part *part)
{
    const char *command;
    JsonObject *arguments = NULL;

    return !part_to_undo(part, &command, &arguments) || qmp_do(qmp, command, arguments, QMP_DEADLINE, NULL);
}

void parts_undo(Qmp *qmp, const GPtrArray *parts, guint n)
{
    for (guint i = n; i > 0; i--)
        undo_one(qmp, parts->pdata[i - 1]);
}

void parts_undo_behind(Qmp *qmp, const GPtrArray *parts, gint64 patience)
{
    gint64 deadline = g_get_monotonic_time() + patience;

    for (guint i = parts->len; i > 0; i--) {
        const Part *part = parts->pdata[i - 1];

        if (part->kind == PART_DEVICE || part->kind == PART_FDSET)
            continue;
        while (!undo_one(qmp, part) && g_get_monotonic_time() < deadline)
            g_usleep(UNDO_PAUSE);
    }
}

gboolean parts_make(Qmp *qmp, const GPtrArray *parts, const ArgvContext *context, GError **error)
{
    gboolean made = pass_fds(qmp, parts, context, error);

    for (guint i = 0; made && i < parts->len; i++) {
        made = make_one(qmp, parts->pdata[i], context, error);
        if (!made)
            parts_undo(qmp, parts, i);
    }
    if (!made)
        take_back_fds(qmp, parts, context);
    /* QEMU has its own duplicates of what it opened of a set */
    for (guint i = 0; made && i < parts->len; i++)
        if (((const Part *)parts->pdata[i])->kind == PART_FDSET)
            undo_one(qmp, parts->pdata[i]);
    return made;
}

gboolean parts_run_commands(Qmp *qmp, const ArgvContext *context, GError **error)
{
    for (guint i = 0; i < context->commands->len; i++) {
        JsonObject *command = context->commands->pdata[i];
        JsonNode *arguments = json_object_get_member(command, "arguments");

        if (!qmp_do(qmp, json_object_get_string_member(command, "execute"),
                    arguments ? json_object_ref(json_node_get_object(arguments)) : NULL, QMP_DEADLINE, error))
            return FALSE;
    }
    return TRUE;
}

void parts_forget_fds(Qmp *qmp, int first)
{
    const ArgvContext context = {.live = TRUE};
    gboolean closed = TRUE;

    for (int number = first; closed && number < first + TAP_QUEUES_MAX; number++) {
        g_autofree char *name = argv_context_fd_name(&context, number);

        closed = qmp_do(qmp, "closefd", qmp_args("s:fdname", name, NULL), QMP_DEADLINE, NULL);
    }
}
