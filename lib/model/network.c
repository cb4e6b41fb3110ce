/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/network.h"

#include <net/if.h>
#include <string.h>

#include "lib/error.h"
#include "lib/ip.h"
#include "lib/model/domain-defaults.h"
#include "lib/model/network-addresses.h"
#include "lib/model/route.h"
#include "lib/model/switch-port.h"
#include "lib/uuid.h"

#define BRIDGE_NAMES 256 /* that are tried */
#define REFUSE(error, ...) error_set(error, VIR_FROM_NETWORK, VIR_ERR_XML_ERROR, __VA_ARGS__)

static const char *mode_name(const Network *network)
{
    return network_forward_mode_to_string(network->forward->mode);
}

gboolean network_makes_bridge(const Network *network)
{
    NetworkForwardMode mode = network->forward ? network->forward->mode : NETWORK_FORWARD_MODE_UNSET;
    return mode == NETWORK_FORWARD_MODE_UNSET || mode == NETWORK_FORWARD_MODE_NAT ||
           mode == NETWORK_FORWARD_MODE_ROUTE || mode == NETWORK_FORWARD_MODE_OPEN;
}

static gboolean complete_name(Network *network, GError **error)
{
    if (strchr(network->name, '/'))
        return error_set(error, VIR_FROM_XML, VIR_ERR_XML_DETAIL, "invalid char in name: %c", '/');
    if (!network->uuid.set)
        uuid_generate(network->uuid.bytes);
    network->uuid.set = TRUE;
    if (network->ipv6 == TOGGLE_OFF)
        network->ipv6 = TOGGLE_UNSET;
    if (network->domain && !network->domain->name)
        g_clear_pointer(&network->domain, network_domain_free);
    if (network->mac && network->mac->address && (g_ascii_strtoull(network->mac->address, NULL, 16) & 1))
        return REFUSE(error, "Invalid multicast bridge mac address '%s' in network '%s'", network->mac->address,
                      network->name);
    return TRUE;
}

/* --- the pool of devices --- */

/* The device that is named twice, as dev= and as the first of the list, is one. */
static gboolean complete_interfaces(Network *network, const char *dev, GError **error)
{
    GPtrArray *all = network->forward->interfaces;
    const NetworkForwardInterface *first = all->len ? all->pdata[0] : NULL;
    if (dev && first && !g_str_equal(dev, first->dev))
        return REFUSE(error, "<forward dev='%s'> must match first <interface dev='%s'/> in network %s", dev, first->dev,
                      network->name);
    if (dev && !first) {
        NetworkForwardInterface *one = network_forward_interface_new();
        one->dev = g_strdup(dev);
        g_ptr_array_add(all, one);
    }
    for (guint i = 1; i < all->len; i++) {
        const NetworkForwardInterface *one = all->pdata[i];
        for (guint j = 0; j < i; j++)
            if (g_str_equal(((const NetworkForwardInterface *)all->pdata[j])->dev, one->dev))
                return REFUSE(error, "interface '%s' can only be listed once in network %s", one->dev, network->name);
    }
    return TRUE;
}

static gboolean complete_pci(const Network *network, GError **error)
{
    const GPtrArray *all = network->forward->addresses;
    for (guint i = 0; i < all->len; i++) {
        const NetworkForwardAddress *one = all->pdata[i];
        if (one->type != NETWORK_FORWARD_ADDRESS_TYPE_PCI)
            return REFUSE(error, "unsupported address type '%s' in network %s",
                          network_forward_address_type_to_string(one->type), network->name);
        for (guint j = 0; j < i; j++)
            if (network_forward_address_equal(one, all->pdata[j]))
                return REFUSE(error, "PCI device '%04x:%02x:%02x.%x' can only be listed once in network %s",
                              one->domain, one->bus, one->slot, one->function, network->name);
    }
    return TRUE;
}

