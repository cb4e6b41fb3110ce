/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The key of one run. QEMU reads it once, when it starts, from a file in the run's own folder that it alone may read; from then on whatever
 * QEMU must know and nobody else may goes to it encrypted with that key (AES-256-CBC), on its command line and over its monitor. The
 * file stays until the guest has ended, so that the next daemon can go on.
 */
#include "driver-kvm/user.h"
#include "lib/secret-value.h"

#define MASTER_KEY_ID "masterKey0" /* what QEMU calls it */

/* Where it lies in a run's own folder; to free. */
char *master_key_path(const char *private_dir);

/* Makes it at PATH, for IDS (NULL: for us). */
gboolean master_key_make(const char *path, const ProcessIds *ids, GError **error);

/* VALUE as QEMU takes it: octets and initialization vector in base64, to free. VIR_ERR_CONFIG_UNSUPPORTED: the run has no key, since
 * it began before there were any. PATH is QEMU's, which is not to be trusted with what it made of it. */
gboolean master_key_seal(const char *path, const SecretValue *value, char **ret_data, char **ret_iv, GError **error);
