/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/driver-kvm/domain-text.h"

static Domain *complete(const char *machine, const char *devices)
{
    char *fault = NULL;
    Domain *def = domain_text_complete(machine, devices, &fault);

    g_assert_cmpstr(fault, ==, NULL);
    return def;
}

static void test_identity(void)
{
    g_autoptr(Domain) def = complete("q35", "<interface type='user'/>");
    const Interface *interface = g_ptr_array_index(def->devices->interfaces, 0);

    g_assert_true(def->uuid.set);
    g_assert_true(g_str_has_prefix(interface->mac->address, "52:54:00:"));
    g_assert_cmpuint(strlen(interface->mac->address), ==, 17);
    g_assert_cmpstr(interface->model->type, ==, "rtl8139");
    g_assert_cmpstr(def->os->type->machine, ==, "pc-q35-7.2");
    g_assert_cmpstr(def->cpu->model->name, ==, "qemu64");
}

/* The first serial port is a console too, and a first console is a serial port. */
static void test_consoles(void)
{
    g_autoptr(Domain) from_serial = complete("pc", "<serial type='pty'/>");
    g_autoptr(Domain) from_console = complete("pc", "<console type='pty'/>");
    g_autoptr(Domain) both = complete("pc", "<serial type='null'/><console type='pty'/>");
    const Chardev *console = g_ptr_array_index(both->devices->consoles, 0);

    g_assert_cmpuint(from_serial->devices->consoles->len, ==, 1);
    g_assert_cmpuint(from_console->devices->serials->len, ==, 1);
    g_assert_cmpint(console->type, ==, CHARDEV_TYPE_NULL);
    g_assert_cmpint(console->target->type, ==, CHARDEV_TARGET_TYPE_SERIAL);
}

static void test_aliases(void)
{
    g_autoptr(Domain) def = complete("pc", "<disk type='file' device='disk'><source file='/a'/><target dev='sda' bus='scsi'/></disk>"
                                           "<disk type='file' device='disk'><source file='/b'/><target dev='vdc'/></disk>"
                                           "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>"
                                           "<serial type='pty'><alias name='ua-mine'/></serial>"
                                           "<interface type='user'><alias name='dropped'/></interface>");
    g_autoptr(Caps) caps = domain_text_caps();
    static const char *const expected[] = {"scsi0-0-0", "virtio-disk2", "ide0-1-0"};
    GError *error = NULL;

    complete_domain(def, caps, DRIVER_COMPLETE_START, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpstr(((Disk *)g_ptr_array_index(def->devices->disks, i))->alias->name, ==, expected[i]);
    g_assert_cmpstr(((Chardev *)g_ptr_array_index(def->devices->serials, 0))->alias->name, ==, "ua-mine");
    g_assert_cmpstr(((Chardev *)g_ptr_array_index(def->devices->consoles, 0))->alias->name, ==, "ua-mine");
    g_assert_cmpstr(((Interface *)g_ptr_array_index(def->devices->interfaces, 0))->alias->name, ==, "net0");
}

static void assert_fault(const char *devices, DriverComplete when, const char *expected)
{
    g_autofree char *fault = NULL;
    g_autoptr(Domain) def = domain_text_complete("q35", devices, &fault);
    g_autoptr(Caps) caps = domain_text_caps();
    g_autoptr(GError) error = NULL;

    if (when == DRIVER_COMPLETE_START) {
        g_assert_nonnull(def);
        g_assert_false(complete_domain(def, caps, DRIVER_COMPLETE_START, &error));
        fault = g_strdup(error->message);
    }
    g_assert_cmpstr(fault, ==, expected);
}

static void test_refused_at_define(void)
{
    assert_fault("<disk type='file' device='disk'><source file='/a'/><target dev='sda' bus='sata'/></disk>"
                 "<disk type='file' device='disk'><source file='/b'/><target dev='sda' bus='sata'/></disk>", DRIVER_COMPLETE_DEFINE,
                 "XML error: target 'sda' duplicated for disk sources '/a' and '/b'");
    assert_fault("<disk type='file' device='disk'><source file='/a'/><target dev='zzz'/></disk>", DRIVER_COMPLETE_DEFINE,
                 "XML error: Unknown disk name 'zzz' and no address specified");
    assert_fault("<video><model type='vga'/></video><video><model type='cirrus'/></video>", DRIVER_COMPLETE_DEFINE,
                 "unsupported configuration: video type 'cirrus' is only valid as primary video device");
    assert_fault("<graphics type='vnc' passwd='123456789'/>", DRIVER_COMPLETE_DEFINE,
                 "unsupported configuration: VNC password is 9 characters long, only 8 permitted");
}

/* What has no effect is refused before the start, by name. */
static void test_refused_at_start(void)
{
    assert_fault("<lease><lockspace>a</lockspace><key>b</key><target path='/c'/></lease>", DRIVER_COMPLETE_START,
                 "unsupported configuration: <lease> is not supported by this driver (in <devices>)");
    assert_fault("<interface type='user'><bandwidth><inbound average='1'/></bandwidth></interface>", DRIVER_COMPLETE_START,
                 "unsupported configuration: <bandwidth> is not supported by this driver (in <interface>)");
    assert_fault("<disk type='block' device='lun' rawio='yes'><source dev='/a'/><target dev='sda' bus='scsi'/></disk>",
                 DRIVER_COMPLETE_START, "unsupported configuration: rawio='yes' is not supported by this driver (in <disk>)");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/complete/identity", test_identity);
    g_test_add_func("/complete/consoles", test_consoles);
    g_test_add_func("/complete/aliases", test_aliases);
    g_test_add_func("/complete/refused-at-define", test_refused_at_define);
    g_test_add_func("/complete/refused-at-start", test_refused_at_start);
    return g_test_run();
}
