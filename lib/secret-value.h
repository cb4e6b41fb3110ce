/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The octets of a secret, in memory that is neither swapped out nor part of a core dump (where the kernel's limits let us), and that
 * is overwritten before it is given up. Any thread. */
#include <glib.h>

typedef struct {
    guint8 *octets;
    gsize length;
    gsize mapped; /* of the memory */
} SecretValue;

/* LENGTH octets, zeroed; never fails but for want of memory (VIR_ERR_NO_MEMORY). */
SecretValue *secret_value_new(gsize length, GError **error);
SecretValue *secret_value_copy(const guint8 *octets, gsize length, GError **error);
void secret_value_free(SecretValue *value); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SecretValue, secret_value_free)
