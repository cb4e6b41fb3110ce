/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/costs.h"

#include "daemon/rpc/remote-gen.h"

static gboolean may_grow(const WireType *type)
{
    for (guint i = 0; type && i < type->n_fields; i++) {
        const WireField *field = &type->fields[i];
        if (field->kind == WIRE_STRING || field->repeat == WIRE_LIST || (field->kind == WIRE_STRUCT && may_grow(field->type)))
            return TRUE;
    }
    return FALSE;
}

guint64 costs_key(const WireProc *proc, gconstpointer args)
{
    const guint64 prime = 1099511628211u;
    guint64 key = 14695981039346656037u ^ GPOINTER_TO_SIZE(proc);

    if ((proc->domain_offset < 0 && !proc->filter) || !may_grow(proc->ret))
        return 0;
    if (proc->domain_offset >= 0) {
        const RemoteNonnullDomain *dom = (gconstpointer)((const guint8 *)args + proc->domain_offset);
        for (gsize i = 0; i < sizeof(dom->uuid); i++)
            key = (key ^ dom->uuid[i]) * prime;
    }
    return (key * prime) | 1;
}

static Cost *slot(Costs *costs, guint64 key)
{
    return &costs->slots[(key >> 32) % COSTS_SLOTS];
}

gboolean costs_are_long(Costs *costs, guint64 key, gsize *ret_octets)
{
    const Cost *cost = slot(costs, key);
    gboolean found;

    g_mutex_lock(&costs->lock);
    found = key != 0 && cost->key == key;
    if (found)
        *ret_octets = cost->octets;
    g_mutex_unlock(&costs->lock);
    return found;
}

void costs_note(Costs *costs, guint64 key, gint64 usec, gsize octets)
{
    Cost *cost = slot(costs, key);

    if (key == 0)
        return;
    g_mutex_lock(&costs->lock);
    if (usec >= COSTS_LONG_USEC)
        *cost = (Cost){key, octets};
    else if (cost->key == key && usec < COSTS_LONG_USEC / 2)
        *cost = (Cost){0};
    g_mutex_unlock(&costs->lock);
}
