/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/secret/secrets.h"

#include <string.h>

#include "daemon/secret/secret-store.h"
#include "lib/error.h"
#include "lib/uuid.h"

typedef struct {
    Secret *def;
    SecretValue *memory; /* of an ephemeral one; NULL: it has none */
    gboolean stored;     /* there is a value on the disk */
} Item;

static GMutex turn; /* who changes something, across the disk */
static GMutex lock; /* the table, and what is in it; never held across I/O */
static GHashTable *items; /* UUID in text -> Item */

static void item_free(gpointer data)
{
    Item *item = data;

    secret_unref(item->def);
    secret_value_free(item->memory);
    g_free(item);
}

const char *secrets_usage(const Secret *def)
{
    const SecretUsage *usage = def->usage;
    const char *text = !usage ? NULL : usage->volume ? usage->volume : usage->name ? usage->name : usage->target;

    return text ? text : "";
}

static gboolean is_ephemeral(const Secret *def)
{
    return def->ephemeral == TOGGLE_ON;
}

static SecretUsageType type_of(const Secret *def)
{
    return def->usage ? def->usage->type : SECRET_USAGE_TYPE_NONE;
}

/* Locked. */
static Item *find(const guint8 uuid[16])
{
    char text[UUID_TEXT];

    uuid_format(uuid, text);
    return g_hash_table_lookup(items, text);
}

/* Locked. */
static Item *find_usage(SecretUsageType type, const char *usage)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Item *item = value;
        if (type_of(item->def) == type && strcmp(secrets_usage(item->def), usage) == 0)
            return value;
    }
    return NULL;
}

/* Locked. */
static void put(Secret *def, SecretValue *memory, gboolean stored)
{
    Item *item = g_new(Item, 1);
    char text[UUID_TEXT];

    uuid_format(def->uuid.bytes, text);
    *item = (Item){secret_ref(def), memory, stored};
    g_hash_table_replace(items, g_strdup(text), item);
}

static void add_stored(Secret *def, gboolean has_value)
{
    put(def, NULL, has_value);
}

gboolean secrets_open(const DriverPaths *paths, GError **error)
{
    if (!secret_store_open(paths, error))
        return FALSE;
    g_mutex_lock(&lock);
    g_clear_pointer(&items, g_hash_table_unref);
    items = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, item_free);
    secret_store_load(add_stored);
    g_mutex_unlock(&lock);
    return TRUE;
}

static Secret *no_secret(const guint8 uuid[16], GError **error)
{
    char text[UUID_TEXT];

    uuid_format(uuid, text);
    error_set(error, VIR_FROM_SECRET, VIR_ERR_NO_SECRET, "no secret with matching uuid '%s'", text);
    return NULL;
}

Secret *secrets_find(const guint8 uuid[16], GError **error)
{
    g_mutex_lock(&lock);
    const Item *item = find(uuid);
    Secret *def = item ? secret_ref(item->def) : NULL;
    g_mutex_unlock(&lock);
    return def ? def : no_secret(uuid, error);
}

Secret *secrets_find_usage(SecretUsageType type, const char *usage, GError **error)
{
    g_mutex_lock(&lock);
    const Item *item = find_usage(type, usage);
    Secret *def = item ? secret_ref(item->def) : NULL;
    g_mutex_unlock(&lock);
    if (!def)
        error_set(error, VIR_FROM_SECRET, VIR_ERR_NO_SECRET, "no secret with matching usage '%s'", usage);
    return def;
}

static int compare(gconstpointer a, gconstpointer b)
{
    const Secret *const *left = a, *const *right = b;

    return memcmp((*left)->uuid.bytes, (*right)->uuid.bytes, sizeof (*left)->uuid.bytes);
}

GPtrArray *secrets_all(void)
{
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)secret_unref);
    GHashTableIter iter;
    gpointer value;

    g_mutex_lock(&lock);
    g_hash_table_iter_init(&iter, items);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(all, secret_ref(((Item *)value)->def));
    g_mutex_unlock(&lock);
    g_ptr_array_sort(all, compare);
    return all;
}

/* --- changes --- */

/* Locked. What is there stays what it is. */
static gboolean check(const Secret *def, const Item *old, GError **error)
{
    char text[UUID_TEXT];
    const Item *other = def->usage ? find_usage(type_of(def), secrets_usage(def)) : NULL;

    if (old && strcmp(secrets_usage(old->def), secrets_usage(def)) != 0) {
        uuid_format(old->def->uuid.bytes, text);
        return error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "a secret with UUID %s is already defined for use with %s", text,
                         secrets_usage(old->def));
    }
    if (old && old->def->private == TOGGLE_ON && def->private != TOGGLE_ON)
        return error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "cannot change private flag on existing secret");
    if (other && other != old) {
        uuid_format(other->def->uuid.bytes, text);
        return error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "a secret with UUID %s already defined for use with %s", text,
                         secrets_usage(def));
    }
    return old || g_hash_table_size(items) < SECRETS_MAX ||
           error_set(error, VIR_FROM_SECRET, VIR_ERR_RESOURCE_BUSY, "there are %d secrets already", SECRETS_MAX);
}

