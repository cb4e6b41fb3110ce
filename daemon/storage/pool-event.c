/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/storage/pool-event.h"

#include <string.h>

#include "daemon/rpc/client.h"
#include "daemon/rpc/subscriber.h"

static Subscribers *subscribers(void)
{
    static gsize made;
    static Subscribers *all;

    if (g_once_init_enter(&made)) {
        all = subscribers_new();
        g_once_init_leave(&made, 1);
    }
    return all;
}

gboolean remote_connect_storage_pool_event_register_any(Call *call,
                                                        const RemoteConnectStoragePoolEventRegisterAnyArgs *args,
                                                        RemoteConnectStoragePoolEventRegisterAnyRet *ret,
                                                        GError **error)
{
    if (args->event_id < 0 || args->event_id > VIR_STORAGE_POOL_EVENT_ID_REFRESH)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "unsupported storage pool event ID %d",
                         args->event_id);
    return subscribers_add(subscribers(), call, args->event_id, args->pool ? args->pool->uuid : NULL, &ret->callback_id, error);
}

gboolean remote_connect_storage_pool_event_deregister_any(Call *call,
                                                          const RemoteConnectStoragePoolEventDeregisterAnyArgs *args,
                                                          GError **error)
{
    return subscribers_remove(subscribers(), call, args->callback_id) ||
           error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "storage pool event callback %d not registered",
                     args->callback_id);
}

typedef struct {
    RemoteNonnullStoragePool pool;
    int event;
} Told;

static void send_lifecycle(const Subscriber *to, gpointer data)
{
    const Told *told = data;
    RemoteStoragePoolEventLifecycleMsg message = {.callback_id = to->callback, .pool = told->pool, .event = told->event};

    client_send_message(to->client, wire_proc(&remote_program, REMOTE_PROC_STORAGE_POOL_EVENT_LIFECYCLE), &message);
}

static void send_refresh(const Subscriber *to, gpointer data)
{
    const Told *told = data;
    RemoteStoragePoolEventRefreshMsg message = {.callback_id = to->callback, .pool = told->pool};

    client_send_message(to->client, wire_proc(&remote_program, REMOTE_PROC_STORAGE_POOL_EVENT_REFRESH), &message);
}

static void tell(VolumePool *pool, int event_id, int event, SubscriberFunc send)
{
    g_autoptr(PoolView) view = pool_view(pool);
    Told told = {{.name = view->def->name}, event};

    memcpy(told.pool.uuid, pool->uuid, sizeof told.pool.uuid);
    subscribers_tell(subscribers(), event_id, pool->uuid, send, &told);
}

void pool_event_lifecycle(VolumePool *pool, int event)
{
    tell(pool, VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE, event, send_lifecycle);
}

void pool_event_refresh(VolumePool *pool)
{
    tell(pool, VIR_STORAGE_POOL_EVENT_ID_REFRESH, 0, send_refresh);
}
