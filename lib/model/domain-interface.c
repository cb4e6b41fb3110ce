/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-interface.h"

#include <string.h>

#include "lib/error.h"
#include "lib/model/domain-defaults.h"
#include "lib/model/nwfilter.h"
#include "lib/model/route.h"
#include "lib/model/switch-port.h"

#define OWN (VIRTUAL_PORT_TYPED | VIRTUAL_PORT_WHOLE | VIRTUAL_PORT_FILLED)

static void complete_mac(Interface *interface)
{
    if (!interface->mac)
        interface->mac = interface_mac_new();
    if (!interface->mac->address)
        interface->mac->address = domain_random_mac();
}

static gboolean complete_address(InterfaceIp *ip, GError **error)
{
    gboolean six = strchr(ip->address, ':') != NULL;
    AddressFamily family = six ? ADDRESS_FAMILY_IPV6 : ADDRESS_FAMILY_IPV4;
    if (ip->family && ip->family != family)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Invalid address '%s' in <ip>", ip->address);
    ip->family = family;
    if (ip->prefix != UNSET32 && ip->prefix > (six ? 128 : 32))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Invalid prefix value '%u' in <ip>", ip->prefix);
    if (ip->peer && (strchr(ip->peer, ':') != NULL) != six)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "Invalid peer '%s' in <ip>", ip->peer);
    return TRUE;
}

static gboolean complete_addresses(GPtrArray *ips, GPtrArray *routes, const char *of, GError **error)
{
    for (guint i = 0; i < ips->len; i++)
        if (!complete_address(ips->pdata[i], error))
            return FALSE;
    for (guint i = 0; i < routes->len; i++) {
        const InterfaceRoute *one = routes->pdata[i];
        const Route route = {one->family, one->address, one->netmask, one->prefix, one->gateway};
        if (!route_check(&route, of, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean complete_port(Interface *interface, GError **error)
{
    static const guint rules[INTERFACE_TYPE_LAST] = {
        [INTERFACE_TYPE_BRIDGE] = OWN,
        [INTERFACE_TYPE_DIRECT] = OWN,
        [INTERFACE_TYPE_HOSTDEV] = OWN,
        [INTERFACE_TYPE_NETWORK] = VIRTUAL_PORT_FILLED,
    };
    if (interface->virtualport && !rules[interface->type])
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "<virtualport> element unsupported for <interface type='%s'>",
                         interface_type_to_string(interface->type));
    return virtual_port_complete(&interface->virtualport, rules[interface->type], error);
}

gboolean domain_complete_interface(Interface *interface, GError **error)
{
    InterfaceSource *source = interface->source;
    complete_mac(interface);
    filter_ref_complete(interface->filterref);
    return complete_port(interface, error) &&
           bandwidth_complete(&interface->bandwidth, interface->type == INTERFACE_TYPE_NETWORK, error) &&
           vlan_complete(interface->vlan, error) &&
           complete_addresses(interface->ips, interface->routes, "guest interface", error) &&
           (!source || complete_addresses(source->ips, source->routes, "interface host IP", error));
}
