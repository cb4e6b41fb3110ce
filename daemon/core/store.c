/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * state/domains/DRIVER/UUID.xml         the definition, as libvirt writes it
 * state/domains/DRIVER/UUID.autostart   empty: the domain starts with the host
 * state/save/DRIVER/UUID.save           the managed save
 *
 * Named by UUID and not by name: a name may hold any octet but '/' and be longer than a file name, and a rename would need
 * two steps on the disk. So every operation has exactly one step that decides, and kill -9 before it leaves the old, after
 * it the new:
 *
 *   define, redefine   the rename of UUID.xml.new to UUID.xml (file_replace); before and after it a UUID.xml.new may lie
 *                      around, which the next write of that file or the loader takes away
 *   rename             the same: the name is in the document
 *   autostart          the marker appears or goes
 *   undefine           UUID.xml goes; then the marker. After a kill in between the marker has no definition: the loader
 *                      takes it away. The managed save is kept by a plain undefine, as by libvirt, so it goes before, when
 *                      a flag asks for that: a kill in between leaves a definition without it, as if the caller had
 *                      removed it himself, and the undefine, which was not acknowledged, has not happened.
 *
 * The folder is synced after each step, so that the order also holds for loss of power.
 *
 * A file that cannot be read is renamed to UUID.xml.broken, so that the domain can be defined anew without losing what
 * was there. A journal with group commit was ruled out as long as two fsyncs a definition are fast enough: files can be
 * read, copied and repaired with what every host has.
 */
#include "daemon/core/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/document-limit.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/uuid.h"

#define XML_SUFFIX ".xml"
#define AUTOSTART_SUFFIX ".autostart"
#define HEADER "<!-- Kept by duovirtd. Change it with \"virsh edit\": what is changed here is seen at the next start only. -->\n"

static char *state; /* the folder of everything */

static char *folder_of(const DriverInstance *instance)
{
    return g_build_filename(state, "domains", instance->driver->name, NULL);
}

static char *path_of(const DriverInstance *instance, const char *uuid, const char *suffix)
{
    g_autofree char *folder = folder_of(instance);
    return g_strdup_printf("%s/%s%s", folder, uuid, suffix);
}

static char *managed_save_path(const DriverInstance *instance, const char *uuid)
{
    return g_strdup_printf("%s/save/%s/%s.save", state, instance->driver->name, uuid);
}

gboolean store_open(const DriverPaths *folders, const DriverInstance *instance, GError **error)
{
    g_free(state);
    state = g_strdup(folders->state);
    g_autofree char *folder = folder_of(instance);
    g_autofree char *save = managed_save_path(instance, "x");
    g_autofree char *save_folder = g_path_get_dirname(save);
    return file_make_folder(folder, 0700, error) && file_make_folder(save_folder, 0700, error);
}

char *store_managed_save_path(const Vm *vm)
{
    return managed_save_path(vm->instance, vm->uuid_text);
}

gboolean store_save(const Vm *vm, const Domain *definition, GError **error)
{
    g_autofree char *path = path_of(vm->instance, vm->uuid_text, XML_SUFFIX);
    g_autofree char *xml = model_format_text(&domain_type, definition, MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE | MODEL_FORMAT_STATUS);
    g_autofree char *text = g_strconcat(HEADER, xml, NULL);
    return document_limit_check(text, definition->name, 0, error) && file_replace(path, text, -1, 0600, error);
}

/* A marker that stays is harmless: whoever finds it takes it away, the loader or who makes the domain anew. */
gboolean store_remove(const Vm *vm, GError **error)
{
    g_autofree char *path = path_of(vm->instance, vm->uuid_text, XML_SUFFIX);
    g_autoptr(GError) left = NULL;
    if (!file_remove(path, error))
        return FALSE;
    if (!store_set_autostart(vm, FALSE, &left))
        log_line(LOG_ERR, "%s", left->message);
    return TRUE;
}

