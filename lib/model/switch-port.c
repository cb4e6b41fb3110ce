/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/switch-port.h"

#include <string.h>

#include "lib/error.h"
#include "lib/uuid.h"

#define BIT(value) (1u << (value))
#define QBG BIT(VIRTUAL_PORT_TYPE_802_1QBG)
#define QBH BIT(VIRTUAL_PORT_TYPE_802_1QBH)
#define OVS BIT(VIRTUAL_PORT_TYPE_OPENVSWITCH)
#define MIDONET BIT(VIRTUAL_PORT_TYPE_MIDONET)
#define UNTYPED BIT(VIRTUAL_PORT_TYPE_UNSET)

gboolean vlan_complete(Vlan *vlan, GError **error)
{
    if (!vlan)
        return TRUE;
    guint n = vlan->tags->len, n_native = 0;
    if (n == 0)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR,
                         "missing tag id - each <vlan> must have at least one <tag id='n'/> subelement");
    for (guint i = 0; i < n; i++)
        n_native += ((const VlanTag *)vlan->tags->pdata[i])->native_mode != NATIVE_MODE_UNSET;
    if (n_native > 1)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR, "duplicate native vlan setting");
    if (vlan->trunk == TOGGLE_OFF && n > 1)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR,
                         "invalid \"trunk='no'\" in <vlan> - trunk='yes' is required for more than one vlan tag");
    if (vlan->trunk == TOGGLE_OFF && n_native)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR,
                         "invalid configuration in <vlan> - \"trunk='no'\" is not allowed with a native vlan id");
    if (vlan->trunk == TOGGLE_OFF)
        vlan->trunk = TOGGLE_UNSET;
    if (n > 1)
        vlan->trunk = TOGGLE_ON;
    return TRUE;
}

/* What a profile holds, and which types have it, may not have it (else it is dropped), and cannot do without it. */
typedef enum { MANAGER, TYPE, TYPE_VERSION, INSTANCE, INTERFACE, PROFILE, LAST } Part;

static const struct {
    const char *name;
    guint of, against, needed_by;
} parts[LAST] = {
    [MANAGER] = {"managerid", QBG | UNTYPED, QBH | OVS, QBG},
    [TYPE] = {"typeid", QBG | UNTYPED, QBH | OVS, QBG},
    [TYPE_VERSION] = {"typeidversion", QBG | UNTYPED, QBH | OVS, QBG},
    [INSTANCE] = {"instanceid", QBG | UNTYPED, QBH | OVS, QBG},
    [INTERFACE] = {"interfaceid", MIDONET | OVS | UNTYPED, QBG | QBH, OVS | MIDONET},
    [PROFILE] = {"profileid", OVS | QBH | UNTYPED, QBG, QBH},
};

static gboolean holds(const VirtualPortParameters *all, Part part)
{
    switch (part) {
    case MANAGER:
        return all->managerid != UNSET32;
    case TYPE:
        return all->typeid != UNSET32;
    case TYPE_VERSION:
        return all->typeidversion != UNSET32;
    case INSTANCE:
        return all->instanceid.set;
    case INTERFACE:
        return all->interfaceid.set;
    default:
        return all->profileid && *all->profileid;
    }
}

static void drop(VirtualPortParameters *all, Part part)
{
    switch (part) {
    case MANAGER:
        all->managerid = UNSET32;
        break;
    case TYPE:
        all->typeid = UNSET32;
        break;
    case TYPE_VERSION:
        all->typeidversion = UNSET32;
        break;
    case INSTANCE:
        all->instanceid.set = FALSE;
        break;
    case INTERFACE:
        all->interfaceid.set = FALSE;
        break;
    default:
        g_clear_pointer(&all->profileid, g_free);
    }
}

static void make_up(Uuid *uuid)
{
    if (!uuid->set)
        uuid_generate(uuid->bytes);
    uuid->set = TRUE;
}

