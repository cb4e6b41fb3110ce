/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/channel.h"

#include <string.h>

#include "driver-kvm/agent.h"
#include "lib/json-peek.h"

typedef struct {
    const char *alias;
    ChannelState state;
    gboolean changed; /* set by the edit */
} Edit;

static Chardev *find(const Domain *live, const char *alias)
{
    for (guint i = 0; i < live->devices->channels->len; i++) {
        Chardev *channel = live->devices->channels->pdata[i];
        if (channel->alias && channel->target && channel->target->type == CHARDEV_TARGET_TYPE_VIRTIO &&
            g_strcmp0(channel->alias->name, alias) == 0)
            return channel;
    }
    return NULL;
}

static gboolean edit_state(Domain *live, gpointer data, GError **error)
{
    Edit *edit = data;
    Chardev *channel = find(live, edit->alias);

    if (!channel)
        return TRUE;
    gboolean was_open = channel->target->state == CHANNEL_STATE_CONNECTED;
    edit->changed = was_open != (edit->state == CHANNEL_STATE_CONNECTED);
    channel->target->state = edit->state;
    return TRUE;
}

static gboolean is_agent(Guest *guest, const char *alias)
{
    g_autoptr(Domain) live = guest_live(guest);
    const Chardev *channel = agent_channel(live);

    return channel && channel->alias && g_strcmp0(channel->alias->name, alias) == 0;
}

void channel_tell(Guest *guest, const char *alias, gboolean open, int reason)
{
    Edit edit = {alias, open ? CHANNEL_STATE_CONNECTED : CHANNEL_STATE_DISCONNECTED, FALSE};

    if (!guest_edit(guest, edit_state, &edit, NULL) || !edit.changed || !is_agent(guest, alias))
        return;
    if (!open)
        agent_tell(guest->agent, AGENT_LEFT);
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                     .agent = {open ? VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
                                    : VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
                               reason}};
    guest->kvm->host->emit(guest->vm, &event);
}

gboolean channel_learn(Guest *guest, Qmp *qmp, int reason, GError **error)
{
    g_autoptr(Domain) live = guest_live(guest);
    g_autoptr(JsonNode) answer = qmp_call(qmp, "query-chardev", NULL, QMP_DEADLINE, error);
    JsonArray *list = json_peek_as_array(answer);

    for (guint i = 0; i < json_peek_length(list); i++) {
        JsonObject *one = json_peek_object_at(list, i);
        const char *label = json_peek_string(one, "label");
        if (label && g_str_has_prefix(label, "char") && find(live, label + strlen("char")))
            channel_tell(guest, label + strlen("char"), json_peek_true(one, "frontend-open"), reason);
    }
    return answer != NULL;
}
