/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/boot-order.h"
#include "driver-kvm/caps.h"
#include "driver-kvm/device.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "driver-kvm/tap.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"
#include <string.h>

#define MODEL_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

static const char *model_of(const Interface *interface)
{
    return interface->model ? interface->model->type : NULL;
}

static gboolean is_virtio(const Interface *interface)
{
    return model_of(interface) && g_str_has_prefix(model_of(interface), "virtio");
}

/* One queue is none to speak of, and only virtio has several. */
static void complete_queues(Interface *interface)
{
    g_autoptr(InterfaceDriver) nothing = interface_driver_new();

    if (!interface->driver || (is_virtio(interface) && interface->driver->queues != 1))
        return;
    interface->driver->queues = UNSET32;
    if (model_equal(&interface_driver_type, interface->driver, nothing))
        g_clear_pointer(&interface->driver, interface_driver_free);
}

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    static const char *const usual[] = {"rtl8139", "e1000", "virtio", NULL};
    static const char *const types[] = {"rtl8139", "e1000", "virtio-net-pci"};
    /* Names that may be written in any case. */
    static const char *const known[] = {"rtl8139", "virtio", "e1000", "e1000e", "virtio-transitional",
                                        "virtio-non-transitional", "usb-net", "vmxnet3"};
    Interface *interface = device;
    const char *nic = machine_kind(def)->nic;
    guint i = 0;

    /* A name that we give at each start is not the user's. */
    if (interface->target && interface->target->dev &&
        (g_str_has_prefix(interface->target->dev, "vnet") || g_str_has_prefix(interface->target->dev, "macvtap") ||
         g_str_has_prefix(interface->target->dev, "macvlan")))
        g_clear_pointer(&interface->target, interface_target_free);
    for (guint n = 0; model_of(interface) && n < G_N_ELEMENTS(known); n++)
        if (g_ascii_strcasecmp(model_of(interface), known[n]) == 0 && g_strcmp0(model_of(interface), known[n]) != 0) {
            g_free(interface->model->type);
            interface->model->type = g_strdup(known[n]);
        }
    if (interface->type == INTERFACE_TYPE_HOSTDEV || model_of(interface)) {
        complete_queues(interface);
        return TRUE;
    }
    if (interface->type == INTERFACE_TYPE_VDPA || interface->type == INTERFACE_TYPE_VHOSTUSER)
        i = G_N_ELEMENTS(types) - 1;
    while (usual[i + 1] && !caps_has_device(caps, types[i]))
        i++;
    if (!interface->model)
        interface->model = interface_model_new();
    interface->model->type = g_strdup(nic ? nic : usual[i]);
    complete_queues(interface);
    return TRUE;
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Interface *interface = device;

    if (interface->type == INTERFACE_TYPE_BRIDGE && (!interface->source || !interface->source->bridge))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                         "No <source> 'bridge' attribute specified with <interface type='bridge'/>");
    if (interface->target && interface->target->managed == TOGGLE_OFF && !interface->target->dev)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "target dev must be set when managed='no'");
    return TRUE;
}

static gboolean is_usb(gconstpointer device)
{
    const Interface *interface = device;

    return interface->type == INTERFACE_TYPE_HOSTDEV && interface->source->host_address->type == ADDRESS_TYPE_USB;
}

/* Models that libvirt has a word for, and that are conventional PCI devices. What it does not know it takes for a PCI
 * Express one. */
static gboolean is_conventional(const char *model)
{
    static const char *const models[] = {"rtl8139",   "e1000",
                                         "netfront",  "spapr-vlan",
                                         "lan9118",   LIBVIRTS_SMC91C111,
                                         "vlance",    "vmxnet",
                                         "vmxnet2",   "vmxnet3",
                                         "Am79C970A", "Am79C973",
                                         "82540EM",   "82545EM",
                                         "82543GC",   "virtio-transitional",
                                         NULL};

    return model && g_strv_contains(models, model);
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Interface *interface = device;
    const char *model = model_of(interface);

    if (interface->type == INTERFACE_TYPE_HOSTDEV) /* whatever its model says */
        return is_usb(device) ? 0 : PCI_CONNECT_EXPRESS;
    if (g_strcmp0(model, "usb-net") == 0)
        return 0;
    return is_conventional(model) ? PCI_CONNECT_DEVICE : PCI_CONNECT_EXPRESS;
}

