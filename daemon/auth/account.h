/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What one user's connections make the daemon hold, together. Each connection has bounds of its own, but the read-only
 * socket is open to everybody, and so many connections within their bounds would still be too much.
 */
#include <glib.h>
#include <sys/types.h>
#include "daemon/auth/closer.h"

#define ACCOUNT_OCTETS_MAX (256 * 1024 * 1024)
#define ACCOUNT_OCTETS_MAX_ROOT (1024 * 1024 * 1024) /* who means no harm, but may do it */

typedef struct Account {
    gatomicrefcount refs;
    uid_t uid;
    guint connections; /* I/O loop */
    gssize octets;     /* atomic: received and not dispatched, in calls in flight, waiting to be sent */
    Closer *closer;    /* of what his connections passed */
} Account;

Account *account_new(uid_t uid);
Account *account_ref(Account *account);
void account_unref(Account *account); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Account, account_unref)

/* OCTETS more, or, if negative, less. Any thread. */
void account_charge(Account *account, gssize octets);

/* Whether that is too much. Any thread. */
gboolean account_is_over(const Account *account);

/* Nobody is connected and nothing is held: a new one would be the same. I/O loop. */
gboolean account_is_idle(const Account *account);
