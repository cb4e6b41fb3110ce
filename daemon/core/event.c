/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/event.h"

#include <stddef.h>
#include <string.h>

typedef struct {
    gatomicrefcount refs;
    int number;
    const DriverInstance *instance;
    int event_id;
    gboolean one; /* of one domain */
    guint8 uuid[16];
    EventSink sink;
    gpointer data;
    GDestroyNotify destroy;
} Subscription;

typedef struct {
    Vm *vm;
    char *name;
    int id;
    VmEvent event;
    GStringChunk *strings; /* what EVENT's strings point to */
    const char **identities;
    Params *params; /* a copy of what EVENT carries */
} Emitted;

#define SETTLE_USEC (20 * 1000)

static Loop *event_loop;
static gint pending;         /* atomic: emitted, not delivered */
static GMutex settle_lock;
static GCond settled;        /* another was delivered */
static guint64 n_emitted;    /* settle_lock, as the next */
static guint64 n_delivered;
static GMutex lock;
static GPtrArray *subscriptions; /* of Subscription, in the order of subscribing */
static int last_number;

static void subscription_unref(gpointer data)
{
    Subscription *subscription = data;
    if (!g_atomic_ref_count_dec(&subscription->refs))
        return;
    if (subscription->destroy)
        subscription->destroy(subscription->data);
    g_free(subscription);
}

static Subscription *subscription_ref(Subscription *subscription)
{
    g_atomic_ref_count_inc(&subscription->refs);
    return subscription;
}

void event_open(Loop *loop)
{
    event_loop = loop;
    if (!subscriptions)
        subscriptions = g_ptr_array_new_with_free_func(subscription_unref);
}

int event_subscribe(const DriverInstance *instance, int event_id, const guint8 *uuid, EventSink sink, gpointer data,
                    GDestroyNotify destroy)
{
    Subscription *subscription = g_new0(Subscription, 1);
    g_atomic_ref_count_init(&subscription->refs);
    subscription->instance = instance;
    subscription->event_id = event_id;
    subscription->one = uuid != NULL;
    if (uuid)
        memcpy(subscription->uuid, uuid, sizeof(subscription->uuid));
    subscription->sink = sink;
    subscription->data = data;
    subscription->destroy = destroy;
    g_mutex_lock(&lock);
    int number = subscription->number = last_number = last_number == G_MAXINT ? 1 : last_number + 1;
    g_ptr_array_add(subscriptions, subscription);
    g_mutex_unlock(&lock);
    return number;
}

gboolean event_unsubscribe(int number)
{
    Subscription *found = NULL;
    g_mutex_lock(&lock);
    for (guint i = 0; i < subscriptions->len && !found; i++)
        if (((Subscription *)subscriptions->pdata[i])->number == number)
            found = g_ptr_array_steal_index(subscriptions, i);
    g_mutex_unlock(&lock);
    if (found)
        subscription_unref(found);
    return found != NULL;
}

static gboolean wants(const Subscription *subscription, const Vm *vm, int event_id)
{
    return subscription->event_id == event_id && subscription->instance == vm->instance &&
           (!subscription->one || memcmp(subscription->uuid, vm->uuid, sizeof(vm->uuid)) == 0);
}

/* NULL: nobody wants it. */
static GPtrArray *interested(const Vm *vm, int event_id)
{
    GPtrArray *some = NULL;
    g_mutex_lock(&lock);
    for (guint i = 0; i < subscriptions->len; i++) {
        Subscription *subscription = subscriptions->pdata[i];
        if (!wants(subscription, vm, event_id))
            continue;
        if (!some)
            some = g_ptr_array_new_with_free_func(subscription_unref);
        g_ptr_array_add(some, subscription_ref(subscription));
    }
    g_mutex_unlock(&lock);
    return some;
}

static void emitted_free(Emitted *emitted)
{
    vm_unref(emitted->vm);
    g_free(emitted->name);
    g_free(emitted->identities);
    params_free(emitted->params);
    g_string_chunk_free(emitted->strings);
    g_free(emitted);
}

static void deliver(gpointer data)
{
    Emitted *emitted = data;
    g_autoptr(GPtrArray) some = interested(emitted->vm, emitted->event.id);
    EventSource source = {emitted->vm->instance, emitted->vm->uuid, emitted->name, emitted->id};
    for (guint i = 0; some && i < some->len; i++) {
        const Subscription *subscription = some->pdata[i];
        subscription->sink(&source, &emitted->event, subscription->data);
    }
    emitted_free(emitted);
    g_mutex_lock(&settle_lock);
    n_delivered++;
    g_atomic_int_add(&pending, -1);
    g_cond_broadcast(&settled);
    g_mutex_unlock(&settle_lock);
}

