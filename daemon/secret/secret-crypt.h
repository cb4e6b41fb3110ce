/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * How the value of a secret lies on the disk: encrypted and authenticated (AES-256-GCM), together with the UUID of its secret, so that
 * what is stored for one secret cannot be put in the place of another's.
 *
 *   4 octets "DVS1"   8 octets: which key (the first of its SHA-256)   12 octets: nonce   the value, encrypted   16 octets: tag
 */
#include "lib/secret-value.h"

#define SECRET_KEY_LENGTH 32
#define SECRET_SEALED_EXTRA (4 + 8 + 12 + 16)

/* VALUE as it is stored; to free. */
guint8 *secret_seal(const SecretValue *key, const guint8 uuid[16], const SecretValue *value, gsize *ret_length, GError **error);

/* The other way round. VIR_ERR_INTERNAL_ERROR: it is damaged, another secret's, or sealed with another key. */
SecretValue *secret_unseal(const SecretValue *key, const guint8 uuid[16], const guint8 *sealed, gsize length, GError **error);

/* SEALED (LENGTH octets) was sealed with KEY. */
gboolean secret_is_sealed_with(const SecretValue *key, const guint8 *sealed, gsize length);
