/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/network-addresses.h"

#include <string.h>

#include "lib/error.h"
#include "lib/ip.h"
#include "lib/mac.h"
#include "lib/model/route.h"

#define REFUSE(error, ...) error_set(error, VIR_FROM_NETWORK, VIR_ERR_XML_ERROR, __VA_ARGS__)
#define REFUSE_DETAIL(error, ...) error_set(error, VIR_FROM_NETWORK, VIR_ERR_XML_DETAIL, __VA_ARGS__)
#define REFUSE_CONFIG(error, ...) error_set(error, VIR_FROM_NETWORK, VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+/"
#define SERVICE_MAX 482 /* characters: 512 of a record without what RFC 2782 puts around it */
#define LEASE_MIN 120   /* seconds, dnsmasq's */

/* --- DNS --- */

static gboolean is_set(guint32 value)
{
    return value != UNSET32;
}

static gboolean check_service_number(const DnsSrv *srv, const char *network, const char *what, guint32 value, guint32 low,
                                     GError **error)
{
    if (is_set(value) && !srv->target)
        return REFUSE_DETAIL(error, "DNS SRV %s attribute not permitted without target for service '%s' in network '%s'",
                             what, srv->service, network);
    if (is_set(value) && (value < low || value > 65535))
        return REFUSE_DETAIL(error, "invalid DNS SRV %s attribute for service '%s' in network '%s'", what, srv->service,
                             network);
    return TRUE;
}

static gboolean complete_service(DnsSrv *srv, const char *network, GError **error)
{
    if (strlen(srv->service) > SERVICE_MAX)
        return REFUSE_DETAIL(error, "service attribute '%s' in network '%s' is too long, limit is %d bytes",
                             srv->service, network, SERVICE_MAX);
    if (srv->service[strspn(srv->service, LETTERS "_*")])
        return REFUSE_DETAIL(error, "invalid character in service attribute '%s' in DNS SRV record of network '%s'",
                             srv->service, network);
    if (srv->protocol[strspn(srv->protocol, LETTERS)])
        return REFUSE_DETAIL(error, "invalid character in protocol attribute '%s' in DNS SRV record of network '%s'",
                             srv->protocol, network);
    if (!check_service_number(srv, network, "port", srv->port, 1, error) ||
        !check_service_number(srv, network, "priority", srv->priority, 0, error) ||
        !check_service_number(srv, network, "weight", srv->weight, 0, error))
        return FALSE;
    if (srv->priority == 0)
        srv->priority = UNSET32;
    if (srv->weight == 0)
        srv->weight = UNSET32;
    return TRUE;
}

/* A name without any character is not there; one that is empty is an error. */
static gboolean check_host(const DnsHost *host, const char *network, GError **error)
{
    guint n = 0;
    for (guint i = 0; i < host->hostnames->len; i++)
        n += ((const DnsHostName *)host->hostnames->pdata[i])->value != NULL;
    return n > 0 || REFUSE_DETAIL(error, "Missing hostname in network '%s' DNS HOST record", network);
}

static gboolean complete_records(NetworkDns *dns, const char *network, GError **error)
{
    for (guint i = 0; i < dns->forwarders->len; i++) {
        const DnsForwarder *one = dns->forwarders->pdata[i];
        if (!one->addr && !one->domain)
            return REFUSE(error, "Invalid forwarder element, must contain at least one of addr or domain");
    }
    for (guint i = 0; i < dns->hosts->len; i++)
        if (!check_host(dns->hosts->pdata[i], network, error))
            return FALSE;
    for (guint i = 0; i < dns->srvs->len; i++)
        if (!complete_service(dns->srvs->pdata[i], network, error))
            return FALSE;
    for (guint i = 0; i < dns->txts->len; i++) {
        const DnsTxt *one = dns->txts->pdata[i];
        if (strpbrk(one->name, " ,"))
            return REFUSE_DETAIL(error, "prohibited character in DNS TXT record name '%s' of network %s", one->name,
                                 network);
    }
    return TRUE;
}

gboolean network_complete_dns(Network *network, GError **error)
{
    NetworkDns *dns = network->dns;
    if (!dns)
        return TRUE;
    if (!complete_records(dns, network->name, error))
        return FALSE;
    return dns->enable != TOGGLE_OFF || dns->forwarders->len + dns->hosts->len + dns->srvs->len + dns->txts->len == 0 ||
           REFUSE(error, "Extra data in disabled network '%s'", network->name);
}

