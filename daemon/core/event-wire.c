/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/event-wire.h"

#include <stddef.h>
#include <string.h>

#include "daemon/core/wire-params.h"
#include "daemon/rpc/remote-gen.h"

/* BODY is the event's own message. What is put there is borrowed: messages are encoded and then forgotten. */
typedef void (*Fill)(gpointer body, const VmEvent *event);

#define TEXT(text) ((char *)((text) ? (text) : "")) /* where the wire has no NULL */
#define OPTIONAL(text) ((char *)(text))

#define FILL(name, type)                                                                                               \
    static void fill_##name(type *body, const VmEvent *event);                                                         \
    static void fill_##name##_body(gpointer body, const VmEvent *event)                                                \
    {                                                                                                                  \
        fill_##name(body, event);                                                                                      \
    }                                                                                                                  \
    static void fill_##name(type *body, const VmEvent *event)

FILL(lifecycle, RemoteDomainEventLifecycleMsg)
{
    body->event = event->lifecycle.event;
    body->detail = event->lifecycle.detail;
}

FILL(rtc_change, RemoteDomainEventRtcChangeMsg)
{
    body->offset = event->rtc_change.offset;
}

FILL(watchdog, RemoteDomainEventWatchdogMsg)
{
    body->action = event->watchdog.action;
}

FILL(io_error, RemoteDomainEventIoErrorMsg)
{
    body->src_path = TEXT(event->io_error.src_path);
    body->dev_alias = TEXT(event->io_error.dev_alias);
    body->action = event->io_error.action;
}

FILL(io_error_reason, RemoteDomainEventIoErrorReasonMsg)
{
    body->src_path = TEXT(event->io_error.src_path);
    body->dev_alias = TEXT(event->io_error.dev_alias);
    body->action = event->io_error.action;
    body->reason = TEXT(event->io_error.reason);
}

/* The list of identities is the one thing that is allocated: freed in event_wire_send(). */
FILL(graphics, RemoteDomainEventGraphicsMsg)
{
    const char *const *identities = event->graphics.identities;
    guint n = identities ? g_strv_length((char **)identities) / 2 : 0;
    body->phase = event->graphics.phase;
    body->local = (RemoteDomainEventGraphicsAddress){event->graphics.local_family, TEXT(event->graphics.local_node),
                                                     TEXT(event->graphics.local_service)};
    body->remote = (RemoteDomainEventGraphicsAddress){event->graphics.remote_family, TEXT(event->graphics.remote_node),
                                                      TEXT(event->graphics.remote_service)};
    body->auth_scheme = TEXT(event->graphics.auth_scheme);
    body->n_subject = MIN(n, REMOTE_DOMAIN_EVENT_GRAPHICS_IDENTITY_MAX);
    body->subject = g_new0(RemoteDomainEventGraphicsIdentity, body->n_subject);
    for (guint i = 0; i < body->n_subject; i++)
        body->subject[i] = (RemoteDomainEventGraphicsIdentity){TEXT(identities[2 * i]), TEXT(identities[2 * i + 1])};
}

FILL(block_job, RemoteDomainEventBlockJobMsg)
{
    body->path = TEXT(event->block_job.path);
    body->type = event->block_job.type;
    body->status = event->block_job.status;
}

FILL(disk_change, RemoteDomainEventDiskChangeMsg)
{
    body->old_src_path = OPTIONAL(event->disk_change.old_path);
    body->new_src_path = OPTIONAL(event->disk_change.new_path);
    body->dev_alias = TEXT(event->disk_change.dev_alias);
    body->reason = event->disk_change.reason;
}

FILL(tray_change, RemoteDomainEventTrayChangeMsg)
{
    body->dev_alias = TEXT(event->tray_change.dev_alias);
    body->reason = event->tray_change.reason;
}

FILL(balloon_change, RemoteDomainEventBalloonChangeMsg)
{
    body->actual = event->balloon_change.actual;
}

FILL(device_removed, RemoteDomainEventDeviceRemovedMsg)
{
    body->dev_alias = TEXT(event->device.dev_alias);
}

FILL(block_job_2, RemoteDomainEventBlockJob2Msg)
{
    body->dst = TEXT(event->block_job.dst);
    body->type = event->block_job.type;
    body->status = event->block_job.status;
}

FILL(agent_lifecycle, RemoteDomainEventCallbackAgentLifecycleMsg)
{
    body->state = event->agent.state;
    body->reason = event->agent.reason;
}

FILL(device_added, RemoteDomainEventCallbackDeviceAddedMsg)
{
    body->dev_alias = TEXT(event->device.dev_alias);
}

