/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What QEMU is told of secrets: objects of its kind `secret`, encrypted with the run's key (master-key.h). While devices are prepared a value
 * is asked for, encrypted and forgotten; the context keeps what came of it, by the object's name, until the device is built.
 */
#include "driver-kvm/argv.h"
#include "lib/driver/host.h"

/* The name of the object with number N that NODE uses for WHAT ("auth", "encryption", "httpcookie"); to free. */
char *guest_secret_id(const char *node, const char *what, guint n);

/* Has ID ready, with the value that WISH means. Errors of DriverHost.secret. */
gboolean guest_secret_take(ArgvContext *context, const char *id, const SecretWish *wish, GError **error);
/* The same of TEXT. */
gboolean guest_secret_take_text(ArgvContext *context, const char *id, const char *text, GError **error);

/* The object ID. What was not taken has a name alone, which is enough to make it go. */
void guest_secret_build(const ArgvContext *context, const char *id, GPtrArray *parts);
