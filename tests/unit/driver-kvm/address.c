/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/driver-kvm/domain-text.h"
#include "lib/model/domain-address.h"

#define NIC "<interface type='user'><model type='%s'/></interface>"

/* "bus:slot.function" of ADDRESS, to free. */
static char *place(const Address *address)
{
    return address ? g_strdup_printf("%u:%u.%u", address->bus, address->slot, address->function) : g_strdup("none");
}

static void assert_place(const Address *address, const char *expected)
{
    g_autofree char *text = place(address);

    g_assert_cmpstr(text, ==, expected);
}

static Domain *complete(const char *machine, const char *devices)
{
    char *fault = NULL;
    Domain *def = domain_text_complete(machine, devices, &fault);

    g_assert_cmpstr(fault, ==, NULL);
    return def;
}

static void assert_refused(const char *machine, const char *devices, const char *expected)
{
    g_autofree char *fault = NULL;
    g_autoptr(Domain) def = domain_text_complete(machine, devices, &fault);

    g_assert_null(def);
    g_assert_cmpstr(fault, ==, expected);
}

static const Interface *interface(const Domain *def, guint index)
{
    return g_ptr_array_index(def->devices->interfaces, index);
}

static void test_i440fx(void)
{
    g_autoptr(Domain) def = complete("pc", "<interface type='user'><model type='virtio'/></interface>"
                                           "<disk type='file' device='disk'><source file='/a'/><target dev='vda'/></disk>"
                                           "<graphics type='vnc'/>");

    assert_place(((Video *)g_ptr_array_index(def->devices->videos, 0))->address, "0:2.0");
    assert_place(domain_controller(def, CONTROLLER_TYPE_USB, 0)->address, "0:1.2");
    assert_place(interface(def, 0)->address, "0:3.0");
    assert_place(((Disk *)g_ptr_array_index(def->devices->disks, 0))->address, "0:4.0");
    assert_place(def->devices->memballoon->address, "0:5.0");
}

/* A port for each device, and one to spare. */
static void test_q35(void)
{
    g_autoptr(Domain) def = complete("q35", "<interface type='user'><model type='virtio'/></interface>");
    const Controller *spare = domain_controller(def, CONTROLLER_TYPE_PCI, 4);

    assert_place(interface(def, 0)->address, "1:0.0");
    assert_place(domain_controller(def, CONTROLLER_TYPE_USB, 0)->address, "2:0.0");
    assert_place(def->devices->memballoon->address, "3:0.0");
    assert_place(domain_controller(def, CONTROLLER_TYPE_SATA, 0)->address, "0:31.2");
    assert_place(spare->address, "0:1.3");
    g_assert_cmpint(domain_controller(def, CONTROLLER_TYPE_PCI, 1)->address->multifunction, ==, TOGGLE_ON);
    g_assert_null(domain_controller(def, CONTROLLER_TYPE_PCI, 5));
}

/* What is not PCI Express gets a bridge of its own. */
static void test_conventional(void)
{
    g_autoptr(Domain) def = complete("q35", "<interface type='user'><model type='rtl8139'/></interface>");
    const Controller *bridge = domain_controller(def, CONTROLLER_TYPE_PCI, 2);

    g_assert_cmpint(bridge->model, ==, CONTROLLER_MODEL_PCIE_TO_PCI_BRIDGE);
    assert_place(bridge->address, "1:0.0");
    assert_place(interface(def, 0)->address, "2:1.0");
}

/* A definition that is complete stays as it is. */
static void test_fixed_point(void)
{
    g_autoptr(Domain) def = complete("q35", "<interface type='user'><model type='rtl8139'/></interface>"
                                            "<controller type='usb' model='ich9-ehci1'/><controller type='usb' "
                                            "model='ich9-uhci1'/><input type='tablet' bus='usb'/><serial type='pty'/>");
    g_autoptr(Domain) again = domain_copy(def);
    g_autoptr(Caps) caps = domain_text_caps();
    GError *error = NULL;

    complete_domain(again, caps, DRIVER_COMPLETE_DEFINE, &error);
    g_assert_no_error(error);
    g_assert_true(domain_equal(def, again));
}