static guint n_queues(const Interface *interface)
{
    guint32 queues = interface->driver ? interface->driver->queues : UNSET32;

    return queues == UNSET32 || queues == 0 ? 1 : queues;
}

static gboolean uses_tap(const Interface *interface)
{
    return interface->type == INTERFACE_TYPE_BRIDGE || interface->type == INTERFACE_TYPE_ETHERNET;
}

static gboolean wants_vhost(const Domain *def, const Interface *interface)
{
    gboolean refused = interface->driver && interface->driver->name == INTERFACE_DRIVER_NAME_QEMU;

    return def->type == DOMAIN_TYPE_KVM && is_virtio(interface) && !refused;
}

static void pass_all(ArgvContext *context, GArray *fds, const char *alias, const char *what)
{
    for (guint i = 0; i < fds->len; i++) {
        g_autofree char *name = g_strdup_printf("%s.%s%u", alias, what, i);

        argv_context_pass(context, g_array_index(fds, int, i), name);
    }
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    Interface *interface = device;
    g_autoptr(GArray) taps = g_array_new(FALSE, FALSE, sizeof(int));
    g_autoptr(GArray) vhosts = g_array_new(FALSE, FALSE, sizeof(int));
    gboolean tap = interface->type == INTERFACE_TYPE_BRIDGE || interface->type == INTERFACE_TYPE_ETHERNET;
    guint32 mtu = interface->mtu ? interface->mtu->size : UNSET32;
    TapWish wish = {
        .name = interface->target ? interface->target->dev : NULL,
        .bridge = interface->type == INTERFACE_TYPE_BRIDGE ? interface->source->bridge : NULL,
        .mac = interface->mac->address,
        .queues = n_queues(interface),
        .mtu = mtu == UNSET32 ? 0 : mtu,
        .header = is_virtio(interface),
        .exists = interface->target && interface->target->managed == TOGGLE_OFF,
    };

    if (interface->type == INTERFACE_TYPE_NETWORK) /* there are no virtual networks yet */
        return error_set(error, VIR_FROM_NETWORK, VIR_ERR_NO_NETWORK, "no network with matching name '%s'",
                         interface->source->network);
    if (!tap && n_queues(interface) > 1)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "interface %s - multiqueue is not supported for network interfaces of type %s", wish.mac,
                         interface_type_to_string(interface->type));
    char *name = NULL;

    if (wish.queues > TAP_QUEUES_MAX)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "too many queues (%u) for interface '%s'",
                         wish.queues, wish.mac);
    if (interface->link && interface->link->state == LINK_STATE_DOWN) {
        JsonObject *down = props_new("name", interface->alias->name);

        props_bool(down, "up", FALSE);
        argv_context_command(context, "set_link", down);
    }
    if (!context->touch_host || !uses_tap(interface))
        return TRUE;
    if (!tap_open(&wish, taps, &name, error))
        return FALSE;
    pass_all(context, taps, interface->alias->name, "tap");
    if (!interface->target)
        interface->target = interface_target_new();
    g_free(interface->target->dev);
    interface->target->dev = name;
    if (!wants_vhost(live, interface)) /* asked for in vain where the guest is emulated, as with libvirt */
        return TRUE;
    tap_open_vhost(wish.queues, vhosts);
    pass_all(context, vhosts, interface->alias->name, "vhost");
    if (vhosts->len < wish.queues && interface->driver && interface->driver->name == INTERFACE_DRIVER_NAME_VHOST)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "vhost-net was requested for an interface, but is unavailable");
    return TRUE;
}

/* "fd": one; "fds": several, between colons. FALSE if nothing was passed. */
static gboolean add_fds(JsonObject *props, const ArgvContext *context, const Interface *interface, const char *what,
                        const char *one, const char *several)
{
    g_autoptr(GString) numbers = g_string_new(NULL);
    guint n = 0;

    for (; n < n_queues(interface); n++) {
        g_autofree char *name = g_strdup_printf("%s.%s%u", interface->alias->name, what, n);
        int number = argv_context_passed(context, name);

        if (number < 0)
            break;
        g_autofree char *known = argv_context_fd_name(context, number);
        g_string_append_printf(numbers, "%s%s", n ? ":" : "", known);
    }
    if (n > 0)
        props_string(props, n > 1 ? several : one, numbers->str);
    return n > 0;
}

