/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handler: which addresses a guest has, as its agent says, as the host's neighbours do, or as was leased to it. */
#include <string.h>

#include "daemon/core/agent-ask.h"
#include "daemon/core/neighbours.h"
#include "daemon/core/vm-ops.h"

typedef RemoteDomainInterface Nic;

/* The one with NAME, made if there is none. LIST has room. */
static Nic *interface_of(Nic *list, guint32 *n, const char *name, const char *mac)
{
    for (guint i = 0; i < *n; i++)
        if (g_str_equal(list[i].name, name))
            return &list[i];
    list[*n] = (Nic){.name = g_strdup(name), .hwaddr = g_strdup(mac)};
    return &list[(*n)++];
}

static void add_address(Nic *interface, int family, const char *text, guint prefix)
{
    interface->addrs = g_renew(RemoteDomainIpAddr, interface->addrs, interface->n_addrs + 1);
    interface->addrs[interface->n_addrs++] = (RemoteDomainIpAddr){family, g_strdup(text), prefix};
}

/* --- by the agent --- */

static gboolean add_agent_address(Nic *interface, JsonObject *one)
{
    const char *text = json_peek_string(one, "ip-address"), *family = json_peek_string(one, "ip-address-type");
    gint64 prefix;
    if (!text || !family || !json_peek_int(one, "prefix", &prefix) || prefix < 0 || prefix > 128)
        return FALSE;
    add_address(interface, g_str_equal(family, "ipv4") ? VIR_IP_ADDR_TYPE_IPV4 : VIR_IP_ADDR_TYPE_IPV6, text, prefix);
    return TRUE;
}

/* Second names of an interface ("eth0:1") are the interface itself. */
static gboolean add_agent_interface(Nic *list, guint32 *n, JsonObject *one)
{
    const char *whole = json_peek_string(one, "name");
    JsonArray *addresses = json_peek_array(one, "ip-addresses");
    if (!whole || json_peek_length(addresses) > REMOTE_DOMAIN_IP_ADDR_MAX)
        return FALSE;
    g_autofree char *name = g_strndup(whole, strcspn(whole, ":"));
    Nic *interface = interface_of(list, n, name, json_peek_string(one, "hardware-address"));
    for (guint i = 0; i < json_peek_length(addresses); i++)
        if (!add_agent_address(interface, json_peek_object_at(addresses, i)))
            return FALSE;
    return TRUE;
}

static gboolean by_agent(Call *call, RemoteDomainInterfaceAddressesRet *ret, GError **error)
{
    static const char command[] = "guest-network-get-interfaces";
    if (!agent_ready(call, error))
        return FALSE;
    g_autoptr(JsonNode) answer = agent_ask(call->vm, command, NULL, error);
    JsonArray *list = json_peek_as_array(answer);
    if (!answer)
        return FALSE;
    if (!list || json_peek_length(list) > REMOTE_DOMAIN_INTERFACE_MAX)
        return agent_foreign(call->vm, command, error);
    ret->ifaces = g_new0(Nic, json_peek_length(list));
    for (guint i = 0; i < json_peek_length(list); i++)
        if (!add_agent_interface(ret->ifaces, &ret->n_ifaces, json_peek_object_at(list, i)))
            return agent_foreign(call->vm, command, error);
    return TRUE;
}

/* --- by the neighbours --- */

static gboolean by_neighbours(Vm *vm, RemoteDomainInterfaceAddressesRet *ret, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(GPtrArray) neighbours = neighbours_list(error);
    if (!neighbours)
        return FALSE;
    const GPtrArray *interfaces = vm_view_def(view)->devices->interfaces;
    ret->ifaces = g_new0(Nic, interfaces->len);
    for (guint i = 0; i < interfaces->len; i++) {
        const Interface *one = interfaces->pdata[i];
        const char *dev = one->target ? one->target->dev : NULL;
        const char *mac = one->mac ? one->mac->address : NULL;
        for (guint k = 0; dev && mac && k < neighbours->len; k++) {
            const Neighbour *neighbour = neighbours->pdata[k];
            if (g_ascii_strcasecmp(neighbour->mac, mac) == 0)
                add_address(interface_of(ret->ifaces, &ret->n_ifaces, dev, mac), neighbour->family, neighbour->address, 0);
        }
    }
    return TRUE;
}

gboolean remote_domain_interface_addresses(Call *call, const RemoteDomainInterfaceAddressesArgs *args,
                                           RemoteDomainInterfaceAddressesRet *ret, GError **error)
{
    Vm *vm = call->vm;
    if (!agent_offered(call, error) || !vm_check_active(vm, error))
        return FALSE;
    switch (args->source) {
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE:
        return TRUE; /* no interface is on a network of ours */
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT:
        return by_agent(call, ret, error);
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP:
        return by_neighbours(vm, ret, error);
    default:
        return error_set(error, vm->instance->from, VIR_ERR_ARGUMENT_UNSUPPORTED, "Unknown IP address data source %u",
                         args->source);
    }
}