static gboolean complete_nat(Network *network, GError **error)
{
    NetworkNat *nat = network->forward->nat;
    Ip start, end;
    if (!nat)
        return TRUE;
    if (network->forward->mode != NETWORK_FORWARD_MODE_NAT)
        return REFUSE(error, "The <nat> element can only be used when <forward> 'mode' is 'nat' in network %s",
                      network->name);
    if (nat->port && nat->port->end < nat->port->start)
        return error_set(error, VIR_FROM_NETWORK, VIR_ERR_XML_DETAIL,
                         "Missing or invalid 'end' attribute in <port> in <nat> in <forward> in network %s",
                         network->name);
    if (nat->port && nat->port->end == 0)
        g_clear_pointer(&nat->port, network_nat_port_free);
    if (!nat->address && !nat->port && !nat->ipv6)
        g_clear_pointer(&network->forward->nat, network_nat_free);
    if (!network->forward->nat || !nat->address)
        return TRUE;
    if (strchr(nat->address->start, ':'))
        return REFUSE(error, "Bad ipv4 start address '%s' in <nat> in <forward> in network '%s'", nat->address->start,
                      network->name);
    if (strchr(nat->address->end, ':'))
        return REFUSE(error, "Bad ipv4 end address '%s' in <nat> in <forward> in network '%s'", nat->address->end,
                      network->name);
    return ip_parse(nat->address->start, &start, error) && ip_parse(nat->address->end, &end, error) &&
           ip_check_range(&start, &end, NULL, 0, error);
}

/* Of the three kinds of pools the first that there is counts: devices by name, by PCI address, a physical function. */
static gboolean complete_forward(Network *network, GError **error)
{
    NetworkForward *forward = network->forward;
    if (forward && forward->mode == NETWORK_FORWARD_MODE_NONE)
        g_clear_pointer(&network->forward, network_forward_free);
    if (!network->forward)
        return TRUE;
    g_autofree char *dev = g_steal_pointer(&forward->dev);
    if (!complete_nat(network, error))
        return FALSE;
    if (dev && (forward->addresses->len || forward->pf))
        return REFUSE(error,
                      "the <forward> 'dev' attribute cannot be used when <address> or <pf> sub-elements are present in "
                      "network %s",
                      network->name);
    if (dev || forward->interfaces->len) {
        if (!complete_interfaces(network, dev, error))
            return FALSE;
        while (forward->addresses->len)
            network_forward_address_free(g_ptr_array_steal_index(forward->addresses, forward->addresses->len - 1));
        g_clear_pointer(&forward->pf, network_physical_function_free);
    } else if (forward->addresses->len) {
        if (!complete_pci(network, error))
            return FALSE;
        g_clear_pointer(&forward->pf, network_physical_function_free);
    }
    if (forward->mode == NETWORK_FORWARD_MODE_HOSTDEV && !forward->managed)
        forward->managed = TOGGLE_OFF;
    return TRUE;
}

/* --- the bridge, by mode --- */

static gboolean check_layer_3(const Network *network, GError **error)
{
    if (!network->ips->len)
        return REFUSE(error, "%s forwarding requested, but no IP address provided for network '%s'", mode_name(network),
                      network->name);
    if (network->forward->interfaces->len + network->forward->addresses->len > 1)
        return REFUSE(error, "multiple forwarding interfaces specified for network '%s', only one is supported",
                      network->name);
    if (network->forward->mode == NETWORK_FORWARD_MODE_OPEN &&
        network->forward->interfaces->len + network->forward->addresses->len)
        return REFUSE(error, "forward dev not allowed for network '%s' with forward mode='%s'", network->name,
                      mode_name(network));
    return TRUE;
}

static gboolean check_foreign_bridge(const Network *network, GError **error)
{
    const NetworkBridge *bridge = network->bridge;
    gboolean bridged = network->forward->mode == NETWORK_FORWARD_MODE_BRIDGE;
    if (!bridge)
        return TRUE;
    if (bridge->name && !bridged)
        return REFUSE(error, "bridge name not allowed in %s mode (network '%s')", mode_name(network), network->name);
    if (bridge->zone && !bridged)
        return REFUSE(error, "bridge zone not allowed in %s mode (network '%s')", mode_name(network), network->name);
    if (bridge->mac_table_manager && !bridged)
        return REFUSE(error, "bridge macTableManager setting not allowed in %s mode (network '%s')", mode_name(network),
                      network->name);
    if ((bridge->delay && bridge->delay != UNSET64) || bridge->stp || bridge->zone)
        return REFUSE(error,
                      "bridge delay/stp/zone options only allowed in route, nat, and isolated mode, not in %s (network "
                      "'%s')",
                      mode_name(network), network->name);
    if (bridge->name &&
        (network->forward->interfaces->len || network->forward->addresses->len || network->forward->pf))
        return REFUSE(error,
                      "A network with forward mode='%s' can specify a bridge name or a forward dev, but not both "
                      "(network '%s')",
                      mode_name(network), network->name);
    return TRUE;
}

