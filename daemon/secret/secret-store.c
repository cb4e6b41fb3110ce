/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/secret/secret-store.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/secret/secret-crypt.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/uuid.h"

#define HEADER "<!-- Kept by duovirtd. -->\n"
#define CREDENTIAL "duovirt-secrets-key"
#define CREDENTIAL_OLD "duovirt-secrets-key-old"

static char *folder, *key_path, *old_key_path;
static SecretValue *key, *old_key; /* NULL: there is none */

static char *path_of(const char *uuid, const char *suffix)
{
    return g_strdup_printf("%s/%s%s", folder, uuid, suffix);
}

/* --- the key --- */

static SecretValue *read_key(const char *path, GError **error)
{
    gsize length = 0;
    char *octets = file_read(path, SECRET_KEY_LENGTH + 1, &length, error);
    SecretValue *value = NULL;

    if (!octets)
        return NULL;
    if (length == SECRET_KEY_LENGTH)
        value = secret_value_copy((guint8 *)octets, length, error);
    else
        error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "'%s' is no key: it has not %d octets", path, SECRET_KEY_LENGTH);
    explicit_bzero(octets, length);
    g_free(octets);
    return value;
}

/* Of the systemd unit; NULL: there is none. */
static char *credential(const char *name)
{
    const char *given = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *path = given ? g_build_filename(given, name, NULL) : NULL;

    return path && g_file_test(path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer(&path) : NULL;
}

static gboolean any_sealed(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, ".value"))
            return TRUE;
    return FALSE;
}

static gboolean make_key(GError **error)
{
    g_autoptr(SecretValue) fresh = secret_value_new(SECRET_KEY_LENGTH, error);

    if (!fresh)
        return FALSE;
    if (!old_key && any_sealed())
        return error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR,
                         "the key of the secrets, '%s', is missing: put it back, or remove what it sealed in '%s'", key_path, folder);
    if (gnutls_rnd(GNUTLS_RND_KEY, fresh->octets, fresh->length) != 0)
        return error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "no random numbers for the key of the secrets");
    if (!file_replace(key_path, fresh->octets, (gssize)fresh->length, 0600, error))
        return FALSE;
    key = g_steal_pointer(&fresh);
    return TRUE;
}

/* The key, made where there is none yet and none is missing. */
static const SecretValue *need_key(GError **error)
{
    return key || make_key(error) ? key : NULL;
}

static gboolean load_keys(GError **error)
{
    g_autofree char *given = credential(CREDENTIAL), *given_old = credential(CREDENTIAL_OLD);
    const char *old = given_old ? given_old : old_key_path;

    g_clear_pointer(&key, secret_value_free);
    g_clear_pointer(&old_key, secret_value_free);
    if (g_file_test(old, G_FILE_TEST_EXISTS) && !(old_key = read_key(old, error)))
        return FALSE;
    if (!given && !g_file_test(key_path, G_FILE_TEST_EXISTS))
        return TRUE;
    key = read_key(given ? given : key_path, error);
    return key != NULL;
}

/* --- values --- */

static guint8 *read_sealed(const char *uuid, gsize *ret_length, GError **error)
{
    g_autofree char *path = path_of(uuid, ".value");

    return (guint8 *)file_read(path, SECRET_VALUE_MAX + SECRET_SEALED_EXTRA, ret_length, error);
}

gboolean secret_store_set_value(const Secret *def, const SecretValue *value, GError **error)
{
    char uuid[UUID_TEXT];
    uuid_format(def->uuid.bytes, uuid);
    g_autofree char *path = path_of(uuid, ".value");
    const SecretValue *with = need_key(error);
    gsize length = 0;
    g_autofree guint8 *sealed = with ? secret_seal(with, def->uuid.bytes, value, &length, error) : NULL;

    return sealed && file_replace(path, sealed, (gssize)length, 0600, error);
}

gboolean secret_store_drop_value(const char *uuid, GError **error)
{
    g_autofree char *path = path_of(uuid, ".value");

    return file_remove(path, error);
}

SecretValue *secret_store_get_value(const Secret *def, GError **error)
{
    char uuid[UUID_TEXT];
    uuid_format(def->uuid.bytes, uuid);
    gsize length = 0;
    g_autofree guint8 *sealed = read_sealed(uuid, &length, error);

    if (!sealed)
        return NULL;
    if (old_key && secret_is_sealed_with(old_key, sealed, length))
        return secret_unseal(old_key, def->uuid.bytes, sealed, length, error);
    if (!key) {
        error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "the key of the secrets, '%s', is missing", key_path);
        return NULL;
    }
    return secret_unseal(key, def->uuid.bytes, sealed, length, error);
}