/* Its turn. On the disk before it counts; what becomes ephemeral leaves the disk, and what does not be so any more comes to it. */
static gboolean save(const Secret *def, const Secret *old, SecretValue *memory, gboolean stored, SecretValue **ret_memory, gboolean *ret_stored,
                     GError **error)
{
    char text[UUID_TEXT];

    uuid_format(def->uuid.bytes, text);
    *ret_memory = NULL;
    *ret_stored = FALSE;
    if (!is_ephemeral(def)) {
        if ((memory && !secret_store_set_value(def, memory, error)) || !secret_store_save(def, error))
            return FALSE;
        *ret_stored = stored || memory;
        return TRUE;
    }
    g_autoptr(SecretValue) kept = NULL;
    if (memory)
        kept = secret_value_copy(memory->octets, memory->length, error);
    else if (stored)
        kept = secret_store_get_value(def, error);
    if (((memory || stored) && !kept) || (old && !is_ephemeral(old) && !secret_store_remove(text, error)))
        return FALSE;
    *ret_memory = g_steal_pointer(&kept);
    return TRUE;
}

gboolean secrets_define(Secret *def, GError **error)
{
    g_mutex_lock(&turn);
    g_mutex_lock(&lock);
    const Item *old = find(def->uuid.bytes);
    gboolean fine = check(def, old, error), stored = old && old->stored;
    SecretValue *memory = old ? old->memory : NULL, *kept;
    g_autoptr(Secret) before = old ? secret_ref(old->def) : NULL;
    g_mutex_unlock(&lock);
    fine = fine && save(def, before, memory, stored, &kept, &stored, error);
    if (fine) {
        g_mutex_lock(&lock);
        put(def, kept, stored);
        g_mutex_unlock(&lock);
    }
    g_mutex_unlock(&turn);
    return fine;
}

gboolean secrets_undefine(const guint8 uuid[16], Secret **ret_gone, GError **error)
{
    char text[UUID_TEXT];
    gboolean fine = FALSE;

    uuid_format(uuid, text);
    g_mutex_lock(&turn);
    g_autoptr(Secret) def = secrets_find(uuid, error);
    if (def && (is_ephemeral(def) || secret_store_remove(text, error))) {
        g_mutex_lock(&lock);
        g_hash_table_remove(items, text);
        g_mutex_unlock(&lock);
        *ret_gone = g_steal_pointer(&def);
        fine = TRUE;
    }
    g_mutex_unlock(&turn);
    return fine;
}

/* Locked. */
static gsize memory_of_others(const Secret *def)
{
    GHashTableIter iter;
    gpointer value;
    gsize sum = 0;

    g_hash_table_iter_init(&iter, items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Item *item = value;
        sum += item->memory && item->def != def ? item->memory->mapped : 0;
    }
    return sum;
}

/* Its turn. */
static gboolean set_memory(const Secret *def, const SecretValue *value, GError **error)
{
    SecretValue *copy = secret_value_copy(value->octets, value->length, error);

    if (!copy)
        return FALSE;
    g_mutex_lock(&lock);
    gboolean fits = memory_of_others(def) + copy->mapped <= SECRETS_EPHEMERAL_MAX;
    Item *item = find(def->uuid.bytes);
    if (fits) {
        secret_value_free(item->memory);
        item->memory = g_steal_pointer(&copy);
    }
    g_mutex_unlock(&lock);
    secret_value_free(copy);
    return fits || error_set(error, VIR_FROM_SECRET, VIR_ERR_RESOURCE_BUSY, "ephemeral secrets take %d octets already", SECRETS_EPHEMERAL_MAX);
}

gboolean secrets_set_value(const guint8 uuid[16], const SecretValue *value, Secret **ret_def, GError **error)
{
    g_mutex_lock(&turn);
    g_autoptr(Secret) def = secrets_find(uuid, error);
    gboolean fine = def && (is_ephemeral(def) ? set_memory(def, value, error) : secret_store_set_value(def, value, error));
    if (fine && !is_ephemeral(def)) {
        g_mutex_lock(&lock);
        find(uuid)->stored = TRUE;
        g_mutex_unlock(&lock);
    }
    if (fine)
        *ret_def = g_steal_pointer(&def);
    g_mutex_unlock(&turn);
    return fine;
}

SecretValue *secrets_get_value(const guint8 uuid[16], GError **error)
{
    char text[UUID_TEXT];
    SecretValue *value = NULL;

    uuid_format(uuid, text);
    g_mutex_lock(&turn);
    g_autoptr(Secret) def = secrets_find(uuid, error);
    if (def) {
        g_mutex_lock(&lock);
        const Item *item = find(uuid);
        const SecretValue *memory = item->memory;
        gboolean stored = item->stored;
        g_mutex_unlock(&lock);
        if (memory)
            value = secret_value_copy(memory->octets, memory->length, error);
        else if (stored)
            value = secret_store_get_value(def, error);
        else
            error_set(error, VIR_FROM_SECRET, VIR_ERR_NO_SECRET, "secret '%s' does not have a value", text);
    }
    g_mutex_unlock(&turn);
    return value;
}

SecretValue *secrets_grant(const SecretWish *wish, GError **error)
{
    g_autoptr(Secret) def = wish->uuid ? secrets_find(wish->uuid, error) : secrets_find_usage(wish->type, wish->usage ? wish->usage : "", error);
    char text[UUID_TEXT];

    if (!def)
        return NULL;
    if (type_of(def) == SECRET_USAGE_TYPE_NONE || type_of(def) == wish->type)
        return secrets_get_value(def->uuid.bytes, error);
    uuid_format(def->uuid.bytes, text);
    error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "secret with uuid %s is of type '%s' not expected '%s' type", text,
              secret_usage_type_to_string(type_of(def)), secret_usage_type_to_string(wish->type));
    return NULL;
}