FILL(device_removal_failed, RemoteDomainEventCallbackDeviceRemovalFailedMsg)
{
    body->dev_alias = TEXT(event->device.dev_alias);
}

FILL(metadata_change, RemoteDomainEventCallbackMetadataChangeMsg)
{
    body->type = event->metadata.type;
    body->nsuri = OPTIONAL(event->metadata.ns_uri);
}

FILL(block_threshold, RemoteDomainEventBlockThresholdMsg)
{
    body->dev = TEXT(event->block_threshold.dev);
    body->path = OPTIONAL(event->block_threshold.path);
    body->threshold = event->block_threshold.threshold;
    body->excess = event->block_threshold.excess;
}

FILL(memory_failure, RemoteDomainEventMemoryFailureMsg)
{
    body->recipient = event->memory_failure.recipient;
    body->action = event->memory_failure.action;
    body->flags = event->memory_failure.flags;
}

FILL(memory_device_size, RemoteDomainEventMemoryDeviceSizeChangeMsg)
{
    body->alias = TEXT(event->memory_device_size.alias);
    body->size = event->memory_device_size.size;
}

FILL(migration_iteration, RemoteDomainEventCallbackMigrationIterationMsg)
{
    body->iteration = event->migration_iteration.iteration;
}

/* The list is freed in event_wire_send(). */
FILL(job_completed, RemoteDomainEventCallbackJobCompletedMsg)
{
    body->params = wire_params_borrow(event->job.params, &body->n_params);
}

FILL(tunable, RemoteDomainEventCallbackTunableMsg)
{
    body->params = wire_params_borrow(event->tunable.params, &body->n_params);
}

static void fill_nothing(gpointer body, const VmEvent *event)
{
}

typedef struct {
    guint32 legacy;   /* procedure of the older form; 0: there is none */
    guint32 callback; /* of the newer form; 0: the event exists, and never happens here */
    gsize body;       /* where in the newer form the older form's message is; 0: it has fields of its own */
    gsize domain;     /* where the domain is, from there on */
    gsize reason;     /* of the newer form; 0: it has none */
    Fill fill;
} Row;