static gboolean build_tap(const Interface *interface, ArgvContext *context, JsonObject *props, GError **error)
{
    props_string(props, "type", "tap");
    if (!add_fds(props, context, interface, "tap", "fd", "fds") && context->touch_host)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "no tap device was opened for interface '%s'",
                         interface->alias->name);
    if (add_fds(props, context, interface, "vhost", "vhostfd", "vhostfds"))
        props_bool(props, "vhost", TRUE);
    if (interface->tune && interface->tune->sndbuf != UNSET64)
        props_int(props, "sndbuf", (gint64)interface->tune->sndbuf);
    return TRUE;
}

static void build_user(const Interface *interface, JsonObject *props)
{
    props_string(props, "type", "user");
    for (guint i = 0; i < interface->ips->len; i++) {
        const InterfaceIp *ip = g_ptr_array_index(interface->ips, i);
        gboolean six = ip->family == ADDRESS_FAMILY_IPV6;

        if (!six && ip->prefix != UNSET32)
            props_format(props, "net", "%s/%u", ip->address, ip->prefix);
        else
            props_string(props, six ? "ipv6-prefix" : "net", ip->address);
        if (six)
            props_positive(props, "ipv6-prefixlen", ip->prefix);
    }
}

/* A tunnel between QEMUs. */
static void build_socket(const Interface *interface, JsonObject *props)
{
    static const struct {
        InterfaceType type;
        const char *end;
    } ends[] = {{INTERFACE_TYPE_SERVER, "listen"}, {INTERFACE_TYPE_CLIENT, "connect"}, {INTERFACE_TYPE_MCAST, "mcast"},
                {INTERFACE_TYPE_UDP, "udp"}};
    const InterfaceSource *source = interface->source;
    const InterfaceLocal *local = source->local;

    props_string(props, "type", "socket");
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
        if (ends[i].type == interface->type)
            props_format(props, ends[i].end, "%s:%u", source->address ? source->address : "", source->port);
    if (interface->type == INTERFACE_TYPE_UDP && local)
        props_format(props, "localaddr", "%s:%u", local->address ? local->address : "",
                     local->port == UNSET32 ? 0 : local->port);
}

static gboolean build_netdev(const Interface *interface, ArgvContext *context, GPtrArray *parts, GError **error)
{
    g_autoptr(JsonObject) props = json_object_new();

    switch (interface->type) {
    case INTERFACE_TYPE_USER:
        build_user(interface, props);
        break;
    case INTERFACE_TYPE_SERVER:
    case INTERFACE_TYPE_CLIENT:
    case INTERFACE_TYPE_MCAST:
    case INTERFACE_TYPE_UDP:
        build_socket(interface, props);
        break;
    case INTERFACE_TYPE_BRIDGE:
    case INTERFACE_TYPE_ETHERNET:
        if (!build_tap(interface, context, props, error))
            return FALSE;
        break;
    default:
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "<interface type='%s'> is not supported by this driver", interface_type_to_string(interface->type));
    }
    props_format(props, "id", "host%s", interface->alias->name);
    parts_add(parts, PART_NETDEV, g_steal_pointer(&props));
    return TRUE;
}

static void add_offloads(const InterfaceDriver *driver, JsonObject *props)
{
    if (driver->host) {
        props_toggle(props, "csum", driver->host->csum);
        props_toggle(props, "gso", driver->host->gso);
        props_toggle(props, "host_tso4", driver->host->tso4);
        props_toggle(props, "host_tso6", driver->host->tso6);
        props_toggle(props, "host_ecn", driver->host->ecn);
        props_toggle(props, "host_ufo", driver->host->ufo);
        props_toggle(props, "mrg_rxbuf", driver->host->mrg_rxbuf);
    }
    if (driver->guest) {
        props_toggle(props, "guest_csum", driver->guest->csum);
        props_toggle(props, "guest_tso4", driver->guest->tso4);
        props_toggle(props, "guest_tso6", driver->guest->tso6);
        props_toggle(props, "guest_ecn", driver->guest->ecn);
        props_toggle(props, "guest_ufo", driver->guest->ufo);
    }
}