static gboolean check_limits(const VirtualPortParameters *all, GError **error)
{
    const char *wrong = NULL;
    if (all->managerid != UNSET32 && all->managerid > 0xff)
        wrong = "value of managerid out of range";
    else if (all->typeid != UNSET32 && all->typeid > 0xffffff)
        wrong = "value for typeid out of range";
    else if (all->typeidversion != UNSET32 && all->typeidversion > 0xff)
        wrong = "value of typeidversion out of range";
    else if (all->profileid && strlen(all->profileid) >= 40)
        wrong = "profileid parameter too long";
    return !wrong || error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR, "%s", wrong);
}

gboolean virtual_port_complete(VirtualPort **port, guint rules, GError **error)
{
    VirtualPort *self = *port;
    if (!self)
        return TRUE;
    if (self->type == VIRTUAL_PORT_TYPE_NONE)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_CONFIG_UNSUPPORTED, "unknown virtualport type none");
    if (!self->type && (rules & VIRTUAL_PORT_TYPED))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR, "missing required virtualport type");
    guint type = BIT(self->type);
    if (!self->parameters)
        self->parameters = virtual_port_parameters_new();
    VirtualPortParameters *all = self->parameters;
    if (!check_limits(all, error))
        return FALSE;
    if ((rules & VIRTUAL_PORT_FILLED) && (type & (QBG | UNTYPED)))
        make_up(&all->instanceid);
    if ((rules & VIRTUAL_PORT_FILLED) && (type & (OVS | UNTYPED)))
        make_up(&all->interfaceid);
    gboolean any = FALSE;
    for (Part part = 0; part < LAST; part++) {
        if ((parts[part].needed_by & type) && (rules & VIRTUAL_PORT_WHOLE) && !holds(all, part))
            return error_set(error, VIR_FROM_NET, VIR_ERR_XML_ERROR, "missing %s in <virtualport type='%s'>",
                             parts[part].name, virtual_port_type_to_string(self->type));
        if ((parts[part].against & type) && holds(all, part))
            return error_set(error, VIR_FROM_NET, VIR_ERR_XML_ERROR, "extra %s unsupported in <virtualport type='%s'>",
                             parts[part].name, virtual_port_type_to_string(self->type));
        if (!(parts[part].of & type))
            drop(all, part);
        any = any || holds(all, part);
    }
    if (!any)
        g_clear_pointer(&self->parameters, virtual_port_parameters_free);
    if (!any && !self->type)
        g_clear_pointer(port, virtual_port_free);
    return TRUE;
}

/* Nothing limited is no limit. */
static void forget_zero(BandwidthRate **rate)
{
    BandwidthRate *self = *rate;
    if (self && self->average == 0)
        self->average = UNSET64;
    if (self && self->average == UNSET64 && self->floor == UNSET64)
        g_clear_pointer(rate, bandwidth_rate_free);
}

static gboolean check_rate(const BandwidthRate *rate, gboolean floor_allowed, const char *no_floor, GError **error)
{
    if (!rate)
        return TRUE;
    if (rate->average == UNSET64 && rate->floor == UNSET64)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_XML_DETAIL, "Missing mandatory average or floor attributes");
    if (rate->average == UNSET64 && (rate->peak != UNSET64 || rate->burst != UNSET64))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_CONFIG_UNSUPPORTED,
                         "'peak' and 'burst' require 'average' attribute");
    return rate->floor == UNSET64 || floor_allowed ||
           error_set(error, VIR_FROM_NONE, VIR_ERR_CONFIG_UNSUPPORTED, "%s", no_floor);
}

gboolean bandwidth_complete(Bandwidth **bandwidth, gboolean floor_allowed, GError **error)
{
    Bandwidth *self = *bandwidth;
    if (!self)
        return TRUE;
    if (!check_rate(self->inbound, floor_allowed, "floor attribute is not supported for this config", error) ||
        !check_rate(self->outbound, FALSE, "'floor' attribute allowed only in <inbound> element", error))
        return FALSE;
    gboolean any = self->inbound || self->outbound;
    forget_zero(&self->inbound);
    forget_zero(&self->outbound);
    if (!any)
        g_clear_pointer(bandwidth, bandwidth_free);
    return TRUE;
}