static gboolean complete_bridge(Network *network, GError **error)
{
    gboolean ours = network_makes_bridge(network);
    if (ours && network->forward && !check_layer_3(network, error))
        return FALSE;
    if (!ours && !check_foreign_bridge(network, error))
        return FALSE;
    if (!ours && network->mtu && network->mtu->size != UNSET32)
        return REFUSE(error, "mtu size only allowed in open, route, nat, and isolated mode, not in %s (network '%s')",
                      mode_name(network), network->name);
    if (!ours) {
        if (network->bridge)
            network->bridge->delay = UNSET64;
        return TRUE;
    }
    if (!network->bridge)
        network->bridge = network_bridge_new();
    if (!network->bridge->stp)
        network->bridge->stp = TOGGLE_ON;
    if (network->bridge->delay == UNSET64)
        network->bridge->delay = 0;
    return TRUE;
}

static gboolean complete_ports(Network *network, GError **error)
{
    if (!bandwidth_complete(&network->bandwidth, FALSE, error) || !vlan_complete(network->vlan, error) ||
        !virtual_port_complete(&network->virtualport, VIRTUAL_PORT_TYPED, error))
        return FALSE;
    for (guint i = 0; i < network->portgroups->len; i++) {
        PortGroup *group = network->portgroups->pdata[i];
        if (group->default_ == TOGGLE_OFF)
            group->default_ = TOGGLE_UNSET;
        if (!virtual_port_complete(&group->virtualport, 0, error) ||
            !bandwidth_complete(&group->bandwidth, FALSE, error) || !vlan_complete(group->vlan, error))
            return FALSE;
    }
    return TRUE;
}

Network *network_read(XmlDocument *document, GError **error)
{
    if (!xml_check_root(document, "network", error))
        return NULL;
    g_autoptr(Network) network = model_parse(&network_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error);
    if (!network || !complete_name(network, error) || !complete_ports(network, error) ||
        !network_complete_dns(network, error) || !network_complete_addresses(network, error) ||
        !complete_forward(network, error) || !complete_bridge(network, error))
        return NULL;
    return g_steal_pointer(&network);
}

/* --- what the host decides --- */

static gboolean is_template(const char *name)
{
    const char *sign = strchr(name, '%');
    return sign && sign == strrchr(name, '%') && sign[1] == 'd';
}

static gboolean choose_bridge(Network *network, NetworkBridgeTaken taken, gpointer data, GError **error)
{
    g_autofree char *form = g_steal_pointer(&network->bridge->name);
    g_auto(GStrv) around = g_strsplit(form && is_template(form) ? form : "virbr%d", "%d", 2);
    for (guint i = 0; i <= BRIDGE_NAMES; i++) {
        g_autofree char *name = g_strdup_printf("%s%u%s", around[0], i, around[1]);
        if (taken(name, data) || if_nametoindex(name))
            continue;
        network->bridge->name = g_steal_pointer(&name);
        return TRUE;
    }
    return error_set(error, VIR_FROM_NETWORK, VIR_ERR_INTERNAL_ERROR, "Bridge generation exceeded max id %d",
                     BRIDGE_NAMES);
}

gboolean network_fill_in(Network *network, NetworkBridgeTaken taken, gpointer data, GError **error)
{
    if (!network_makes_bridge(network))
        return TRUE;
    const char *name = network->bridge->name;
    if (name && !strstr(name, "%d") && taken(name, data))
        return error_set(error, VIR_FROM_NETWORK, VIR_ERR_INTERNAL_ERROR, "bridge name '%s' already in use.", name);
    if ((!name || strstr(name, "%d")) && !choose_bridge(network, taken, data, error))
        return FALSE;
    if (!network->mac)
        network->mac = network_mac_new();
    if (!network->mac->address)
        network->mac->address = domain_random_mac();
    return TRUE;
}
