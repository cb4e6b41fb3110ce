/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The value of a secret as it lies on the disk, damaged: as it came, and with a header that seems right. */
#include "daemon/secret/secret-crypt.h"
#include <string.h>

#define HEADER 12 /* the mark, and which key */

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length);

static void unseal(const SecretValue *key, const guint8 *sealed, gsize length)
{
    static const guint8 uuid[16] = {1};
    g_autoptr(GError) error = NULL;
    g_autoptr(SecretValue) value = secret_unseal(key, uuid, sealed, length, &error);

    if (value || !error) /* nobody finds the tag of what he made up */
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length)
{
    static const guint8 uuid[16] = {1}, octets[SECRET_KEY_LENGTH] = {2};
    g_autoptr(SecretValue) key = secret_value_copy(octets, sizeof octets, NULL);
    gsize n;
    g_autofree guint8 *sealed = secret_seal(key, uuid, key, &n, NULL);
    g_autofree guint8 *forged = g_malloc(HEADER + length);

    unseal(key, data, length);
    memcpy(forged, sealed, HEADER);
    if (length)
        memcpy(forged + HEADER, data, length);
    unseal(key, forged, HEADER + length);
    return 0;
}
