/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/network.h"

#include <string.h>

#include "lib/error.h"

#define REFUSE(error, ...) error_set(error, VIR_FROM_NETWORK, VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)

static NetworkForwardMode mode(const Network *network)
{
    return network->forward ? network->forward->mode : NETWORK_FORWARD_MODE_UNSET;
}

/* What only a bridge of ours can have. */
static gboolean check_foreign(const Network *network, GError **error)
{
    const NetworkDns *dns = network->dns;
    const char *element = network->mac && network->mac->address                            ? "mac"
                          : network->ips->len                                             ? "ip"
                          : dns && (dns->txts->len || dns->hosts->len || dns->srvs->len) ? "dns"
                          : network->domain                                               ? "domain"
                                                                                          : NULL;
    return !element || REFUSE(error, "Unsupported <%s> element in network %s with forward mode='%s'", element,
                              network->name, network_forward_mode_to_string(mode(network)));
}

static gboolean allows_bandwidth(const Network *network)
{
    return network_makes_bridge(network) ||
           (mode(network) == NETWORK_FORWARD_MODE_BRIDGE && network->bridge && network->bridge->name);
}

static gboolean is_virtual_function(const NetworkForwardAddress *pci, char **ret_folder)
{
    *ret_folder = g_strdup_printf("/sys/bus/pci/devices/%04x:%02x:%02x.%x", pci->domain, pci->bus, pci->slot, pci->function);
    g_autofree char *parent = g_build_filename(*ret_folder, "physfn", NULL);
    return g_file_test(parent, G_FILE_TEST_IS_SYMLINK);
}

static gboolean check_pool(const Network *network, GError **error)
{
    const NetworkForward *forward = network->forward;
    gboolean hostdev = mode(network) == NETWORK_FORWARD_MODE_HOSTDEV;
    if (!forward)
        return TRUE;
    if (forward->interfaces->len && hostdev)
        return REFUSE(error,
                      "hostdev network '%s' lists '%s' in the device pool, but hostdev networks require all devices to be "
                      "listed by PCI address, not network device name",
                      network->name, ((const NetworkForwardInterface *)forward->interfaces->pdata[0])->dev);
    for (guint i = 0; i < forward->addresses->len; i++) {
        g_autofree char *folder = NULL;
        if (!hostdev)
            return REFUSE(error,
                          "network '%s' has forward mode '%s'  but lists a device by PCI address in the device pool. This "
                          "is only supported for networks with forward mode 'hostdev'",
                          network->name, network_forward_mode_to_string(mode(network)));
        if (!is_virtual_function(forward->addresses->pdata[i], &folder))
            return REFUSE(error, "device '%s' in network '%s' is not an SR-IOV Virtual Function", folder, network->name);
    }
    return TRUE;
}

/* A network has one DHCP server for each family. */
static gboolean check_dhcp(const Network *network, GError **error)
{
    guint n_of[2] = {0};
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];
        gboolean six = strchr(ip->address, ':') != NULL;
        if (ip->dhcp && ++n_of[six] > 1)
            return REFUSE(error,
                          "Multiple IPv%d dhcp sections found -- dhcp is supported only for a single IPv%d address on "
                          "each network",
                          six ? 6 : 4, six ? 6 : 4);
    }
    return TRUE;
}

static gboolean tags_pass(NetworkForwardMode mode, const VirtualPort *port)
{
    return mode == NETWORK_FORWARD_MODE_BRIDGE && port && port->type == VIRTUAL_PORT_TYPE_OPENVSWITCH;
}

static gboolean check_portgroups(const Network *network, const PortGroup **ret_usual, GError **error)
{
    const GPtrArray *groups = network->portgroups;
    const PortGroup *usual = NULL;
    for (guint i = 0; i < groups->len; i++) {
        const PortGroup *group = groups->pdata[i];
        if (group->default_ && usual)
            return REFUSE(error,
                          "network '%s' has multiple default <portgroup> elements (%s and %s), but only one default is "
                          "allowed",
                          network->name, usual->name, group->name);
        if (group->default_)
            usual = group;
        for (guint j = i + 1; j < groups->len; j++)
            if (g_str_equal(group->name, ((const PortGroup *)groups->pdata[j])->name))
                return REFUSE(error, "multiple <portgroup> elements with the same name (%s) in network '%s'", group->name,
                              network->name);
        if (group->bandwidth && !allows_bandwidth(network))
            return REFUSE(error,
                          "Unsupported <bandwidth> element in network '%s' in portgroup '%s' with forward mode='%s'",
                          network->name, group->name, network_forward_mode_to_string(mode(network)));
    }
    *ret_usual = usual;
    return TRUE;
}

/* Tags are for Open vSwitch and for virtual functions. */
static gboolean check_vlan(const Network *network, const PortGroup *usual, GError **error)
{
    NetworkForwardMode how = mode(network);
    gboolean allowed = how == NETWORK_FORWARD_MODE_HOSTDEV || how == NETWORK_FORWARD_MODE_PASSTHROUGH ||
                       tags_pass(how, network->virtualport);
    gboolean wrong = network->vlan && !allowed && !usual;
    for (guint i = 0; i < network->portgroups->len; i++) {
        const PortGroup *group = network->portgroups->pdata[i];
        if (network->vlan || group->vlan)
            wrong = wrong || (group->virtualport ? !tags_pass(how, group->virtualport) : !allowed);
    }
    return !wrong || REFUSE(error, "<vlan> element specified for network %s, whose type doesn't support vlan configuration",
                            network->name);
}

gboolean network_validate(const Network *network, GError **error)
{
    const PortGroup *usual = NULL;
    if (strchr(network->name, '\n'))
        return error_set(error, VIR_FROM_XML, VIR_ERR_XML_DETAIL, "invalid char in name: %c", '\n');
    if (!network_makes_bridge(network) && !check_foreign(network, error))
        return FALSE;
    if (network->bandwidth && !allows_bandwidth(network))
        return REFUSE(error, "Unsupported network-wide <bandwidth> element in network %s with forward mode='%s'",
                      network->name, network_forward_mode_to_string(mode(network)));
    return check_pool(network, error) && check_dhcp(network, error) && check_portgroups(network, &usual, error) &&
           check_vlan(network, usual, error);
}
