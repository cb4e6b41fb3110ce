/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/moment.h"

#include "lib/error.h"
#include "lib/model/domain-source.h"

#define REFUSE(error, ...) error_set(error, VIR_FROM_DOMAIN_SNAPSHOT, VIR_ERR_XML_ERROR, __VA_ARGS__)

/* --- snapshots --- */

static gboolean is_off(const Snapshot *snapshot)
{
    return snapshot->state == SNAPSHOT_STATE_SHUTOFF || snapshot->state == SNAPSHOT_STATE_DISK_SNAPSHOT;
}

static gboolean check_redefined(const Snapshot *snapshot, GError **error)
{
    if (!snapshot->name)
        return REFUSE(error, "a redefined snapshot must have a name");
    if (snapshot->creation_time == (gint64)UNSET64)
        return error_set(error, VIR_FROM_DOMAIN_SNAPSHOT, VIR_ERR_INTERNAL_ERROR, "missing creationTime from existing snapshot");
    return snapshot->state || REFUSE(error, "missing state from existing snapshot");
}

/* What is found out when it is taken. */
static void forget_past(Snapshot *snapshot)
{
    snapshot->state = SNAPSHOT_STATE_UNSET;
    snapshot->creation_time = (gint64)UNSET64;
    g_clear_pointer(&snapshot->parent, moment_parent_free);
    g_clear_pointer(&snapshot->stub, moment_domain_free);
    g_clear_pointer(&snapshot->domain, domain_unref);
    g_clear_pointer(&snapshot->inactive, domain_unref);
    g_clear_pointer(&snapshot->cookie, save_cookie_free);
}

static gboolean complete_memory(Snapshot *snapshot, gboolean redefine, GError **error)
{
    SnapshotMemory *memory = snapshot->memory;

    if (!memory) {
        if (!redefine)
            return TRUE;
        memory = snapshot->memory = snapshot_memory_new();
    }
    if (memory->snapshot == SNAPSHOT_LOCATION_MANUAL)
        return REFUSE(error, "'manual' memory snapshot mode not supported");
    if (!memory->snapshot && memory->file)
        memory->snapshot = SNAPSHOT_LOCATION_EXTERNAL;
    else if (!memory->snapshot && redefine)
        memory->snapshot = is_off(snapshot) ? SNAPSHOT_LOCATION_NO : SNAPSHOT_LOCATION_INTERNAL;
    if (memory->file && memory->snapshot != SNAPSHOT_LOCATION_EXTERNAL)
        return REFUSE(error, "memory filename '%s' requires external snapshot", memory->file);
    if (!memory->file && memory->snapshot == SNAPSHOT_LOCATION_EXTERNAL)
        return REFUSE(error, "external memory snapshots require a filename");
    if (is_off(snapshot) && memory->snapshot && memory->snapshot != SNAPSHOT_LOCATION_NO)
        return REFUSE(error, "memory state cannot be saved with offline or disk-only snapshot");
    return !memory->file || g_path_is_absolute(memory->file) ||
           REFUSE(error, "memory snapshot file path (%s) must be absolute", memory->file);
}

static gboolean is_path(StorageType type)
{
    return type == STORAGE_TYPE_FILE || type == STORAGE_TYPE_BLOCK;
}

static const char *place_of(const SnapshotDisk *disk)
{
    const DiskSource *source = disk->source;
    const char *const places[] = {source->file, source->dev, source->name, source->path, source->namespace != UNSET64 ? "" : NULL};

    for (guint i = 0; i < G_N_ELEMENTS(places); i++)
        if (places[i])
            return places[i];
    return NULL;
}

/* One that says neither where it is nor what it is says nothing of its type. */
static gboolean complete_disk(SnapshotDisk *disk, GError **error)
{
    const char *place = disk->source ? place_of(disk) : NULL;
    StorageFormat format = disk->driver ? disk->driver->type : STORAGE_FORMAT_UNSET;

    if (disk->type == STORAGE_TYPE_DIR || disk->type == STORAGE_TYPE_VOLUME)
        return REFUSE(error, "unsupported disk snapshot type '%s'", storage_type_to_string(disk->type));
    if (format == STORAGE_FORMAT_NONE)
        return error_set(error, VIR_FROM_DOMAIN_SNAPSHOT, VIR_ERR_CONFIG_UNSUPPORTED, "unknown disk snapshot driver '%s'", "none");
    if (!domain_normalize_source(disk->type, disk->source, error))
        return FALSE;
    if (disk->source)
        disk->source->startup_policy = DISK_STARTUP_UNSET;
    if (place && is_path(disk->type) && !g_path_is_absolute(place))
        return REFUSE(error, "disk snapshot image path '%s' must be absolute", place);
    if (place || format) {
        if (!disk->snapshot)
            disk->snapshot = SNAPSHOT_LOCATION_EXTERNAL;
        return TRUE;
    }
    disk->type = STORAGE_TYPE_UNSET;
    g_clear_pointer(&disk->source, disk_source_free);
    g_clear_pointer(&disk->driver, snapshot_driver_free);
    return TRUE;
}

