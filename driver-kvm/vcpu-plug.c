/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/vcpu-plug.h"

#include <string.h>

#include "driver-kvm/qmp-commands.h"
#include "driver-kvm/threads.h"
#include "lib/error.h"
#include "lib/json-peek.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-plug.h"

#define PREFIX "vcpu"
#define UNPLUG_DEADLINE (5 * G_USEC_PER_SEC)

/* --- places --- */

static gint by_place(gconstpointer a, gconstpointer b)
{
    static const char *const keys[] = {"socket-id", "die-id", "core-id", "thread-id"};
    JsonObject *one = json_peek_object(*(JsonObject *const *)a, "props"), *other = json_peek_object(*(JsonObject *const *)b, "props");

    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        gint64 first = 0, second = 0;

        json_peek_int(one, keys[i], &first);
        json_peek_int(other, keys[i], &second);
        if (first != second)
            return first < second ? -1 : 1;
    }
    return 0;
}

/* Borrowed from ANSWER; NULL with ERROR. */
static JsonObject *find_place(JsonNode *answer, guint id, GError **error)
{
    JsonArray *list = json_peek_as_array(answer);
    g_autoptr(GPtrArray) places = g_ptr_array_new();

    for (guint i = 0; i < json_peek_length(list); i++)
        if (json_peek_object_at(list, i))
            g_ptr_array_add(places, json_peek_object_at(list, i));
    g_ptr_array_sort(places, by_place);
    if (id < places->len)
        return places->pdata[id];
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "QEMU has no place for vcpu '%u'", id);
    return NULL;
}

/* --- coming --- */

static void copy_member(JsonObject *from, const char *name, JsonNode *value, gpointer to)
{
    json_object_set_member(to, name, json_node_copy(value));
}

static gboolean add_device(Qmp *qmp, guint id, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call(qmp, "query-hotpluggable-cpus", NULL, QMP_DEADLINE, error);
    JsonObject *place = answer ? find_place(answer, id, error) : NULL;
    const char *type = json_peek_string(place, "type");
    g_autofree char *alias = g_strdup_printf(PREFIX "%u", id);
    JsonObject *arguments;

    if (!place)
        return FALSE;
    if (!type || !json_peek_object(place, "props"))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "QEMU does not say what vcpu '%u' is", id);
    arguments = qmp_args("s:driver", type, "s:id", alias, NULL);
    json_object_foreach_member(json_peek_object(place, "props"), copy_member, arguments);
    return qmp_do(qmp, "device_add", arguments, QMP_DEADLINE, error);
}

static gboolean learn_threads(Guest *guest, Qmp *qmp, GError **error)
{
    g_autoptr(GArray) threads = NULL;

    if (!qmp_query_cpus(qmp, &threads, error))
        return FALSE;
    g_mutex_lock(&guest->lock);
    g_clear_pointer(&guest->threads, g_array_unref);
    guest->threads = g_steal_pointer(&threads);
    g_mutex_unlock(&guest->lock);
    return TRUE;
}

static pid_t thread_of(Guest *guest, guint id)
{
    g_mutex_lock(&guest->lock);
    pid_t tid = guest->threads && id < guest->threads->len ? (pid_t)g_array_index(guest->threads, gint64, id) : 0;
    g_mutex_unlock(&guest->lock);
    return tid;
}

typedef struct {
    guint id;
    gboolean in;
} Plug;

static gboolean edit_plug(Domain *live, gpointer data, GError **error)
{
    const Plug *plug = data;

    domain_plug_vcpu(live, plug->id, plug->in, TRUE);
    return TRUE;
}

static gboolean plug_in(Guest *guest, Qmp *qmp, guint id, GError **error)
{
    Plug plug = {id, TRUE};

    if (!add_device(qmp, id, error) || !learn_threads(guest, qmp, error) || !guest_edit(guest, edit_plug, &plug, error))
        return FALSE;
    g_autoptr(Domain) live = guest_live(guest);
    pid_t tid = thread_of(guest, id);
    return tid <= 0 || threads_place_vcpu(live, id, tid, error);
}

