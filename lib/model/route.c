/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/route.h"

#include "lib/error.h"
#include "lib/ip.h"

typedef struct {
    const Route *route;
    const char *of;
    guint n_bytes; /* of an address of its family */
    Ip address, gateway, netmask;
} Check;

#define REFUSE(check, error, form, ...) \
    error_set(error, VIR_FROM_NETWORK, VIR_ERR_XML_ERROR, "%s: " form, (check)->of, __VA_ARGS__)

static const char *family_name(const Check *check)
{
    return check->route->family == ADDRESS_FAMILY_UNSET ? "No" : check->n_bytes == 4 ? "IPv4" : "ipv6";
}

static gboolean check_families(const Check *check, GError **error)
{
    const Route *route = check->route;
    const char *other = check->n_bytes == 4 ? "IPv4" : "IPv6";
    if (check->address.n_bytes != check->n_bytes)
        return REFUSE(check, error, "%s family specified for non-%s address '%s' in route definition",
                      family_name(check), other, route->address);
    if (route->netmask && check->n_bytes == 16)
        return REFUSE(check, error, "Specifying netmask invalid for IPv6 address '%s' in route definition",
                      route->address);
    if (check->gateway.n_bytes != check->n_bytes)
        return REFUSE(check, error, "%s family specified for non-%s gateway '%s' in route definition",
                      family_name(check), other, route->gateway);
    if (route->netmask && check->netmask.n_bytes != 4)
        return REFUSE(check, error, "Invalid netmask '%s' for address '%s' (both must be IPv4)", route->netmask,
                      route->address);
    return TRUE;
}

static gboolean check_mask(const Check *check, GError **error)
{
    const Route *route = check->route;
    guint most = check->n_bytes * 8;
    if (route->netmask && route->prefix != UNSET32)
        return REFUSE(check, error, "%s", "Route definition cannot have both a prefix and a netmask");
    if (route->prefix != UNSET32 && route->prefix > most)
        return REFUSE(check, error, "Invalid prefix %u specified in route definition, must be 0 - %u", route->prefix,
                      most);
    int bits = route->netmask ? ip_mask_bits(&check->netmask) : route->prefix != UNSET32 ? (int)route->prefix : 0;
    if (bits < 0)
        return REFUSE(check, error, "netmask '%s' in route definition is none: its ones do not stand together",
                      route->netmask);
    Ip network = ip_network(&check->address, (guint)bits);
    return ip_equal(&network, &check->address) ||
           REFUSE(check, error, "Address '%s' in route definition is not a network address", route->address);
}

gboolean route_check(const Route *route, const char *of, GError **error)
{
    Check check = {.route = route, .of = of, .n_bytes = route->family == ADDRESS_FAMILY_IPV6 ? 16 : 4};
    return ip_parse(route->address, &check.address, error) && ip_parse(route->gateway, &check.gateway, error) &&
           (!route->netmask || ip_parse(route->netmask, &check.netmask, error)) && check_families(&check, error) &&
           check_mask(&check, error);
}