void event_settle(void)
{
    if (g_atomic_int_get(&pending) == 0 || loop_is_current(event_loop))
        return;
    gint64 deadline = g_get_monotonic_time() + SETTLE_USEC;
    gboolean in_time = TRUE;
    g_mutex_lock(&settle_lock);
    for (guint64 last = n_emitted; n_delivered < last && in_time;)
        in_time = g_cond_wait_until(&settled, &settle_lock, deadline);
    g_mutex_unlock(&settle_lock);
}

static const char **copy_identities(GStringChunk *strings, const char *const *identities)
{
    guint n = identities ? g_strv_length((char **)identities) : 0;
    const char **copy = g_new0(const char *, n + 1);
    for (guint i = 0; i < n; i++)
        copy[i] = g_string_chunk_insert(strings, identities[i]);
    return copy;
}

#define STRINGS_MAX 5
#define AT(member) offsetof(VmEvent, member)

/* Where an event's strings are; a zero ends a row. Events that are not here have none. */
static const struct {
    int id;
    gsize offsets[STRINGS_MAX + 1];
} string_members[] = {
    {VIR_DOMAIN_EVENT_ID_IO_ERROR, {AT(io_error.src_path), AT(io_error.dev_alias), AT(io_error.reason)}},
    {VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, {AT(io_error.src_path), AT(io_error.dev_alias), AT(io_error.reason)}},
    {VIR_DOMAIN_EVENT_ID_GRAPHICS,
     {AT(graphics.local_node), AT(graphics.local_service), AT(graphics.remote_node), AT(graphics.remote_service),
      AT(graphics.auth_scheme)}},
    {VIR_DOMAIN_EVENT_ID_DISK_CHANGE, {AT(disk_change.old_path), AT(disk_change.new_path), AT(disk_change.dev_alias)}},
    {VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, {AT(tray_change.dev_alias)}},
    {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, {AT(device.dev_alias)}},
    {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, {AT(device.dev_alias)}},
    {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, {AT(device.dev_alias)}},
    {VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, {AT(metadata.ns_uri)}},
    {VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE, {AT(memory_device_size.alias)}},
    {VIR_DOMAIN_EVENT_ID_BLOCK_JOB, {AT(block_job.path), AT(block_job.dst)}},
    {VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, {AT(block_job.path), AT(block_job.dst)}},
    {EVENT_MONITOR, {AT(monitor.name), AT(monitor.details)}},
    {VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD, {AT(block_threshold.dev), AT(block_threshold.path)}},
};

static void keep_strings(Emitted *emitted)
{
    for (guint i = 0; i < G_N_ELEMENTS(string_members); i++) {
        if (string_members[i].id != emitted->event.id)
            continue;
        for (const gsize *offset = string_members[i].offsets; *offset; offset++) {
            const char **string = (const char **)((char *)&emitted->event + *offset);
            *string = *string ? g_string_chunk_insert(emitted->strings, *string) : NULL;
        }
    }
    if (emitted->event.id == VIR_DOMAIN_EVENT_ID_GRAPHICS)
        emitted->event.graphics.identities = emitted->identities =
            copy_identities(emitted->strings, emitted->event.graphics.identities);
}

static void keep_params(Emitted *emitted)
{
    if (emitted->event.id != VIR_DOMAIN_EVENT_ID_JOB_COMPLETED && emitted->event.id != VIR_DOMAIN_EVENT_ID_TUNABLE)
        return;
    emitted->params = params_new();
    params_extend(emitted->params, emitted->event.job.params);
    emitted->event.job.params = emitted->params;
}

static void emit_as(Vm *vm, const char *name, const VmEvent *event)
{
    g_autoptr(VmView) view = vm_view(vm);
    Emitted *emitted = g_new0(Emitted, 1);
    emitted->vm = vm_ref(vm);
    emitted->name = g_strdup(name ? name : vm_view_def(view)->name);
    emitted->id = view->id;
    emitted->event = *event;
    emitted->strings = g_string_chunk_new(128);
    keep_strings(emitted);
    keep_params(emitted);
    g_mutex_lock(&settle_lock);
    n_emitted++;
    g_atomic_int_inc(&pending);
    loop_post(event_loop, deliver, emitted);
    g_mutex_unlock(&settle_lock);
}

void event_emit(Vm *vm, const VmEvent *event)
{
    emit_as(vm, NULL, event);
}

void event_emit_lifecycle_as(Vm *vm, const char *name, int event, int detail)
{
    VmEvent one = {.id = VIR_DOMAIN_EVENT_ID_LIFECYCLE, .lifecycle = {event, detail}};
    emit_as(vm, name, &one);
}

void event_emit_lifecycle(Vm *vm, int event, int detail)
{
    event_emit_lifecycle_as(vm, NULL, event, detail);
}
