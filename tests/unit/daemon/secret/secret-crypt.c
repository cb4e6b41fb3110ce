/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/secret/secret-crypt.h"

#include <string.h>

static const guint8 one[16] = {1}, two[16] = {2};

static SecretValue *text(const char *words)
{
    return secret_value_copy((const guint8 *)words, strlen(words), NULL);
}

static SecretValue *key_of(guint8 octet)
{
    SecretValue *key = secret_value_new(SECRET_KEY_LENGTH, NULL);

    memset(key->octets, octet, key->length);
    return key;
}

static void test_there_and_back(void)
{
    g_autoptr(SecretValue) key = key_of(7), value = text("open sesame"), none = text("");
    gsize length = 0;
    g_autofree guint8 *sealed = secret_seal(key, one, value, &length, NULL), *again = secret_seal(key, one, value, &length, NULL);

    g_assert_cmpuint(length, ==, strlen("open sesame") + SECRET_SEALED_EXTRA);
    g_assert_cmpint(memcmp(sealed, again, length), !=, 0); /* never twice the same */
    g_autoptr(SecretValue) back = secret_unseal(key, one, sealed, length, NULL);
    g_assert_cmpmem(back->octets, back->length, "open sesame", strlen("open sesame"));
    g_autofree guint8 *empty = secret_seal(key, one, none, &length, NULL);
    g_autoptr(SecretValue) nothing = secret_unseal(key, one, empty, length, NULL);
    g_assert_cmpuint(nothing->length, ==, 0);
}

/* Another secret's, another key's, cut off, or changed in any octet. */
static void test_refused(void)
{
    g_autoptr(SecretValue) key = key_of(7), other = key_of(8), value = text("open sesame");
    gsize length = 0;
    g_autofree guint8 *sealed = secret_seal(key, one, value, &length, NULL);

    g_assert_true(secret_is_sealed_with(key, sealed, length));
    g_assert_false(secret_is_sealed_with(other, sealed, length));
    g_assert_null(secret_unseal(key, two, sealed, length, NULL));
    g_assert_null(secret_unseal(other, one, sealed, length, NULL));
    for (gsize n = 0; n < length; n++)
        g_assert_null(secret_unseal(key, one, sealed, n, NULL));
    for (gsize i = 0; i < length; i++) {
        sealed[i] ^= 1;
        g_assert_null(secret_unseal(key, one, sealed, length, NULL));
        sealed[i] ^= 1;
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/secret-crypt/there-and-back", test_there_and_back);
    g_test_add_func("/secret-crypt/refused", test_refused);
    return g_test_run();
}
