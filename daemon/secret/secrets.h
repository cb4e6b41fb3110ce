/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The secrets of this host. Look-ups never wait; changes wait for each other and for the disk. One at a time in a process.
 * A value lies encrypted on the disk and is in memory only while it is asked for; an ephemeral secret and its value are in memory alone.
 */
#include "lib/driver/host.h"
#include "lib/model/secret.h"
#include "lib/secret-value.h"

#define SECRETS_MAX 16384                     /* what the protocol's lists can carry */
#define SECRETS_EPHEMERAL_MAX (16 * 1024 * 1024) /* octets of all values in memory */

gboolean secrets_open(const DriverPaths *paths, GError **error);

/* New references; VIR_ERR_NO_SECRET in libvirt's words. */
Secret *secrets_find(const guint8 uuid[16], GError **error);
Secret *secrets_find_usage(SecretUsageType type, const char *usage, GError **error);
GPtrArray *secrets_all(void); /* of Secret, by UUID; owns its elements */

/* What DEF is used for, as clients name it; "" if nothing. Borrowed. */
const char *secrets_usage(const Secret *def);

/* DEF (borrowed) counts from now on, new or in place of the one with its UUID. VIR_ERR_INTERNAL_ERROR: what may not change, or is
 * another's. */
gboolean secrets_define(Secret *def, GError **error);
gboolean secrets_undefine(const guint8 uuid[16], Secret **ret_gone, GError **error);

gboolean secrets_set_value(const guint8 uuid[16], const SecretValue *value, Secret **ret_def, GError **error);
/* The value, also of a private secret. VIR_ERR_NO_SECRET: it has none. */
SecretValue *secrets_get_value(const guint8 uuid[16], GError **error);
/* The value that WISH means, as DriverHost.secret gives it. */
SecretValue *secrets_grant(const SecretWish *wish, GError **error);