/* An event in both forms; one with a reason that only the newer form carries; one in the newer form only. */
#define BOTH(NAME, Type, fill)                                                                                         \
    {                                                                                                                  \
        REMOTE_PROC_DOMAIN_EVENT_##NAME, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_##NAME,                                     \
            offsetof(RemoteDomainEventCallback##Type##Msg, msg), offsetof(RemoteDomainEvent##Type##Msg, dom), 0, fill  \
    }
#define BOTH_REASON(NAME, Type)                                                                                        \
    {                                                                                                                  \
        REMOTE_PROC_DOMAIN_EVENT_##NAME, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_##NAME,                                     \
            offsetof(RemoteDomainEventCallback##Type##Msg, msg), offsetof(RemoteDomainEvent##Type##Msg, dom),          \
            offsetof(RemoteDomainEventCallback##Type##Msg, reason), fill_nothing                                       \
    }
#define ONE(NAME, Type, fill)                                                                                          \
    {                                                                                                                  \
        0, REMOTE_PROC_DOMAIN_EVENT_##NAME, 0, offsetof(RemoteDomainEvent##Type##Msg, dom), 0, fill                    \
    }

static const Row rows[] = {
    [VIR_DOMAIN_EVENT_ID_LIFECYCLE] = BOTH(LIFECYCLE, Lifecycle, fill_lifecycle_body),
    [VIR_DOMAIN_EVENT_ID_REBOOT] = BOTH(REBOOT, Reboot, fill_nothing),
    [VIR_DOMAIN_EVENT_ID_RTC_CHANGE] = BOTH(RTC_CHANGE, RtcChange, fill_rtc_change_body),
    [VIR_DOMAIN_EVENT_ID_WATCHDOG] = BOTH(WATCHDOG, Watchdog, fill_watchdog_body),
    [VIR_DOMAIN_EVENT_ID_IO_ERROR] = BOTH(IO_ERROR, IoError, fill_io_error_body),
    [VIR_DOMAIN_EVENT_ID_GRAPHICS] = BOTH(GRAPHICS, Graphics, fill_graphics_body),
    [VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON] = BOTH(IO_ERROR_REASON, IoErrorReason, fill_io_error_reason_body),
    [VIR_DOMAIN_EVENT_ID_CONTROL_ERROR] = BOTH(CONTROL_ERROR, ControlError, fill_nothing),
    [VIR_DOMAIN_EVENT_ID_BLOCK_JOB] = BOTH(BLOCK_JOB, BlockJob, fill_block_job_body),
    [VIR_DOMAIN_EVENT_ID_DISK_CHANGE] = BOTH(DISK_CHANGE, DiskChange, fill_disk_change_body),
    [VIR_DOMAIN_EVENT_ID_TRAY_CHANGE] = BOTH(TRAY_CHANGE, TrayChange, fill_tray_change_body),
    [VIR_DOMAIN_EVENT_ID_PMWAKEUP] = BOTH_REASON(PMWAKEUP, Pmwakeup),
    [VIR_DOMAIN_EVENT_ID_PMSUSPEND] = BOTH_REASON(PMSUSPEND, Pmsuspend),
    [VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE] = BOTH(BALLOON_CHANGE, BalloonChange, fill_balloon_change_body),
    [VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK] = BOTH_REASON(PMSUSPEND_DISK, PmsuspendDisk),
    [VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED] = BOTH(DEVICE_REMOVED, DeviceRemoved, fill_device_removed_body),
    [VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2] = ONE(BLOCK_JOB_2, BlockJob2, fill_block_job_2_body),
    [VIR_DOMAIN_EVENT_ID_TUNABLE] = ONE(CALLBACK_TUNABLE, CallbackTunable, fill_tunable_body),
    [VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE] =
        ONE(CALLBACK_AGENT_LIFECYCLE, CallbackAgentLifecycle, fill_agent_lifecycle_body),
    [VIR_DOMAIN_EVENT_ID_DEVICE_ADDED] = ONE(CALLBACK_DEVICE_ADDED, CallbackDeviceAdded, fill_device_added_body),
    [VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION] =
        ONE(CALLBACK_MIGRATION_ITERATION, CallbackMigrationIteration, fill_migration_iteration_body),
    [VIR_DOMAIN_EVENT_ID_JOB_COMPLETED] =
        ONE(CALLBACK_JOB_COMPLETED, CallbackJobCompleted, fill_job_completed_body),
    [VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED] =
        ONE(CALLBACK_DEVICE_REMOVAL_FAILED, CallbackDeviceRemovalFailed, fill_device_removal_failed_body),
    [VIR_DOMAIN_EVENT_ID_METADATA_CHANGE] =
        ONE(CALLBACK_METADATA_CHANGE, CallbackMetadataChange, fill_metadata_change_body),
    [VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD] = ONE(BLOCK_THRESHOLD, BlockThreshold, fill_block_threshold_body),
    [VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE] = ONE(MEMORY_FAILURE, MemoryFailure, fill_memory_failure_body),
    [VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE] =
        ONE(MEMORY_DEVICE_SIZE_CHANGE, MemoryDeviceSizeChange, fill_memory_device_size_body),
};

gboolean event_wire_exists(int event_id)
{
    return event_id >= 0 && event_id < (int)G_N_ELEMENTS(rows);
}

gboolean event_wire_has_legacy(int event_id)
{
    return event_wire_exists(event_id) && (rows[event_id].legacy || !rows[event_id].callback);
}

void event_wire_send(Client *client, const EventSource *source, const VmEvent *event, int callback)
{
    const Row *row = &rows[event->id];
    gboolean legacy = callback < 0;
    const WireProc *proc = wire_proc(&remote_program, legacy ? row->legacy : row->callback);
    if (!proc)
        return;
    g_autofree guint8 *message = g_malloc0(proc->msg->size);
    guint8 *body = message + (legacy ? 0 : row->body);
    RemoteNonnullDomain *domain = (RemoteNonnullDomain *)(gpointer)(body + row->domain);
    row->fill(body, event);
    domain->name = (char *)source->name;
    domain->id = source->id;
    memcpy(domain->uuid, source->uuid, sizeof(domain->uuid));
    if (!legacy)
        *(gint32 *)(gpointer)message = callback; /* the first field of each */
    if (!legacy && row->reason)
        *(gint32 *)(gpointer)(message + row->reason) = event->pm.reason;
    client_send_message(client, proc, message);
    if (event->id == VIR_DOMAIN_EVENT_ID_GRAPHICS)
        g_free(((RemoteDomainEventGraphicsMsg *)(gpointer)body)->subject);
    if (event->id == VIR_DOMAIN_EVENT_ID_JOB_COMPLETED)
        g_free(((RemoteDomainEventCallbackJobCompletedMsg *)(gpointer)body)->params);
    if (event->id == VIR_DOMAIN_EVENT_ID_TUNABLE)
        g_free(((RemoteDomainEventCallbackTunableMsg *)(gpointer)body)->params);
}