/* --- definitions --- */

gboolean secret_store_open(const DriverPaths *paths, GError **error)
{
    g_free(folder);
    g_free(key_path);
    g_free(old_key_path);
    folder = g_build_filename(paths->state, "secrets", NULL);
    key_path = g_build_filename(paths->state, "secrets.key", NULL);
    old_key_path = g_build_filename(paths->state, "secrets.key.old", NULL);
    return file_make_folder(folder, 0700, error) && load_keys(error);
}

gboolean secret_store_save(const Secret *def, GError **error)
{
    char uuid[UUID_TEXT];
    uuid_format(def->uuid.bytes, uuid);
    g_autofree char *path = path_of(uuid, ".xml");
    g_autofree char *xml = model_format_text(&secret_type, def, MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE);
    g_autofree char *text = g_strconcat(HEADER, xml, NULL);
    g_autoptr(XmlDocument) again = xml_parse(text, "secret", error);

    return again && file_replace(path, text, -1, 0600, error);
}

gboolean secret_store_remove(const char *uuid, GError **error)
{
    g_autofree char *path = path_of(uuid, ".xml");
    g_autoptr(GError) left = NULL;

    if (!file_remove(path, error))
        return FALSE;
    if (!secret_store_drop_value(uuid, &left)) /* the next start removes it */
        log_line(LOG_ERR, "%s", left->message);
    return TRUE;
}

static Secret *read_one(const char *uuid, GError **error)
{
    g_autofree char *path = path_of(uuid, ".xml");
    g_autofree char *text = file_read(path, XML_DOCUMENT_MAX, NULL, error);
    g_autoptr(XmlDocument) document = text ? xml_parse(text, "secret", error) : NULL;
    g_autoptr(Secret) def = document ? secret_read(document, error) : NULL;
    char inside[UUID_TEXT] = "";

    if (!def)
        return NULL;
    uuid_format(def->uuid.bytes, inside);
    if (g_str_equal(inside, uuid))
        return g_steal_pointer(&def);
    error_set(error, VIR_FROM_SECRET, VIR_ERR_XML_ERROR, "no definition of the secret that the file is named after");
    return NULL;
}

/* TRUE: it is sealed with the key that counts. */
static gboolean seal_anew(const Secret *def, const char *uuid)
{
    g_autoptr(GError) error = NULL;
    gsize length = 0;
    g_autofree guint8 *sealed = read_sealed(uuid, &length, &error);

    if (sealed && !secret_is_sealed_with(old_key, sealed, length))
        return TRUE;
    g_autoptr(SecretValue) value = sealed ? secret_unseal(old_key, def->uuid.bytes, sealed, length, &error) : NULL;
    if (value && secret_store_set_value(def, value, &error))
        return TRUE;
    log_line(LOG_ERR, "the value of secret %s keeps its old key: %s", uuid, error->message);
    return FALSE;
}

static gboolean load_one(const char *uuid, SecretStoreFound found)
{
    g_autofree char *path = path_of(uuid, ".xml"), *value = path_of(uuid, ".value");
    g_autofree char *aside = g_strconcat(path, ".broken", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) def = read_one(uuid, &error);
    gboolean has_value = g_file_test(value, G_FILE_TEST_EXISTS);

    if (!def) {
        log_line(LOG_ERR, "definition %s cannot be used and is kept as %s: %s", path, aside, error->message);
        rename(path, aside);
        return FALSE;
    }
    found(def, has_value);
    return !has_value || !old_key || seal_anew(def, uuid);
}

void secret_store_load(SecretStoreFound found)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    gboolean all_new = TRUE;
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        char uuid[UUID_TEXT];
        guint8 bytes[UUID_BYTES];
        g_autofree char *path = g_build_filename(folder, name, NULL), *xml = NULL, *aside = NULL;
        g_strlcpy(uuid, name, sizeof uuid);
        if (strlen(name) < UUID_TEXT || !uuid_parse(uuid, bytes))
            continue;
        const char *suffix = name + UUID_TEXT - 1;
        xml = path_of(uuid, ".xml");
        aside = path_of(uuid, ".xml.broken");
        if (g_str_equal(suffix, ".xml"))
            all_new = load_one(uuid, found) && all_new;
        else if (g_str_has_suffix(suffix, ".new") ||
                 (g_str_equal(suffix, ".value") && access(xml, F_OK) < 0 && access(aside, F_OK) < 0))
            unlink(path); /* what a kill left */
    }
    if (old_key && key && all_new)
        file_remove(old_key_path, NULL);
}
