/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* As whom QEMU runs. */
#include "lib/process.h"

typedef struct User User;

/* NAME, GROUP: from the configuration, a name, NUMBER or "+NUMBER"; NULL: the distribution's user for guests where there is one,
 * else our own. A daemon that is not root cannot choose: NULL then, without an error. */
gboolean user_new(const char *name, const char *group, User **ret_user, GError **error);
void user_free(User *user); /* NULL is allowed */
const ProcessIds *user_ids(const User *user); /* NULL for NULL */