Snapshot *snapshot_read(XmlDocument *document, gboolean redefine, GError **error)
{
    if (!xml_check_root(document, "domainsnapshot", error))
        return NULL;
    g_autoptr(Snapshot) snapshot = model_parse(&snapshot_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error);
    if (!snapshot || (redefine && !check_redefined(snapshot, error)))
        return NULL;
    if (!redefine)
        forget_past(snapshot);
    if (redefine && is_off(snapshot))
        g_clear_pointer(&snapshot->cookie, save_cookie_free);
    if (!complete_memory(snapshot, redefine, error))
        return NULL;
    for (guint i = 0; snapshot->disks && i < snapshot->disks->disks->len; i++)
        if (!complete_disk(snapshot->disks->disks->pdata[i], error))
            return NULL;
    return g_steal_pointer(&snapshot);
}

gboolean snapshot_is_external(const Snapshot *snapshot)
{
    if (snapshot->memory && snapshot->memory->snapshot == SNAPSHOT_LOCATION_EXTERNAL)
        return TRUE;
    for (guint i = 0; snapshot->disks && i < snapshot->disks->disks->len; i++)
        if (((const SnapshotDisk *)snapshot->disks->disks->pdata[i])->snapshot == SNAPSHOT_LOCATION_EXTERNAL)
            return TRUE;
    return FALSE;
}

/* --- checkpoints --- */

Checkpoint *checkpoint_read(XmlDocument *document, gboolean redefine, GError **error)
{
    if (!xml_check_root(document, "domaincheckpoint", error))
        return NULL;
    g_autoptr(Checkpoint) checkpoint = model_parse(&checkpoint_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error);
    if (!checkpoint)
        return NULL;
    if (redefine && !checkpoint->name) {
        error_set(error, VIR_FROM_DOMAIN_CHECKPOINT, VIR_ERR_XML_ERROR, "a redefined checkpoint must have a name");
        return NULL;
    }
    if (redefine && checkpoint->creation_time == UNSET64) {
        error_set(error, VIR_FROM_DOMAIN_CHECKPOINT, VIR_ERR_INTERNAL_ERROR, "missing creationTime from existing checkpoint");
        return NULL;
    }
    if (!redefine) {
        checkpoint->creation_time = UNSET64;
        g_clear_pointer(&checkpoint->parent, moment_parent_free);
        g_clear_pointer(&checkpoint->domain, domain_unref);
    }
    for (guint i = 0; checkpoint->disks && i < checkpoint->disks->disks->len; i++) {
        CheckpointDisk *disk = checkpoint->disks->disks->pdata[i];
        if (disk->checkpoint == CHECKPOINT_KIND_BITMAP && !disk->bitmap)
            disk->bitmap = g_strdup(checkpoint->name);
    }
    return g_steal_pointer(&checkpoint);
}

/* --- backups --- */

static gboolean check_server(const Backup *backup, GError **error)
{
    const BackupServer *server = backup->server;

    if (!server)
        return TRUE;
    if (backup->mode != BACKUP_MODE_PULL)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "use of <server> requires pull mode backup");
    if (server->transport == BACKUP_TRANSPORT_RDMA)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "transport rdma is not supported for <server>");
    return !server->socket || g_path_is_absolute(server->socket) ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "backup socket path '%s' must be absolute", server->socket);
}

Backup *backup_read(XmlDocument *document, GError **error)
{
    if (!xml_check_root(document, "domainbackup", error))
        return NULL;
    g_autoptr(Backup) backup = model_parse(&backup_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error);
    if (!backup || !check_server(backup, error))
        return NULL;
    for (guint i = 0; backup->disks && i < backup->disks->disks->len; i++) {
        BackupDisk *disk = backup->disks->disks->pdata[i];
        if (disk->backup == TOGGLE_ON) {
            if (!domain_normalize_source(disk->type, disk->target ? disk->target : disk->scratch, error))
                return NULL;
            continue;
        }
        disk->backupmode = BACKUP_DISK_MODE_UNSET;
        g_clear_pointer(&disk->incremental, g_free);
        g_clear_pointer(&disk->exportname, g_free);
        g_clear_pointer(&disk->exportbitmap, g_free);
    }
    return g_steal_pointer(&backup);
}