static void add_virtio(const Interface *interface, JsonObject *props)
{
    const InterfaceDriver *driver = interface->driver;
    guint queues = n_queues(interface);

    if (driver) {
        props_virtio(props, driver);
        if (driver->txmode != INTERFACE_TX_MODE_UNSET)
            props_string(props, "tx", driver->txmode == INTERFACE_TX_MODE_IOTHREAD ? "bh" : "timer");
        props_toggle(props, "ioeventfd", driver->ioeventfd);
        props_toggle(props, "event_idx", driver->event_idx);
        add_offloads(driver, props);
    }
    if (queues > 1) {
        props_bool(props, "mq", TRUE);
        props_int(props, "vectors", 2 * queues + 2); /* one each way, configuration, control */
    }
    if (driver) {
        props_positive(props, "rx_queue_size", driver->rx_queue_size);
        props_positive(props, "tx_queue_size", driver->tx_queue_size);
        props_toggle(props, "rss", driver->rss);
        props_toggle(props, "hash", driver->rss_hash_report);
    }
    if (interface->mtu)
        props_positive(props, "host_mtu", interface->mtu->size);
}

static void add_rom(const Rom *rom, JsonObject *props)
{
    if (!rom)
        return;
    if (rom->enabled == TOGGLE_OFF)
        props_string(props, "romfile", "");
    if (rom->bar != TOGGLE_UNSET)
        props_int(props, "rombar", rom->bar == TOGGLE_ON);
    props_string(props, "romfile", rom->file);
}

/* Who moves the packets can be said of any model, the rest of a virtio device. */
static gboolean only_names(const InterfaceDriver *driver)
{
    g_autoptr(InterfaceDriver) bare = interface_driver_new();

    bare->name = driver->name;
    return interface_driver_equal(bare, driver);
}

/* ARM's boards have NICs that cannot be plugged in; QEMU connects them. */
static gboolean is_on_board(const Domain *live, const Interface *interface)
{
    AddressType address = interface->address ? interface->address->type : ADDRESS_TYPE_UNSET;

    return machine_is_arm(live) && address != ADDRESS_TYPE_VIRTIO_MMIO && address != ADDRESS_TYPE_PCI &&
           model_of(interface) && strspn(model_of(interface), MODEL_LETTERS) == strlen(model_of(interface));
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Interface *interface = device;
    const char *model = model_of(interface);
    const char *driver = g_strcmp0(model, "virtio") == 0                    ? "virtio-net-pci"
                         : g_strcmp0(model, "virtio-transitional") == 0     ? "virtio-net-pci-transitional"
                         : g_strcmp0(model, "virtio-non-transitional") == 0 ? "virtio-net-pci-non-transitional"
                                                                            : model;
    g_autoptr(JsonObject) props = NULL;

    if (is_on_board(live, interface)) {
        if (!build_netdev(interface, context, parts, error))
            return FALSE;
        parts_add_option(parts, "-net",
                         g_strdup_printf("nic,macaddr=%s,netdev=host%s,model=%s,id=%s", interface->mac->address,
                                         interface->alias->name,
                                         g_str_equal(model, LIBVIRTS_SMC91C111) ? "smc91c111" : model,
                                         interface->alias->name));
        return TRUE;
    }
    if (!driver || !caps_has_device(caps, driver))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "<interface> with <model type='%s'> is not supported by this QEMU binary", model ? model : "none");
    if (interface->driver && !is_virtio(interface) && !only_names(interface->driver))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "options in <driver> of an <interface> with <model type='%s'> are not supported by this driver", model);
    if (!build_netdev(interface, context, parts, error))
        return FALSE;
    props = props_new("driver", driver);
    if (is_virtio(interface))
        add_virtio(interface, props);
    props_format(props, "netdev", "host%s", interface->alias->name);
    props_string(props, "id", interface->alias->name);
    props_string(props, "mac", interface->mac->address);
    props_positive(props, "bootindex", boot_order_of_interface(live, interface));
    if (!device_address_props(live, interface->address, props, error))
        return FALSE;
    add_rom(interface->rom, props);
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_interface = {
    .name = "interface", .offset = offsetof(Devices, interfaces), .alias = offsetof(Interface, alias),
    .address = offsetof(Interface, address), .prefix = "net", .complete = complete, .validate = validate,
    .connect = connect_pci, .is_usb = is_usb, .prepare = prepare, .build = build,
};