static void test_bridges(void)
{
    GString *devices = g_string_new(NULL);
    g_autoptr(Domain) def = NULL;

    for (guint i = 0; i < 40; i++)
        g_string_append_printf(devices, NIC, "virtio");
    def = complete("pc", devices->str);
    g_assert_cmpint(domain_controller(def, CONTROLLER_TYPE_PCI, 1)->model, ==, CONTROLLER_MODEL_PCI_BRIDGE);
    g_assert_cmpuint(domain_controller(def, CONTROLLER_TYPE_PCI, 1)->target->chassis_nr, ==, 1);
    g_assert_cmpuint(interface(def, 39)->address->bus, ==, 1);
    g_string_free(devices, TRUE);
}

static void test_refused(void)
{
    assert_refused("pc", "<interface type='user'><address type='pci' bus='0' slot='3'/></interface>"
                         "<interface type='user'><address type='pci' bus='0' slot='3'/></interface>",
                   "XML error: Attempted double use of PCI Address 0000:00:03.0");
    assert_refused("q35", "<controller type='pci' index='0' model='pci-root'/>",
                   "XML error: The PCI controller with index='0' must be model='pcie-root' for this machine type, but "
                   "model='pci-root' was found instead");
    assert_refused("pc", "<controller type='usb' model='none'/><input type='tablet' bus='usb'/>",
                   "unsupported configuration: Can't add USB input device. USB bus is disabled");
    assert_refused("pc", "<controller type='pci' index='255' model='pci-bridge'/>"
                         "<interface type='user'><address type='pci' bus='0xff' slot='0'/></interface>",
                   "XML error: Invalid PCI address 0000:ff:00.0. slot must be >= 1");
    assert_refused("pc", "<controller type='virtio-serial' index='0' ports='2'/><channel type='pty'><target type='virtio'/>"
                         "<address type='virtio-serial' controller='0' bus='0' port='2'/></channel>",
                   "XML error: virtio serial controller 0 does not have port 2");
}

static const Input *input(const Domain *def, guint index)
{
    return g_ptr_array_index(def->devices->inputs, index);
}

/* A hub where ports are too few; it takes the first. */
static void test_usb(void)
{
    g_autoptr(Domain) def = complete("pc", "<input type='tablet' bus='usb'/><input type='mouse' bus='usb'/>"
                                           "<input type='keyboard' bus='usb'/>");
    const Hub *hub = g_ptr_array_index(def->devices->hubs, 0);

    g_assert_cmpuint(def->devices->hubs->len, ==, 1);
    g_assert_cmpstr(hub->address->port, ==, "1");
    g_assert_cmpstr(input(def, 0)->address->port, ==, "2");
    g_assert_cmpstr(input(def, 1)->address->port, ==, "1.1");
    g_assert_cmpstr(input(def, 2)->address->port, ==, "1.2");
}

/* A console that names no port takes none: QEMU finds it one. Channels start at 1 however many consoles there are. */
static void test_virtio_consoles(void)
{
    g_autoptr(Domain) def = complete("q35", "<console type='pty'><target type='virtio'/></console>"
                                            "<console type='pty'><target type='virtio'/></console>"
                                            "<channel type='pty'><target type='virtio' name='a'/></channel>"
                                            "<channel type='pty'><target type='virtio' name='b'/></channel>");

    for (guint i = 0; i < 2; i++) {
        const Chardev *console = g_ptr_array_index(def->devices->consoles, i);
        const Chardev *channel = g_ptr_array_index(def->devices->channels, i);

        g_assert_null(console->address);
        g_assert_cmpstr(channel->address->port, ==, i == 0 ? "1" : "2");
    }
}

static void test_virtio_serial(void)
{
    g_autoptr(Domain) def = complete("q35", "<channel type='pty'><target type='virtio' name='a'/></channel>"
                                            "<channel type='pty'><target type='virtio' name='b'/>"
                                            "<address type='virtio-serial' controller='0' bus='0' port='1'/></channel>");
    const Chardev *first = g_ptr_array_index(def->devices->channels, 0);

    g_assert_cmpstr(first->address->port, ==, "2");
    g_assert_nonnull(domain_controller(def, CONTROLLER_TYPE_VIRTIO_SERIAL, 0));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/address/i440fx", test_i440fx);
    g_test_add_func("/address/q35", test_q35);
    g_test_add_func("/address/conventional", test_conventional);
    g_test_add_func("/address/fixed-point", test_fixed_point);
    g_test_add_func("/address/bridges", test_bridges);
    g_test_add_func("/address/refused", test_refused);
    g_test_add_func("/address/usb", test_usb);
    g_test_add_func("/address/virtio-serial", test_virtio_serial);
    g_test_add_func("/address/virtio-consoles", test_virtio_consoles);
    return g_test_run();
}