/* --- addresses --- */

/* What an <ip> says, parsed. */
typedef struct {
    const char *network; /* its name */
    NetworkIp *ip;
    Ip address, netmask;
    int prefix;
} Subnet;

static gboolean check_subnet_4(const Subnet *subnet, GError **error)
{
    const NetworkIp *ip = subnet->ip;
    if (subnet->address.n_bytes != 4)
        return REFUSE_CONFIG(error, "%s family specified for non-IPv4 address '%s' in network '%s'",
                             ip->family ? "ipv4" : "no", ip->address, subnet->network);
    if (ip->netmask && subnet->netmask.n_bytes != 4)
        return REFUSE_CONFIG(error, "Invalid netmask '%s' for address '%s' in network '%s' (both must be IPv4)",
                             ip->netmask, ip->address, subnet->network);
    if (ip->netmask && is_set(ip->prefix))
        return REFUSE_CONFIG(error, "Network '%s' IP address cannot have both a prefix and a netmask", subnet->network);
    if (is_set(ip->prefix) && ip->prefix > 32)
        return REFUSE_CONFIG(error, "Invalid IPv4 prefix '%u' in network '%s'", ip->prefix, subnet->network);
    return TRUE;
}

static gboolean check_subnet_6(const Subnet *subnet, GError **error)
{
    const NetworkIp *ip = subnet->ip;
    if (subnet->address.n_bytes != 16)
        return REFUSE_CONFIG(error, "Family 'ipv6' specified for non-IPv6 address '%s' in network '%s'", ip->address,
                             subnet->network);
    if (ip->netmask)
        return REFUSE_CONFIG(error, "netmask not allowed for IPv6 address '%s' in network '%s'", ip->address,
                             subnet->network);
    if (is_set(ip->prefix) && ip->prefix > 128)
        return REFUSE_CONFIG(error, "Invalid IPv6 prefix '%u' in network '%s'", ip->prefix, subnet->network);
    return TRUE;
}

/* A lease that names no time is none. */
static gboolean complete_lease(DhcpLease **lease, GError **error)
{
    static const guint seconds[] = {[LEASE_UNIT_SECONDS] = 1, [LEASE_UNIT_MINUTES] = 60, [LEASE_UNIT_HOURS] = 3600};
    DhcpLease *self = *lease;
    if (self && self->expiry == UNSET64)
        g_clear_pointer(lease, dhcp_lease_free);
    if (!*lease)
        return TRUE;
    if (!self->unit)
        self->unit = LEASE_UNIT_MINUTES;
    if (self->expiry && self->expiry < LEASE_MIN / seconds[self->unit])
        return REFUSE_CONFIG(error, "The minimum lease time should be greater than 2 minutes");
    if (!self->expiry)
        self->unit = LEASE_UNIT_UNSET;
    return TRUE;
}

static gboolean complete_range(const Subnet *subnet, DhcpRange *range, GError **error)
{
    Ip start, end;
    return ip_parse(range->start, &start, error) && ip_parse(range->end, &end, error) &&
           ip_check_range(&start, &end, &subnet->address, subnet->prefix, error) &&
           complete_lease(&range->lease, error);
}

static gboolean check_mac(const Subnet *subnet, const char *mac, GError **error)
{
    guint8 bytes[MAC_BYTES];
    if (!mac)
        return TRUE;
    if (subnet->address.n_bytes == 16)
        return REFUSE(error, "Invalid to specify MAC address '%s' in network '%s' IPv6 static host definition", mac,
                      subnet->network);
    if (!mac_parse(mac, bytes))
        return REFUSE(error, "Cannot parse MAC address '%s' in network '%s'", mac, subnet->network);
    return !(bytes[0] & 1) || REFUSE(error, "expected unicast mac address, found multicast '%s' in network '%s'", mac,
                                     subnet->network);
}

static gboolean complete_host(const Subnet *subnet, DhcpHost *host, GError **error)
{
    gboolean six = subnet->address.n_bytes == 16;
    if (!check_mac(subnet, host->mac, error))
        return FALSE;
    const char *odd = host->id ? host->id + strspn(host->id, "0123456789abcdefABCDEF:") : "";
    if (*odd)
        return REFUSE(error, "Invalid character '%c' in id '%s' of network '%s'", *odd, host->id, subnet->network);
    if (host->name && !g_ascii_isalnum(host->name[0]))
        return REFUSE(error, "Cannot use host name '%s' in network '%s'", host->name, subnet->network);
    if (!host->name && !(six ? host->id : host->mac))
        return REFUSE(error, "Static host definition in IPv%d network '%s' must have %s or name attribute", six ? 6 : 4,
                      subnet->network, six ? "id" : "mac");
    if (!host->ip)
        return REFUSE(error, "Missing IP address in static host definition for network '%s'", subnet->network);
    return complete_lease(&host->lease, error);
}

