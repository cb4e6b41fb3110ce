/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/dispatch.h"

#include <string.h>

#include "daemon/auth/acl.h"
#include "daemon/rpc/api.h"
#include "daemon/rpc/client-private.h"
#include "daemon/rpc/error.h"
#include "daemon/rpc/qemu-gen.h"
#include "daemon/rpc/stream-private.h"
#include "daemon/rpc/task.h"
#include "lib/error.h"

static const WireProgram *const programs[] = {&remote_program, &qemu_program};

static const WireProgram *find_program(const FrameHeader *header)
{
    for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
        if (programs[i]->id == header->program && programs[i]->version == header->version)
            return programs[i];
    }
    return NULL;
}

/* What may be called before connect_open. */
static const struct {
    guint32 number;
    gboolean before_authentication;
} early[] = {
    {REMOTE_PROC_CONNECT_OPEN, FALSE},
    {REMOTE_PROC_CONNECT_CLOSE, FALSE},
    {REMOTE_PROC_CONNECT_SUPPORTS_FEATURE, FALSE}, /* refuses some features itself */
    {REMOTE_PROC_AUTH_LIST, TRUE},
    {REMOTE_PROC_AUTH_SASL_INIT, TRUE},
    {REMOTE_PROC_AUTH_SASL_START, TRUE},
    {REMOTE_PROC_AUTH_SASL_STEP, TRUE},
    {REMOTE_PROC_AUTH_POLKIT, TRUE},
};

static gboolean may_be_called_now(const Client *client, const WireProc *proc, GError **error)
{
    gboolean before_open = FALSE, before_authentication = FALSE;

    for (gsize i = 0; proc->program == &remote_program && i < G_N_ELEMENTS(early); i++) {
        if (proc->number == early[i].number) {
            before_open = TRUE;
            before_authentication = early[i].before_authentication;
        }
    }
    if (client->rights != CLIENT_ADMITTED && !before_authentication)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "authentication required");
    if (!client_instance(client) && !before_open)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "hypervisor connection not open");
    return TRUE;
}

static gboolean flags_accepted(const Call *call, gconstpointer args, GError **error)
{
    guint64 refused = wire_flags(call->proc, args) & ~call->proc->flags_accepted;
    g_autofree char *api = NULL;

    if (refused == 0)
        return TRUE;
    virErrorDomain domain = call->instance ? call->instance->from : VIR_FROM_RPC;
    api = api_driver_name(call->proc, &domain);
    if (!api)
        api = api_name(call->proc);
    return error_set_plain(error, domain, VIR_ERR_INVALID_ARG,
                           "unsupported flags (0x%" G_GINT64_MODIFIER "x) in function %s", refused, api);
}

static gboolean has_handler(const WireProc *proc, GError **error)
{
    g_autofree char *api = NULL;

    if (proc->handler)
        return TRUE;
    api = api_name(proc);
    return error_set(error, api_domain(proc), VIR_ERR_NO_SUPPORT, "%s", api);
}

/* Everything that is known to be wrong before a handler runs. */
static gboolean prepare(Task *task, const Frame *frame, GError **error)
{
    Call *call = &task->call;
    const WireProc *proc = call->proc;

    if (!may_be_called_now(call->client, proc, error))
        return FALSE;
    if (proc->args) {
        task->args = g_malloc0(proc->args->size);
        gboolean decoded = wire_decode(proc->args, frame->payload, frame->n_payload, task->args, error);
        if (proc->secret_in)
            explicit_bzero((guint8 *)frame->payload, frame->n_payload); /* it lies in what was received, which is ours */
        if (!decoded)
            return FALSE;
    }
    if (!acl_check(call->identity, proc, task->args, error) || !has_handler(proc, error) ||
        !flags_accepted(call, task->args, error))
        return FALSE;

    if (proc->ret)
        task->ret = g_malloc0(proc->ret->size);
    if (proc->fds == WIRE_FDS_IN || proc->fds == WIRE_FDS_BOTH)
        task_take_fds(task, frame);
    if (proc->fds == WIRE_FDS_OUT || proc->fds == WIRE_FDS_BOTH)
        call->ret_fds = g_array_new(FALSE, FALSE, sizeof(int));
    return TRUE;
}

static void dispatch_call(Client *client, const WireProc *proc, const Frame *frame)
{
    Task *task = task_new(client, proc, frame);
    g_autoptr(GError) error = NULL;

    if (!prepare(task, frame, &error) || !task_hand_over(task, &error))
        task_refuse(task, error);
}

static void reply_error(Client *client, FrameHeader header, const GError *error)
{
    header.type = NET_REPLY;
    client_send(client, error_message(header, error), NULL);
}

static const WireProc *find_proc(const FrameHeader *header, GError **error)
{
    const WireProgram *program = find_program(header);
    const WireProc *proc = NULL;

    if (!program) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "Cannot find program %u version %u", header->program,
                  header->version);
        return NULL;
    }
    if (header->status != NET_OK) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "Unexpected message status %u", header->status);
        return NULL;
    }
    if (header->procedure > 0)
        proc = wire_proc(program, header->procedure);
    if (!proc || proc->is_event) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "unknown procedure: %d", header->procedure);
        return NULL;
    }
    return proc;
}

void dispatch_frame(Client *client, const Frame *frame)
{
    g_autoptr(GError) error = NULL;
    const WireProc *proc;

    switch ((NetMessageType)frame->header.type) {
    case NET_CALL:
    case NET_CALL_WITH_FDS:
        proc = find_proc(&frame->header, &error);
        if (proc)
            dispatch_call(client, proc, frame);
        else
            reply_error(client, frame->header, error);
        break;
    case NET_STREAM:
    case NET_STREAM_HOLE:
        stream_take(client, frame);
        break;
    case NET_REPLY:
    case NET_REPLY_WITH_FDS:
    case NET_MESSAGE:
        client_refuse(client, "it sent what only a server sends");
        break;
    }
}
