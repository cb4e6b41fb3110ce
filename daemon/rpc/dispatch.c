/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/dispatch.h"

#include <string.h>

#include "daemon/auth/acl.h"
#include "daemon/rpc/api.h"
#include "daemon/rpc/call.h"
#include "daemon/rpc/client-private.h"
#include "daemon/rpc/error.h"
#include "daemon/rpc/qemu-gen.h"
#include "daemon/rpc/stream-private.h"
#include "lib/error.h"
#include "lib/log.h"

/* A call on its way. `call` is first: a handler's Call is its Task. */
typedef struct {
    Call call;
    gpointer args, ret; /* NULL: the row has none */
    gsize octets;
} Task;

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
    if (!client->authenticated && !before_authentication)
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
    api = api_name(call->proc);
    return error_set_plain(error, call->instance ? call->instance->from : VIR_FROM_RPC, VIR_ERR_INVALID_ARG,
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

static void close_fds(const Call *call, int *fds, guint n)
{
    for (guint i = 0; i < n; i++) {
        if (fds[i] >= 0)
            closer_close(call->client->account->closer, fds[i]);
    }
}

static void task_free(Task *task)
{
    Call *call = &task->call;

    if (call->stream) /* only where the call failed */
        stream_drop(call->stream);
    if (task->args)
        wire_clear(call->proc->args, task->args);
    if (task->ret)
        wire_clear(call->proc->ret, task->ret);
    close_fds(call, call->fds, call->n_fds);
    g_free(call->fds);
    if (call->ret_fds) {
        close_fds(call, (int *)(gpointer)call->ret_fds->data, call->ret_fds->len);
        g_array_unref(call->ret_fds);
    }
    vm_unref(call->vm);
    client_call_end(call->client, task->octets);
    client_unref(call->client);
    g_free(task->args);
    g_free(task->ret);
    g_free(task);
}

static FrameHeader reply_header(const Call *call, NetMessageType type)
{
    const WireProgram *program = call->proc->program;

    return (FrameHeader){program->id, program->version, call->proc->number, type, call->serial, NET_OK};
}

static void reply_error(Client *client, FrameHeader header, const GError *error)
{
    header.type = NET_REPLY;
    client_send(client, error_message(header, error), NULL);
}

static void answer_error(const Task *task, int priority, const GError *error)
{
    log_line(priority, "%s: %s", task->call.proc->name, error->message);
    reply_error(task->call.client, reply_header(&task->call, NET_REPLY), error);
}

static gboolean answer(Task *task, GError **error)
{
    Call *call = &task->call;
    guint n_fds = call->ret_fds ? call->ret_fds->len : 0;
    FrameHeader header = reply_header(call, n_fds > 0 ? NET_REPLY_WITH_FDS : NET_REPLY);
    g_autoptr(GByteArray) message = frame_begin(&header);

    if (n_fds > 0) {
        guint32 n = GUINT32_TO_BE(n_fds);
        g_byte_array_append(message, (const guint8 *)&n, sizeof(n));
    }
    if (call->proc->ret && !wire_encode(call->proc->ret, task->ret, message, error))
        return FALSE;
    if (!frame_finish(message, error))
        return FALSE;
    client_send(call->client, g_steal_pointer(&message), n_fds > 0 ? g_steal_pointer(&call->ret_fds) : NULL);
    if (call->stream)
        stream_begin(g_steal_pointer(&call->stream));
    return TRUE;
}

/* The name of the domain that TASK works on, to free; NULL if it is not known yet. */
static char *domain_name(const Task *task)
{
    g_autoptr(VmView) view = task->call.vm ? vm_view(task->call.vm) : NULL;
    const Domain *def = view ? vm_view_def(view) : NULL;

    return def ? g_strdup(def->name) : NULL;
}

/* What is logged for a task says for whom. */
typedef struct {
    LogContext context;
    char *domain;
    char request[48];
} Label;

static void label_enter(Label *label, const Task *task)
{
    label->domain = domain_name(task);
    g_snprintf(label->request, sizeof(label->request), "%" G_GUINT64_FORMAT ".%u", task->call.client->id,
               task->call.serial);
    label->context = (LogContext){.domain = label->domain, .request = label->request};
    log_context_enter(&label->context);
}

static void label_leave(Label *label)
{
    log_context_leave(&label->context);
    g_free(label->domain);
}

/* Who may write may do anything, so his failures are worth a line each; the others' would let anybody fill the log. */
static void run(gpointer data)
{
    Task *task = data;
    const WireProc *proc = task->call.proc;
    gboolean writes = task->call.vm && proc->lane == WIRE_LANE_WRITE;
    g_autoptr(GError) error = NULL;
    Label label;

    label_enter(&label, task);
    if (writes)
        vm_set_operation(task->call.vm, proc->name);
    if (!wire_handle(proc, &task->call, task->args, task->ret, &error) || !answer(task, &error))
        answer_error(task, task->call.vm ? LOG_INFO : LOG_DEBUG, error);
    if (writes)
        vm_set_operation(task->call.vm, NULL);
    label_leave(&label);
    task_free(task);
}

/* Takes over TASK unless it fails. */
static gboolean hand_over(Task *task, GError **error)
{
    const WireProc *proc = task->call.proc;
    gboolean on_domain = proc->domain_offset >= 0 && (proc->lane == WIRE_LANE_WRITE || proc->lane == WIRE_LANE_CONTROL);

    if (on_domain) {
        gconstpointer dom = (const guint8 *)task->args + proc->domain_offset;
        task->call.vm = call_lookup(&task->call, dom, error);
        if (!task->call.vm)
            return FALSE;
    }
    switch (proc->lane) {
    case WIRE_LANE_READ:
        run(task);
        return TRUE;
    case WIRE_LANE_WRITE:
        return on_domain ? queue_push(task->call.vm->queue, run, task, error) : pool_push(POOL_WORK, run, task, error);
    case WIRE_LANE_WORK:
        return pool_push(POOL_WORK, run, task, error);
    case WIRE_LANE_CONTROL:
        return pool_push(POOL_CONTROL, run, task, error);
    }
    g_assert_not_reached();
}

static void take_fds(Call *call, const Frame *frame)
{
    call->fds = g_memdup2(frame->fds, frame->n_fds * sizeof(int));
    call->n_fds = frame->n_fds;
    for (guint i = 0; i < frame->n_fds; i++)
        frame->fds[i] = -1;
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
        if (!wire_decode(proc->args, frame->payload, frame->n_payload, task->args, error))
            return FALSE;
    }
    if (!acl_check(call->identity, proc, task->args, error) || !has_handler(proc, error) ||
        !flags_accepted(call, task->args, error))
        return FALSE;

    if (proc->ret)
        task->ret = g_malloc0(proc->ret->size);
    if (proc->fds == WIRE_FDS_IN || proc->fds == WIRE_FDS_BOTH)
        take_fds(call, frame);
    if (proc->fds == WIRE_FDS_OUT || proc->fds == WIRE_FDS_BOTH)
        call->ret_fds = g_array_new(FALSE, FALSE, sizeof(int));
    return TRUE;
}

static void dispatch_call(Client *client, const WireProc *proc, const Frame *frame)
{
    g_autoptr(GError) error = NULL;
    Task *task = g_new0(Task, 1);
    Label label;

    task->octets = frame->size;
    task->call.client = client_ref(client);
    task->call.proc = proc;
    task->call.serial = frame->header.serial;
    task->call.instance = client_instance(client);
    task->call.identity = client_identity(client);
    client_call_begin(client, task->octets);
    if (prepare(task, frame, &error) && hand_over(task, &error))
        return;
    label_enter(&label, task);
    answer_error(task, LOG_DEBUG, error);
    label_leave(&label);
    task_free(task);
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
