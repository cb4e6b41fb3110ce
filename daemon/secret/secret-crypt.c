/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/secret/secret-crypt.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "lib/error.h"

#define MAGIC "DVS1"
#define MAGIC_LENGTH 4
#define KEY_ID_LENGTH 8
#define NONCE_LENGTH 12
#define TAG_LENGTH 16
#define HEADER_LENGTH (MAGIC_LENGTH + KEY_ID_LENGTH + NONCE_LENGTH)
#define SHA256_LENGTH 32

static gboolean failed(GError **error, const char *what, int code)
{
    return error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "%s: %s", what, gnutls_strerror(code));
}

static void key_id(const SecretValue *key, guint8 ret_id[KEY_ID_LENGTH])
{
    guint8 digest[SHA256_LENGTH] = {0};

    gnutls_hash_fast(GNUTLS_DIG_SHA256, key->octets, key->length, digest);
    memcpy(ret_id, digest, KEY_ID_LENGTH);
}

/* What is authenticated and not encrypted: the file's header, and whose value it is. */
typedef struct {
    guint8 header[HEADER_LENGTH];
    guint8 uuid[16];
} Context;

static gboolean open_cipher(const SecretValue *key, gnutls_aead_cipher_hd_t *ret_cipher, GError **error)
{
    gnutls_datum_t datum = {key->octets, (unsigned)key->length};
    int code = gnutls_aead_cipher_init(ret_cipher, GNUTLS_CIPHER_AES_256_GCM, &datum);

    return code == 0 || failed(error, "the key of the secrets cannot be used", code);
}

guint8 *secret_seal(const SecretValue *key, const guint8 uuid[16], const SecretValue *value, gsize *ret_length, GError **error)
{
    gsize length = value->length + TAG_LENGTH;
    g_autofree guint8 *sealed = g_malloc(HEADER_LENGTH + length);
    gnutls_aead_cipher_hd_t cipher;
    Context context;
    int code;

    memcpy(context.header, MAGIC, MAGIC_LENGTH);
    key_id(key, context.header + MAGIC_LENGTH);
    memcpy(context.uuid, uuid, sizeof context.uuid);
    guint8 *nonce = context.header + MAGIC_LENGTH + KEY_ID_LENGTH;
    if ((code = gnutls_rnd(GNUTLS_RND_NONCE, nonce, NONCE_LENGTH)) != 0) {
        failed(error, "no random numbers for the value of a secret", code);
        return NULL;
    }
    if (!open_cipher(key, &cipher, error))
        return NULL;
    code = gnutls_aead_cipher_encrypt(cipher, nonce, NONCE_LENGTH, &context, sizeof context, TAG_LENGTH, value->octets, value->length,
                                      sealed + HEADER_LENGTH, &length);
    gnutls_aead_cipher_deinit(cipher);
    if (code != 0) {
        failed(error, "the value of a secret cannot be encrypted", code);
        return NULL;
    }
    memcpy(sealed, context.header, HEADER_LENGTH);
    *ret_length = HEADER_LENGTH + length;
    return g_steal_pointer(&sealed);
}

static gboolean has_form(const guint8 *sealed, gsize length)
{
    return length >= SECRET_SEALED_EXTRA && memcmp(sealed, MAGIC, MAGIC_LENGTH) == 0;
}

gboolean secret_is_sealed_with(const SecretValue *key, const guint8 *sealed, gsize length)
{
    guint8 id[KEY_ID_LENGTH];

    key_id(key, id);
    return has_form(sealed, length) && memcmp(sealed + MAGIC_LENGTH, id, KEY_ID_LENGTH) == 0;
}

SecretValue *secret_unseal(const SecretValue *key, const guint8 uuid[16], const guint8 *sealed, gsize length, GError **error)
{
    g_autoptr(SecretValue) value = NULL;
    gnutls_aead_cipher_hd_t cipher;
    Context context;

    if (!has_form(sealed, length)) {
        error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "the stored value of the secret is damaged");
        return NULL;
    }
    if (!secret_is_sealed_with(key, sealed, length)) {
        error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "the stored value of the secret is encrypted with another key");
        return NULL;
    }
    gsize size = length - SECRET_SEALED_EXTRA;
    value = secret_value_new(size, error);
    if (!value || !open_cipher(key, &cipher, error))
        return NULL;
    memcpy(context.header, sealed, HEADER_LENGTH);
    memcpy(context.uuid, uuid, sizeof context.uuid);
    int code = gnutls_aead_cipher_decrypt(cipher, sealed + MAGIC_LENGTH + KEY_ID_LENGTH, NONCE_LENGTH, &context, sizeof context, TAG_LENGTH,
                                          sealed + HEADER_LENGTH, length - HEADER_LENGTH, value->octets, &size);
    gnutls_aead_cipher_deinit(cipher);
    if (code != 0) {
        failed(error, "the stored value of the secret is damaged, or another secret's", code);
        return NULL;
    }
    return g_steal_pointer(&value);
}