static gint by_order(gconstpointer a, gconstpointer b)
{
    const VcpuState *one = *(const VcpuState *const *)a, *other = *(const VcpuState *const *)b;

    if (one->order != other->order)
        return one->order < other->order ? -1 : 1;
    return one->id < other->id ? -1 : one->id > other->id;
}

/* What is not there yet is not plugged in; what comes gets its order. DATA: the states that come, of another copy. */
static gboolean edit_begin(Domain *live, gpointer data, GError **error)
{
    const GPtrArray *coming = data;

    for (guint i = 0; i < coming->len; i++) {
        VcpuState *state = domain_vcpu_state(live, ((const VcpuState *)coming->pdata[i])->id);

        state->enabled = TOGGLE_OFF;
        state->order = UNSET32;
    }
    live->vcpu->current = domain_boot_vcpus(live);
    return TRUE;
}

gboolean vcpu_plug_all(Guest *guest, Qmp *qmp, GError **error)
{
    g_autoptr(Domain) live = guest_live(guest);
    g_autoptr(GPtrArray) coming = g_ptr_array_new();

    for (guint i = 0; live->vcpus && i < live->vcpus->vcpus->len; i++) {
        VcpuState *state = live->vcpus->vcpus->pdata[i];

        if (state->enabled == TOGGLE_ON && state->hotpluggable == TOGGLE_ON)
            g_ptr_array_add(coming, state);
    }
    if (coming->len == 0)
        return TRUE;
    g_ptr_array_sort(coming, by_order);
    if (!guest_edit(guest, edit_begin, coming, error))
        return FALSE;
    for (guint i = 0; i < coming->len; i++)
        if (!plug_in(guest, qmp, ((const VcpuState *)coming->pdata[i])->id, error))
            return FALSE;
    return TRUE;
}

void vcpu_learn(Guest *guest)
{
    g_autoptr(Domain) live = guest_live(guest);

    for (guint i = 0; i < domain_max_vcpus(live); i++) {
        Plug plug = {i, thread_of(guest, i) > 0};

        if (plug.in != domain_vcpu_enabled(live, i))
            guest_edit(guest, edit_plug, &plug, NULL);
    }
}

/* --- going --- */

/* The guest lets it go when it likes; DEVICE_DELETED tells. */
static gboolean wait_gone(Guest *guest, guint id, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + UNPLUG_DEADLINE;
    gboolean there = TRUE;

    g_mutex_lock(&guest->lock);
    while ((there = guest->live && domain_vcpu_enabled(guest->live, id)) && !guest->gone)
        if (!g_cond_wait_until(&guest->changed, &guest->lock, deadline))
            break;
    g_mutex_unlock(&guest->lock);
    return !there || error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT,
                               "vcpu unplug request timed out. Unplug result must be manually inspected in the domain");
}

static gboolean plug_out(Guest *guest, Qmp *qmp, guint id, GError **error)
{
    g_autoptr(Domain) live = guest_live(guest);
    g_autofree char *alias = g_strdup_printf(PREFIX "%u", id);

    if (!domain_vcpu_hotpluggable(live, id))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "vcpu '%u' can't be unplugged", id);
    return qmp_do(qmp, "device_del", qmp_args("s:id", alias, NULL), QMP_DEADLINE, error) && wait_gone(guest, id, error);
}

gboolean vcpu_gone(Guest *guest, const char *alias)
{
    guint64 id;

    if (!g_str_has_prefix(alias, PREFIX) ||
        !g_ascii_string_to_unsigned(alias + strlen(PREFIX), 10, 0, G_MAXUINT16, &id, NULL))
        return FALSE;
    Plug plug = {(guint)id, FALSE};
    guest_edit(guest, edit_plug, &plug, NULL);
    g_mutex_lock(&guest->lock);
    if (guest->threads && id < guest->threads->len)
        g_array_index(guest->threads, gint64, id) = 0;
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
    return TRUE;
}

gboolean vcpu_plug(gpointer self, Vm *vm, guint id, gboolean in, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    return qmp && (in ? plug_in(guest, qmp, id, error) : plug_out(guest, qmp, id, error));
}
