/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection is made by the first command and then kept, so that nobody else takes the channel; it is read only while a
 * command waits, so that a guest that talks without being asked fills nothing but the socket.
 *
 * Ruled out: to read on the event loop as the monitor does. A guest could keep that busy, and nothing that an agent says
 * unasked means anything.
 */
#include "driver-kvm/agent.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "driver-kvm/agent-wire.h"
#include "driver-kvm/guest.h"
#include "driver-kvm/qmp-commands.h"
#include "lib/agent-answer.h"
#include "lib/error.h"

#define WAITING_MAX 32
#define TURN_USEC (30 * G_USEC_PER_SEC)
#define SYNC_USEC (5 * G_USEC_PER_SEC)
#define DEFAULT_SECONDS 5
#define BLOCK_SECONDS 3600 /* "for ever" */
#define POWER_SECONDS 60

struct Agent {
    GMutex lock;
    GCond turn;
    gboolean busy;   /* somebody has `fd` for himself */
    guint waiting;
    guint awaited;   /* what ends his waiting: AgentNews */
    guint news;      /* what of that has come */
    int wake;        /* eventfd */
    int fd;          /* -1: not connected */
};

Agent *agent_new(void)
{
    Agent *agent = g_new0(Agent, 1);

    g_mutex_init(&agent->lock);
    g_cond_init(&agent->turn);
    agent->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    agent->fd = -1;
    return agent;
}

void agent_free(Agent *agent)
{
    if (!agent)
        return;
    if (agent->fd >= 0)
        close(agent->fd);
    if (agent->wake >= 0)
        close(agent->wake);
    g_mutex_clear(&agent->lock);
    g_cond_clear(&agent->turn);
    g_free(agent);
}

void agent_tell(Agent *agent, AgentNews news)
{
    g_mutex_lock(&agent->lock);
    gboolean wanted = agent->busy && (agent->awaited & news);
    if (wanted)
        agent->news |= news;
    g_mutex_unlock(&agent->lock);
    if (wanted)
        eventfd_write(agent->wake, 1);
}

/* --- whose turn it is --- */

static gboolean take_turn(Agent *agent, gint64 until, guint awaited, GError **error)
{
    gboolean in_time = TRUE;
    eventfd_t old;

    g_mutex_lock(&agent->lock);
    gboolean full = agent->waiting >= WAITING_MAX;
    if (!full) {
        agent->waiting++;
        while (agent->busy && in_time)
            in_time = g_cond_wait_until(&agent->turn, &agent->lock, until);
        agent->waiting--;
    }
    gboolean mine = !full && !agent->busy;
    if (mine) {
        agent->busy = TRUE;
        agent->awaited = awaited;
        agent->news = 0;
        eventfd_read(agent->wake, &old);
    }
    g_mutex_unlock(&agent->lock);
    if (full)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_RESOURCE_BUSY, "too many commands wait for the guest agent");
    return mine || error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "the guest agent is busy with another command");
}

static guint end_turn(Agent *agent)
{
    g_mutex_lock(&agent->lock);
    guint news = agent->news;
    agent->busy = FALSE;
    g_cond_signal(&agent->turn);
    g_mutex_unlock(&agent->lock);
    return news;
}

/* --- who is there --- */

const Chardev *agent_channel(const Domain *live)
{
    for (guint i = 0; live && i < live->devices->channels->len; i++) {
        const Chardev *channel = live->devices->channels->pdata[i];
        if (channel->target && channel->target->type == CHARDEV_TARGET_TYPE_VIRTIO &&
            g_strcmp0(channel->target->name, "org.qemu.guest_agent.0") == 0)
            return channel;
    }
    return NULL;
}

static gboolean is_connected(const Chardev *channel)
{
    return channel && channel->target->state == CHANNEL_STATE_CONNECTED;
}

static gboolean unresponsive(const char *why, GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_AGENT_UNRESPONSIVE, "%s", why);
}

static gboolean check(Guest *guest, const Chardev *channel, GError **error)
{
    g_autoptr(VmView) view = guest->kvm->host->view(guest->vm);

    if (view->state != VIR_DOMAIN_RUNNING)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is not running");
    if (!channel)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_ARGUMENT_UNSUPPORTED, "QEMU guest agent is not configured");
    if (!is_connected(channel))
        return unresponsive("QEMU guest agent is not connected", error);
    if (channel->type != CHARDEV_TYPE_UNIX || !channel->source || !channel->source->path)
        return unresponsive("QEMU guest agent is not available due to an error", error);
    return TRUE;
}

static gboolean agent_check(gpointer self, Vm *vm, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;

    return guest && check(guest, agent_channel(live), error);
}

static gboolean agent_is_there(gpointer self, Vm *vm)
{
    g_autoptr(Guest) guest = guest_lookup(self, vm);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;

    return is_connected(agent_channel(live));
}

/* The one whose turn it is. */
static gboolean open_socket(Guest *guest, GError **error)
{
    g_autoptr(Domain) live = guest_live(guest);
    const Chardev *channel = agent_channel(live);

    if (!check(guest, channel, error))
        return FALSE;
    if (guest->agent->fd >= 0)
        return TRUE;
    g_autofree char *folder = g_path_get_dirname(channel->source->path);
    g_autofree char *name = g_path_get_basename(channel->source->path);
    guest->agent->fd = guest_connect_below(folder, name);
    return guest->agent->fd >= 0 || error_set(error, VIR_FROM_QEMU, VIR_ERR_AGENT_UNRESPONSIVE,
                                              "cannot connect to the guest agent's channel: %s", g_strerror(errno));
}

