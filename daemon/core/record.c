/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run on disk, step by step, and what the next daemon makes of a kill -9 after each:
 *
 *   1 folder made                        no record: the folder is removed
 *   2 record with "starting up" (intent) the driver kills what it finds by the folder (lock, cgroup), cleans up; the start
 *                                        was not acknowledged and has not happened
 *   3 process made, driver's record      the same: a half-started guest is not kept
 *   4 record with the state it runs in   acknowledged, or about to be: the driver attaches again
 *   5 process gone                       the driver does not find it: cleanup, and a line in the log
 *   6 cleanup done, folder removed       the domain is off
 *
 * Between 5 and 6 everything is done again by the next daemon: Driver.run->cleanup must bear that.
 */
#include "daemon/core/record.h"

#include <errno.h>
#include <sys/stat.h>

#include "daemon/core/document-limit.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/uuid.h"

#define RECORD_ROOM 65536 /* for what a run adds to its definition while it goes on */

static char *runs; /* the folder of all of them */

static char *folder_of(const char *uuid)
{
    return g_build_filename(runs, uuid, NULL);
}

static char *path_of(const char *uuid)
{
    return g_build_filename(runs, uuid, "status.xml", NULL);
}

gboolean record_open(const DriverPaths *folders, GError **error)
{
    g_free(runs);
    runs = g_build_filename(folders->run, "domains", NULL);
    return file_make_folder(runs, 0711, error); /* guests' own users find their sockets below it */
}

static Status *read_record(const char *uuid, GError **error)
{
    g_autofree char *path = path_of(uuid);
    g_autofree char *text = file_read(path, XML_DOCUMENT_MAX, NULL, error);
    if (!text)
        return NULL;
    g_autoptr(Status) status = model_parse_text(&status_type, text, MODEL_PARSE_STATUS, NULL, error);
    if (!status)
        return NULL;
    char inside[UUID_TEXT];
    uuid_format(status->domain->uuid.bytes, inside);
    if (status->version == RECORD_VERSION && status->domain->name && status->domain->id > 0 && g_str_equal(inside, uuid))
        return g_steal_pointer(&status);
    error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "not a record of this daemon for this domain");
    return NULL;
}

gboolean record_prepare(const Vm *vm, GError **error)
{
    g_autofree char *folder = folder_of(vm->uuid_text), *path = path_of(vm->uuid_text);
    g_autoptr(Status) old = read_record(vm->uuid_text, NULL);
    if (old && !g_str_equal(old->driver->name, vm->instance->driver->name))
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID,
                         "a domain of driver %s with uuid %s is running", old->driver->name, vm->uuid_text);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID,
                         "the domain may be running already, and its record cannot be used: remove %s if it is not", path);
    if (!file_remove_tree(folder, error))
        return FALSE;
    return mkdir(folder, 0711) == 0 ||
           error_set_errno(error, vm->instance->from, errno, "cannot make folder '%s'", folder);
}

static void add_entries(StatusDriver *driver, GHashTable *entries)
{
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, entries);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        StatusEntry *entry = status_entry_new();
        entry->name = g_strdup(name);
        entry->value = g_strdup(value);
        g_ptr_array_add(driver->entries, entry);
    }
}

static Status *status_of(Vm *vm, const VmView *view, const Domain *live)
{
    const Driver *driver = vm->instance->driver;
    Status *status = status_new();
    status->version = RECORD_VERSION;
    status->state = view->state;
    status->reason = view->reason;
    status->since = view->state_since;
    status->transient = view->next ? TOGGLE_OFF : TOGGLE_ON;
    status->autodestroy = view->autodestroy ? TOGGLE_ON : TOGGLE_OFF;
    g_mutex_lock(&vm->lock);
    status->agenttimeout = g_strdup_printf("%d", vm->agent_timeout);
    status->taints = vm->taints;
    g_mutex_unlock(&vm->lock);
    status->domain = domain_ref((Domain *)live);
    status->driver = status_driver_new();
    status->driver->name = g_strdup(driver->name);
    if (driver->run->status) {
        g_autoptr(GHashTable) entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        driver->run->status(vm->instance->self, vm, entries);
        add_entries(status->driver, entries);
    }
    return status;
}

static char *text_of(Vm *vm, const VmView *view, const Domain *live)
{
    g_autoptr(Status) status = status_of(vm, view, live);
    return model_format_text(&status_type, status, MODEL_FORMAT_STATUS | MODEL_FORMAT_SECURE);
}

gboolean record_check(Vm *vm, const Domain *live, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    g_autofree char *text = text_of(vm, view, live);
    return document_limit_check(text, live->name, RECORD_ROOM, error);
}

/* Of RUN; 0: whichever it is. */
static gboolean save_locked(Vm *vm, guint64 run, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    if (vm->host || view->id < 0 || (run && view->run != run))
        return TRUE; /* it needs none, or ended meanwhile */
    g_autofree char *text = text_of(vm, view, view->live);
    g_autofree char *path = path_of(vm->uuid_text);
    return document_limit_check(text, view->live->name, 0, error) && file_replace_volatile(path, text, -1, 0600, error);
}

gboolean record_save_run(Vm *vm, guint64 run, GError **error)
{
    g_mutex_lock(&vm->record_lock);
    gboolean ok = save_locked(vm, run, error);
    g_mutex_unlock(&vm->record_lock);
    return ok;
}

gboolean record_save(Vm *vm, GError **error)
{
    return record_save_run(vm, 0, error);
}

gboolean record_remove(Vm *vm, GError **error)
{
    g_autofree char *folder = folder_of(vm->uuid_text);
    g_mutex_lock(&vm->record_lock); /* a late save must not put a file into what is being removed */
    gboolean ok = file_remove_tree(folder, error);
    g_mutex_unlock(&vm->record_lock);
    return ok;
}

GHashTable *record_entries(const Status *status)
{
    GHashTable *entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < status->driver->entries->len; i++) {
        const StatusEntry *entry = status->driver->entries->pdata[i];
        g_hash_table_replace(entries, g_strdup(entry->name), g_strdup(entry->value ? entry->value : ""));
    }
    return entries;
}

/* A folder without a record: killed between the two, nothing was begun. */
static void load_one(const DriverInstance *instance, const char *uuid, RecordFound found)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of(uuid);
    g_autofree char *folder = folder_of(uuid);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        if (!file_remove_tree(folder, &error))
            log_line(LOG_ERR, "%s", error->message);
        return;
    }
    g_autoptr(Status) status = read_record(uuid, &error);
    if (!status)
        log_line(LOG_ERR, "record %s cannot be used; a guest that it is about goes on unseen: %s", path, error->message);
    else if (g_str_equal(status->driver->name, instance->driver->name))
        found(instance, g_steal_pointer(&status));
}

void record_load(const DriverInstance *instance, RecordFound found)
{
    g_autoptr(GDir) dir = g_dir_open(runs, 0, NULL);
    const char *name;
    guint8 bytes[UUID_BYTES];
    while (dir && (name = g_dir_read_name(dir)))
        if (uuid_parse(name, bytes))
            load_one(instance, name, found);
}