static gboolean complete_server(DhcpBootp *bootp, GError **error)
{
    Ip server;
    if (!bootp->server)
        return TRUE;
    if (!ip_parse(bootp->server, &server, error))
        return FALSE;
    g_free(bootp->server);
    bootp->server = ip_format(&server);
    return TRUE;
}

static gboolean complete_dhcp(const Subnet *subnet, GError **error)
{
    NetworkDhcp *dhcp = subnet->ip->dhcp;
    if (!dhcp)
        return TRUE;
    for (guint i = 0; i < dhcp->ranges->len; i++)
        if (!complete_range(subnet, dhcp->ranges->pdata[i], error))
            return FALSE;
    for (guint i = 0; i < dhcp->hosts->len; i++)
        if (!complete_host(subnet, dhcp->hosts->pdata[i], error))
            return FALSE;
    if (dhcp->bootp && (subnet->address.n_bytes == 16 || !dhcp->bootp->file))
        g_clear_pointer(&dhcp->bootp, dhcp_bootp_free);
    if (dhcp->bootp && !complete_server(dhcp->bootp, error))
        return FALSE;
    /* libvirt keeps what guests start only beside addresses that it gives them */
    if (!dhcp->ranges->len && !dhcp->hosts->len)
        g_clear_pointer(&subnet->ip->dhcp, network_dhcp_free);
    return TRUE;
}

static gboolean complete_subnet(const char *network, NetworkIp *ip, Subnet *ret_subnet, GError **error)
{
    Subnet subnet = {.network = network, .ip = ip};
    if (!ip_parse(ip->address, &subnet.address, error) ||
        (ip->netmask && !ip_parse(ip->netmask, &subnet.netmask, error)))
        return FALSE;
    if (!(ip->family == ADDRESS_FAMILY_IPV6 ? check_subnet_6(&subnet, error) : check_subnet_4(&subnet, error)))
        return FALSE;
    subnet.prefix = ip_prefix(&subnet.address, ip->netmask ? &subnet.netmask : NULL, is_set(ip->prefix) ? ip->prefix : 0);
    if (!complete_dhcp(&subnet, error))
        return FALSE;
    if (ip->tftp && subnet.address.n_bytes == 16)
        return REFUSE_CONFIG(error, "Unsupported <tftp> element in an IPv6 element in network '%s'", network);
    *ret_subnet = subnet;
    return TRUE;
}

/* --- routes --- */

static gboolean is_reachable(const Ip *gateway, const Subnet *subnets, guint n_subnets)
{
    for (guint i = 0; i < n_subnets; i++) {
        const Subnet *subnet = &subnets[i];
        if (subnet->address.n_bytes != gateway->n_bytes || subnet->prefix < 0)
            continue;
        Ip ours = ip_network(&subnet->address, (guint)subnet->prefix), theirs = ip_network(gateway, (guint)subnet->prefix);
        if (ip_equal(&ours, &theirs))
            return TRUE;
    }
    return FALSE;
}

gboolean network_complete_addresses(Network *network, GError **error)
{
    guint n = network->ips->len;
    g_autofree Subnet *subnets = g_new0(Subnet, n + 1);
    for (guint i = 0; i < n; i++)
        if (!complete_subnet(network->name, network->ips->pdata[i], &subnets[i], error))
            return FALSE;
    for (guint i = 0; i < network->routes->len; i++) {
        const NetworkRoute *one = network->routes->pdata[i];
        const Route route = {one->family, one->address, one->netmask, one->prefix, one->gateway};
        if (!route_check(&route, network->name, error))
            return FALSE;
    }
    for (guint i = 0; i < network->routes->len; i++) {
        const NetworkRoute *one = network->routes->pdata[i];
        Ip gateway;
        if (!ip_parse(one->gateway, &gateway, error))
            return FALSE;
        if (!is_reachable(&gateway, subnets, n))
            return REFUSE_CONFIG(error, "unreachable static route gateway '%s' specified for network '%s'", one->gateway,
                                 network->name);
    }
    return TRUE;
}
