/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/balloon.h"

#include "driver-kvm/qmp-commands.h"

const Memballoon *balloon_of(const Domain *live)
{
    const Memballoon *balloon = live->devices->memballoon;

    return balloon && balloon->model != MEMBALLOON_MODEL_NONE && balloon->alias && balloon->alias->name ? balloon : NULL;
}

static gboolean set_period(const Memballoon *balloon, Qmp *qmp, GError **error)
{
    if (!balloon->stats || balloon->stats->period == UNSET32 || balloon->stats->period == 0)
        return TRUE;
    g_autofree char *path = g_strconcat("/machine/peripheral/", balloon->alias->name, NULL);
    return qmp_qom_set_int(qmp, path, "guest-stats-polling-interval", balloon->stats->period, error);
}

gboolean balloon_set(Guest *guest, Qmp *qmp, gboolean restored, GError **error)
{
    g_autoptr(Domain) live = guest_live(guest);
    const Memballoon *balloon = balloon_of(live);

    if (!balloon)
        return TRUE;
    if (!set_period(balloon, qmp, error))
        return FALSE;
    /* a restored guest has its balloon as it was */
    return restored || live->current_memory == UNSET64 || qmp_balloon(qmp, live->current_memory * 1024, error);
}

static gboolean edit_size(Domain *live, gpointer data, GError **error)
{
    live->current_memory = *(const guint64 *)data;
    return TRUE;
}

void balloon_publish(Guest *guest, guint64 kib)
{
    guest_edit(guest, edit_size, &kib, NULL);
}

gboolean balloon_learn(Guest *guest, Qmp *qmp, GError **error)
{
    g_autoptr(Domain) live = guest_live(guest);
    guint64 kib = live->memory;

    if (balloon_of(live) && !qmp_query_balloon(qmp, QMP_DEADLINE, &kib, error))
        return FALSE;
    balloon_publish(guest, kib);
    return TRUE;
}