gboolean store_set_autostart(const Vm *vm, gboolean autostart, GError **error)
{
    g_autofree char *path = path_of(vm->instance, vm->uuid_text, AUTOSTART_SUFFIX);
    return autostart ? file_replace(path, "", 0, 0600, error) : file_remove(path, error);
}

static gboolean exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static Domain *read_definition(const char *path, const char *uuid, GError **error)
{
    g_autofree char *text = file_read(path, XML_DOCUMENT_MAX, NULL, error);
    if (!text)
        return NULL;
    g_autoptr(Domain) definition = model_parse_text(&domain_type, text, MODEL_PARSE_INACTIVE | MODEL_PARSE_STATUS, NULL, error);
    if (!definition)
        return NULL;
    char inside[UUID_TEXT];
    uuid_format(definition->uuid.bytes, inside);
    if (definition->name && definition->uuid.set && g_str_equal(inside, uuid))
        return g_steal_pointer(&definition);
    error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "no definition of the domain that the file is named after");
    return NULL;
}

static void keep_aside(const char *path, const GError *error)
{
    g_autofree char *aside = g_strconcat(path, ".broken", NULL);
    log_line(LOG_ERR, "definition %s cannot be used and is kept as %s: %s", path, aside, error->message);
    if (rename(path, aside) < 0)
        log_line(LOG_ERR, "cannot rename %s: %s", path, g_strerror(errno));
}

static void load_one(const DriverInstance *instance, const char *uuid, StoreFound found)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of(instance, uuid, XML_SUFFIX);
    g_autofree char *autostart = path_of(instance, uuid, AUTOSTART_SUFFIX);
    g_autofree char *save = managed_save_path(instance, uuid);
    Domain *definition = read_definition(path, uuid, &error);
    if (definition)
        found(instance, definition, exists(autostart), exists(save));
    else
        keep_aside(path, error);
}

/* UUID and SUFFIX of a file that is ours; FALSE for anything else. */
static gboolean split_name(const char *name, char uuid[UUID_TEXT], const char **ret_suffix)
{
    guint8 bytes[UUID_BYTES];
    char again[UUID_TEXT];
    g_strlcpy(uuid, name, UUID_TEXT);
    if (strlen(name) <= UUID_TEXT - 1 || !uuid_parse(uuid, bytes))
        return FALSE;
    uuid_format(bytes, again);
    *ret_suffix = name + UUID_TEXT - 1;
    return g_str_equal(again, uuid);
}

/* What a kill left behind. */
static void sweep(const DriverInstance *instance, const char *uuid, const char *suffix)
{
    g_autofree char *definition = path_of(instance, uuid, XML_SUFFIX);
    g_autofree char *path = path_of(instance, uuid, suffix);
    gboolean half_written = g_str_has_suffix(suffix, ".new");
    gboolean orphan = g_str_equal(suffix, AUTOSTART_SUFFIX) && !exists(definition);
    if (half_written || orphan)
        unlink(path);
}

/* A save that was being written or removed. */
static void sweep_saves(const DriverInstance *instance)
{
    g_autofree char *some = managed_save_path(instance, "x");
    g_autofree char *folder = g_path_get_dirname(some);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_str_has_suffix(name, ".new") || g_str_has_suffix(name, ".part"))
            unlink(path);
    }
}

void store_load(const DriverInstance *instance, StoreFound found)
{
    sweep_saves(instance);
    g_autofree char *folder = folder_of(instance);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &error);
    const char *name, *suffix;
    char uuid[UUID_TEXT];
    if (!dir)
        log_line(LOG_ERR, "cannot read the definitions: %s", error->message);
    while (dir && (name = g_dir_read_name(dir))) {
        if (!split_name(name, uuid, &suffix))
            continue;
        if (g_str_equal(suffix, XML_SUFFIX))
            load_one(instance, uuid, found);
        else
            sweep(instance, uuid, suffix);
    }
}
