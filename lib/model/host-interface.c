/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/host-interface.h"

static void complete_bond(HostBond *bond)
{
    if (bond && bond->miimon)
        g_clear_pointer(&bond->arpmon, bond_arpmon_free);
}

static void complete_addresses(HostProtocol *protocol)
{
    for (guint i = protocol->ips->len; i-- > 0;)
        if (!((const HostAddress *)protocol->ips->pdata[i])->address)
            host_address_free(g_ptr_array_remove_index(protocol->ips, i));
}

HostInterface *host_interface_read(XmlDocument *document, GError **error)
{
    if (!xml_check_root(document, "interface", error))
        return NULL;
    g_autoptr(HostInterface) interface = model_parse(&host_interface_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error);
    if (!interface)
        return NULL;
    for (guint i = 0; i < interface->protocols->len; i++)
        complete_addresses(interface->protocols->pdata[i]);
    complete_bond(interface->bond);
    for (guint i = 0; interface->bridge && i < interface->bridge->interfaces->len; i++)
        complete_bond(((HostBridgePort *)interface->bridge->interfaces->pdata[i])->bond);
    return g_steal_pointer(&interface);
}
