/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-stats.h"

#include "lib/link-stats.h"

static void sample_interface(const Interface *interface, guint index, Params *params)
{
    LinkCounters received, sent;

    if (!interface->target || !interface->target->dev)
        return;
    params_string(params, interface->target->dev, "net.%u.name", index);
    if (!link_stats(interface->target->dev, &received, &sent))
        return;
    gboolean same_view = interface->type == INTERFACE_TYPE_DIRECT;
    const LinkCounters *in = same_view ? &received : &sent, *out = same_view ? &sent : &received;
    params_ullong(params, in->bytes, "net.%u.rx.bytes", index);
    params_ullong(params, in->packets, "net.%u.rx.pkts", index);
    params_ullong(params, in->errors, "net.%u.rx.errs", index);
    params_ullong(params, in->dropped, "net.%u.rx.drop", index);
    params_ullong(params, out->bytes, "net.%u.tx.bytes", index);
    params_ullong(params, out->packets, "net.%u.tx.pkts", index);
    params_ullong(params, out->errors, "net.%u.tx.errs", index);
    params_ullong(params, out->dropped, "net.%u.tx.drop", index);
}

void domain_sample_interfaces(const Domain *live, Params *params)
{
    const GPtrArray *interfaces = live->devices->interfaces;

    params_uint(params, interfaces->len, "net.count");
    for (guint i = 0; i < interfaces->len; i++)
        sample_interface(interfaces->pdata[i], i, params);
}
