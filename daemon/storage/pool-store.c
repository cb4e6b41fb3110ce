/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * state/storage/UUID.xml, UUID.autostart as daemon/core/store.c has it for domains, with the same single deciding step
 * for each operation. run/storage/UUID.xml: the live definition of an active pool, written after its start, before the
 * reply, and removed as its stop begins: a pool of a kill in between is inactive for the next daemon, and its folder
 * untouched.
 */
#include "daemon/storage/pool-store.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/uuid.h"

#define HEADER "<!-- Kept by duovirtd. Change it with \"virsh pool-edit\". -->\n"

static char *state, *runs;

gboolean pool_store_open(const DriverPaths *paths, GError **error)
{
    g_free(state);
    g_free(runs);
    state = g_build_filename(paths->state, "storage", NULL);
    runs = g_build_filename(paths->run, "storage", NULL);
    return file_make_folder(state, 0700, error) && file_make_folder(runs, 0700, error);
}

static char *path_of(const char *folder, const char *uuid, const char *suffix)
{
    return g_strdup_printf("%s/%s%s", folder, uuid, suffix);
}

static gboolean save(const char *folder, const StoragePool *def, gboolean durable, GError **error)
{
    char uuid[UUID_TEXT];
    uuid_format(def->uuid.bytes, uuid);
    g_autofree char *path = path_of(folder, uuid, ".xml");
    g_autofree char *xml = model_format_text(&storage_pool_type, def, MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE);
    g_autofree char *text = g_strconcat(HEADER, xml, NULL);
    g_autoptr(XmlDocument) again = xml_parse(text, "storage_pool", error);
    if (!again)
        return FALSE;
    return durable ? file_replace(path, text, -1, 0600, error) : file_replace_volatile(path, text, -1, 0600, error);
}

gboolean pool_store_save(const StoragePool *def, GError **error)
{
    return save(state, def, TRUE, error);
}

gboolean pool_store_save_run(const StoragePool *def, GError **error)
{
    return save(runs, def, FALSE, error);
}

gboolean pool_store_remove_run(const VolumePool *pool, GError **error)
{
    g_autofree char *path = path_of(runs, pool->uuid_text, ".xml");
    return file_remove(path, error);
}

gboolean pool_store_set_autostart(const VolumePool *pool, gboolean autostart, GError **error)
{
    g_autofree char *path = path_of(state, pool->uuid_text, ".autostart");
    return autostart ? file_replace(path, "", 0, 0600, error) : file_remove(path, error);
}

gboolean pool_store_remove(const VolumePool *pool, GError **error)
{
    g_autofree char *path = path_of(state, pool->uuid_text, ".xml");
    g_autoptr(GError) left = NULL;
    if (!file_remove(path, error))
        return FALSE;
    if (!pool_store_set_autostart(pool, FALSE, &left)) /* a marker alone means nothing */
        log_line(LOG_ERR, "%s", left->message);
    return TRUE;
}

static StoragePool *read_one(const char *path, const char *uuid, GError **error)
{
    g_autofree char *text = file_read(path, XML_DOCUMENT_MAX, NULL, error);
    g_autoptr(XmlDocument) document = text ? xml_parse(text, "storage_pool", error) : NULL;
    g_autoptr(StoragePool) def = document ? storage_pool_read(document, error) : NULL;
    char inside[UUID_TEXT] = "";
    if (!def)
        return NULL;
    uuid_format(def->uuid.bytes, inside);
    if (g_str_equal(inside, uuid))
        return g_steal_pointer(&def);
    error_set(error, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR, "no definition of the pool that the file is named after");
    return NULL;
}

static void load_one(const char *folder, const char *uuid, PoolStoreFound found)
{
    g_autofree char *path = path_of(folder, uuid, ".xml"), *marker = path_of(folder, uuid, ".autostart");
    g_autofree char *aside = g_strconcat(path, ".broken", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(StoragePool) def = read_one(path, uuid, &error);
    if (def) {
        found(def, access(marker, F_OK) == 0);
        return;
    }
    log_line(LOG_ERR, "definition %s cannot be used and is kept as %s: %s", path, aside, error->message);
    rename(path, aside);
}

static void load(const char *folder, PoolStoreFound found)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        char uuid[UUID_TEXT];
        guint8 bytes[UUID_BYTES];
        g_autofree char *path = g_build_filename(folder, name, NULL), *xml = NULL;
        g_strlcpy(uuid, name, sizeof uuid);
        if (strlen(name) < UUID_TEXT || !uuid_parse(uuid, bytes))
            continue;
        const char *suffix = name + UUID_TEXT - 1;
        xml = path_of(folder, uuid, ".xml");
        if (g_str_equal(suffix, ".xml"))
            load_one(folder, uuid, found);
        else if (g_str_has_suffix(suffix, ".new") || (g_str_equal(suffix, ".autostart") && access(xml, F_OK) < 0))
            unlink(path); /* what a kill left */
    }
}

void pool_store_load(PoolStoreFound definition, PoolStoreFound run)
{
    load(state, definition);
    load(runs, run);
}