/* --- commands --- */

typedef struct {
    gint64 sync_usec, usec;
    guint awaited; /* besides AGENT_LEFT: news that stand for an answer */
} Patience;

/* Its turn has come. */
static JsonNode *run(Guest *guest, JsonNode *message, const Patience *patience, GError **error)
{
    gint64 now = g_get_monotonic_time();
    gboolean lost;

    if (!open_socket(guest, error))
        return NULL;
    const AgentWire wire = {guest->agent->fd, guest->agent->wake, now + patience->sync_usec, now + patience->usec};
    JsonNode *answer = agent_wire_run(&wire, message, &lost, error);
    if (lost) {
        close(guest->agent->fd);
        guest->agent->fd = -1;
    }
    return answer;
}

/* NULL without ERROR: one of the awaited news came instead of an answer. */
static JsonNode *run_in_turn(Guest *guest, JsonNode *message, const Patience *patience, GError **error)
{
    g_autoptr(Domain) live = guest_live(guest);
    g_autoptr(GError) cause = NULL;

    if (!check(guest, agent_channel(live), error) ||
        !take_turn(guest->agent, g_get_monotonic_time() + TURN_USEC, AGENT_LEFT | patience->awaited, error))
        return NULL;
    JsonNode *answer = run(guest, message, patience, &cause);
    guint news = end_turn(guest->agent);
    if (answer || (news && patience->awaited))
        return answer;
    if (cause)
        g_propagate_error(error, g_steal_pointer(&cause));
    else
        unresponsive("Guest agent disappeared while executing command", error);
    return NULL;
}

static Patience patience_of(int timeout)
{
    gint64 seconds = timeout == VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK     ? BLOCK_SECONDS
                     : timeout == VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_DEFAULT ? DEFAULT_SECONDS
                                                                            : MIN(timeout, BLOCK_SECONDS);
    gint64 usec = seconds * G_USEC_PER_SEC;

    return (Patience){MIN(usec, SYNC_USEC), usec, 0};
}

static JsonNode *agent_call(gpointer self, Vm *vm, JsonNode *message, int timeout, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    const Patience patience = patience_of(timeout);

    return guest ? run_in_turn(guest, message, &patience, error) : NULL;
}

/* A command that is answered only where it fails. */
static gboolean run_awaited(gpointer self, Vm *vm, JsonObject *command, guint awaited, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(JsonNode) message = json_node_init_object(json_node_alloc(), command);
    g_autoptr(GError) cause = NULL;
    const Patience patience = {SYNC_USEC, POWER_SECONDS * G_USEC_PER_SEC, awaited};

    json_object_unref(command);
    if (!guest)
        return FALSE;
    g_autoptr(JsonNode) answer = run_in_turn(guest, message, &patience, &cause);
    if (!cause)
        return !answer || agent_answer_value(answer, message, VIR_FROM_QEMU, error);
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

/* What the power button was pressed for before does not matter any more. */
static void forget_reboot(Kvm *kvm, Vm *vm)
{
    g_autoptr(Guest) guest = guest_lookup(kvm, vm);

    if (!guest)
        return;
    g_mutex_lock(&guest->lock);
    guest->fake_reboot = FALSE;
    g_mutex_unlock(&guest->lock);
}

static gboolean agent_shut_down(gpointer self, Vm *vm, gboolean reboot, GError **error)
{
    JsonObject *command = json_object_new();

    if (agent_is_there(self, vm))
        forget_reboot(self, vm);
    json_object_set_string_member(command, "execute", "guest-shutdown");
    json_object_set_object_member(command, "arguments", qmp_args("s:mode", reboot ? "reboot" : "powerdown", NULL));
    return run_awaited(self, vm, command, AGENT_POWERED, error);
}

static gboolean agent_sleep(gpointer self, Vm *vm, guint target, GError **error)
{
    static const char *const commands[] = {
        [VIR_NODE_SUSPEND_TARGET_MEM] = "guest-suspend-ram",
        [VIR_NODE_SUSPEND_TARGET_DISK] = "guest-suspend-disk",
        [VIR_NODE_SUSPEND_TARGET_HYBRID] = "guest-suspend-hybrid",
    };
    JsonObject *command = json_object_new();

    json_object_set_string_member(command, "execute", commands[target]);
    return run_awaited(self, vm, command, AGENT_ASLEEP | AGENT_POWERED, error);
}

/* --- what is done by the monitor --- */

static gboolean agent_time_set(gpointer self, Vm *vm, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    return qmp && qmp_do(qmp, "rtc-reset-reinjection", NULL, QMP_DEADLINE, error);
}

const DriverAgentOps kvm_agent_ops = {
    .check = agent_check,
    .is_there = agent_is_there,
    .call = agent_call,
    .shut_down = agent_shut_down,
    .sleep = agent_sleep,
    .time_set = agent_time_set,
};
