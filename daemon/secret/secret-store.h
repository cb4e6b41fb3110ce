/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Secrets on the disk: state/secrets/UUID.xml, the definition, and UUID.value, sealed (secret-crypt.h). The key is the systemd credential
 * "duovirt-secrets-key" where the daemon was given one, else state/secrets.key, made at first use. Both hold 32 octets.
 *
 * The key is changed by moving secrets.key to secrets.key.old (or giving the old one as "duovirt-secrets-key-old") and starting the
 * daemon again: it makes a new one, seals all values anew, and removes the old file. A kill in between loses nothing, since each value
 * says which of the two it is sealed with. Whoever is on a thread that may block; one at a time.
 */
#include "lib/driver/host.h"
#include "lib/model/secret.h"
#include "lib/secret-value.h"

#define SECRET_VALUE_MAX (64 * 1024) /* the protocol's */

gboolean secret_store_open(const DriverPaths *paths, GError **error);

gboolean secret_store_save(const Secret *def, GError **error);
/* Without its value too. */
gboolean secret_store_remove(const char *uuid, GError **error);

gboolean secret_store_set_value(const Secret *def, const SecretValue *value, GError **error);
gboolean secret_store_drop_value(const char *uuid, GError **error);
SecretValue *secret_store_get_value(const Secret *def, GError **error);

/* FOUND for each definition. HAS_VALUE: there is one, whether or not it can be read. */
typedef void (*SecretStoreFound)(Secret *def, gboolean has_value);
void secret_store_load(SecretStoreFound found);
