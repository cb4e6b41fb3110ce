/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/task.h"

#include "daemon/core/registry.h"
#include "daemon/rpc/client-private.h"
#include "daemon/rpc/costs.h"
#include "daemon/rpc/error.h"
#include "daemon/rpc/stream-private.h"
#include "lib/log.h"

#define SECRET_ANSWER (REMOTE_SECRET_VALUE_MAX + 1024) /* octets that the longest one needs */

Task *task_new(Client *client, const WireProc *proc, const Frame *frame)
{
    Task *task = g_new0(Task, 1);

    task->octets = frame->size;
    task->call.client = client_ref(client);
    task->call.proc = proc;
    task->call.serial = frame->header.serial;
    task->call.instance = client_instance(client);
    task->call.identity = client_identity(client);
    client_call_begin(client, task->octets);
    return task;
}

void task_take_fds(Task *task, const Frame *frame)
{
    Call *call = &task->call;

    call->fds = g_memdup2(frame->fds, frame->n_fds * sizeof(int));
    call->n_fds = frame->n_fds;
    for (guint i = 0; i < frame->n_fds; i++)
        frame->fds[i] = -1;
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
    if (task->args && call->proc->secret_in)
        wire_overwrite(call->proc->args, task->args);
    if (task->ret && call->proc->secret_out)
        wire_overwrite(call->proc->ret, task->ret);
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
    client_call_end(call->client, task->octets, task->expected);
    client_unref(call->client);
    g_free(task->args);
    g_free(task->ret);
    g_free(task);
}

/* The domain that TASK works on, a new reference; NULL if there is none, or it is not known yet. */
static Vm *domain_of(const Task *task)
{
    const Call *call = &task->call;
    const RemoteNonnullDomain *dom;

    if (call->vm)
        return vm_ref(call->vm);
    if (!call->instance || !task->args || call->proc->domain_offset < 0)
        return NULL;
    dom = (gconstpointer)((const guint8 *)task->args + call->proc->domain_offset);
    return registry_find_uuid(call->instance->registry, dom->uuid);
}

/* Its name, to free. */
static char *domain_name(const Task *task)
{
    g_autoptr(Vm) vm = domain_of(task);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
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

static FrameHeader reply_header(const Call *call, NetMessageType type)
{
    const WireProgram *program = call->proc->program;

    return (FrameHeader){program->id, program->version, call->proc->number, type, call->serial, NET_OK};
}

static void answer_error(const Task *task, int priority, const GError *error)
{
    log_line(priority, "%s: %s", task->call.proc->name, error->message);
    server_before_answer(task->call.client->server);
    client_send(task->call.client, error_message(reply_header(&task->call, NET_REPLY), error), NULL);
}

static gboolean answer(Task *task, gsize *ret_octets, GError **error)
{
    Call *call = &task->call;
    guint n_fds = call->ret_fds ? call->ret_fds->len : 0;
    FrameHeader header = reply_header(call, n_fds > 0 ? NET_REPLY_WITH_FDS : NET_REPLY);
    g_autoptr(GByteArray) message = frame_begin(&header);

    if (call->proc->secret_out) { /* it does not move while it grows */
        guint begun = message->len;
        g_byte_array_set_size(message, SECRET_ANSWER);
        g_byte_array_set_size(message, begun);
    }
    if (n_fds > 0) {
        guint32 n = GUINT32_TO_BE(n_fds);
        g_byte_array_append(message, (const guint8 *)&n, sizeof(n));
    }
    if (call->proc->ret && !wire_encode(call->proc->ret, task->ret, message, error))
        return FALSE;
    if (!frame_finish(message, error))
        return FALSE;
    *ret_octets = message->len;
    server_before_answer(call->client->server);
    client_send(call->client, g_steal_pointer(&message), n_fds > 0 ? g_steal_pointer(&call->ret_fds) : NULL);
    if (call->stream)
        stream_begin(g_steal_pointer(&call->stream));
    return TRUE;
}

static void defer(Task *task, gsize octets);

/* FALSE without an error: it is to be deferred. */
static gboolean handle(Task *task, gsize *ret_octets, GError **error)
{
    return wire_handle(task->call.proc, &task->call, task->args, task->ret, error) && answer(task, ret_octets, error);
}

/* Who may write may do anything, so his failures are worth a line each; the others' would let anybody fill the log. */
static void run(gpointer data)
{
    Task *task = data;
    const WireProc *proc = task->call.proc;
    gboolean writes = task->call.vm && task->lane == WIRE_LANE_WRITE;
    gint64 began = task->cost_key ? g_get_monotonic_time() : 0;
    g_autoptr(GError) error = NULL;
    gsize octets = 0;
    Label label;

    label_enter(&label, task);
    if (writes)
        vm_set_operation(task->call.vm, proc->name);
    if (!handle(task, &octets, &error) && error) {
        label_leave(&label); /* by now it may have a domain */
        label_enter(&label, task);
        answer_error(task, task->call.vm ? LOG_INFO : LOG_DEBUG, error);
    }
    if (writes)
        vm_set_operation(task->call.vm, NULL);
    label_leave(&label);
    if (task->call.later && !error)
        return;
    if (task->call.deferred > 0) {
        defer(task, task->call.deferred);
        return;
    }
    if (task->cost_key)
        costs_note(server_costs(task->call.client->server), task->cost_key, g_get_monotonic_time() - began, octets);
    task_free(task);
}

void call_finish(Call *call, const GError *error)
{
    Task *task = (Task *)call;
    g_autoptr(GError) own = NULL;
    gsize octets;
    Label label;

    label_enter(&label, task);
    if (error || !answer(task, &octets, &own))
        answer_error(task, LOG_DEBUG, error ? error : own);
    label_leave(&label);
    task_free(task);
}

/* To the work lane; an answer of OCTETS counts there as if it waited to be sent already. */
static void defer(Task *task, gsize octets)
{
    g_autoptr(GError) error = NULL;

    task->call.on_loop = FALSE;
    task->call.deferred = 0;
    task->expected = octets;
    client_expect(task->call.client, octets);
    if (!pool_push(POOL_WORK, run, task, &error))
        task_refuse(task, error);
}

static void run_read(Task *task)
{
    gsize octets;

    task->cost_key = costs_key(task->call.proc, task->args);
    task->call.on_loop = TRUE;
    if (costs_are_long(server_costs(task->call.client->server), task->cost_key, &octets))
        defer(task, octets);
    else
        run(task);
}

static WireLane lane_of(const Task *task)
{
    const WireProc *proc = task->call.proc;

    return proc->control_flags && (wire_flags(proc, task->args) & proc->control_flags) ? WIRE_LANE_CONTROL : proc->lane;
}

gboolean task_hand_over(Task *task, GError **error)
{
    const WireProc *proc = task->call.proc;
    task->lane = lane_of(task);
    gboolean on_domain = proc->domain_offset >= 0 && (task->lane == WIRE_LANE_WRITE || task->lane == WIRE_LANE_CONTROL);

    if (on_domain) {
        gconstpointer dom = (const guint8 *)task->args + proc->domain_offset;
        task->call.vm = call_lookup(&task->call, dom, error);
        if (!task->call.vm || (!proc->on_host && !vm_check_guest(task->call.vm, error)))
            return FALSE;
    }
    switch (task->lane) {
    case WIRE_LANE_READ:
        run_read(task);
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

void task_refuse(Task *task, const GError *error)
{
    Label label;

    label_enter(&label, task);
    answer_error(task, LOG_DEBUG, error);
    label_leave(&label);
    task_free(task);
}
