/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/auth/account.h"

Account *account_new(uid_t uid)
{
    Account *account = g_new0(Account, 1);

    g_atomic_ref_count_init(&account->refs);
    account->uid = uid;
    account->closer = closer_new();
    return account;
}

Account *account_ref(Account *account)
{
    g_atomic_ref_count_inc(&account->refs);
    return account;
}

void account_unref(Account *account)
{
    if (!account || !g_atomic_ref_count_dec(&account->refs))
        return;
    closer_unref(account->closer);
    g_free(account);
}

void account_charge(Account *account, gssize octets)
{
    g_atomic_pointer_add(&account->octets, octets);
}

gboolean account_is_idle(const Account *account)
{
    return account->connections == 0 && g_atomic_pointer_get((gssize *)&account->octets) == 0 &&
           closer_waiting(account->closer) == 0;
}

gboolean account_is_over(const Account *account)
{
    gssize most = account->uid == 0 ? ACCOUNT_OCTETS_MAX_ROOT : ACCOUNT_OCTETS_MAX;

    return g_atomic_pointer_get((gssize *)&account->octets) > most;
}
