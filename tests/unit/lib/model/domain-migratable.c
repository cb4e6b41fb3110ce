/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "lib/model/domain-migratable.h"

#define RUN "/run/duovirt"

/* The devices of a migratable document whose original has DEVICES. */
static char *told(const char *devices)
{
    g_autofree char *xml = g_strdup_printf("<domain type='kvm' id='3'><name>a</name><memory>1024</memory>"
                                           "<os><type arch='x86_64'>hvm</type></os><devices>%s</devices></domain>", devices);
    g_autoptr(GError) error = NULL;
    g_autoptr(Domain) domain = model_parse_text(&domain_type, xml, 0, NULL, &error);

    g_assert_no_error(error);
    g_autofree char *before = model_format_text(&domain_type, domain, MODEL_FORMAT_STATUS);
    char *text = domain_migratable_text(domain, RUN);
    g_autofree char *after = model_format_text(&domain_type, domain, MODEL_FORMAT_STATUS);
    g_assert_cmpstr(before, ==, after);
    g_assert_null(strstr(text, "id='3'"));
    return text;
}

static void expect(const char *devices, const char *part, gboolean there)
{
    g_autofree char *text = told(devices);

    if ((strstr(text, part) != NULL) != there)
        g_error("%s: '%s' is %s", text, part, there ? "missing" : "there");
}

static void test_run(void)
{
    expect("<channel type='unix'><source mode='bind' path='" RUN "/domains/x/0.sock'/><target type='virtio' name='a'/></channel>",
           "<source", FALSE);
    expect("<channel type='unix'><source mode='bind' path='/mine.sock'/><target type='virtio' name='a'/></channel>",
           "/mine.sock", TRUE);
    expect("<interface type='ethernet'><target dev='vnet12'/></interface>", "<target", FALSE);
    expect("<interface type='ethernet'><target dev='vnetwork'/></interface>", "vnetwork", TRUE);
    expect("<interface type='ethernet'><target dev='tap0'/></interface>", "tap0", TRUE);
}

static void test_machine(void)
{
    const char *companions = "<controller type='usb' index='0' model='piix3-uhci'/><controller type='usb' index='1' model='nec-xhci'/>";

    expect("<controller type='usb' index='0' model='piix3-uhci'/>", "usb", FALSE);
    expect("<controller type='usb' index='0'/>", "usb", FALSE);
    expect("<controller type='usb' index='0' model='nec-xhci'/>", "nec-xhci", TRUE);
    expect(companions, "piix3-uhci", TRUE);
    expect("<controller type='pci' index='0' model='pci-root'/>", "pci-root", FALSE);
    expect("<controller type='pci' index='0' model='pcie-root'/>", "pcie-root", TRUE);
    expect("<controller type='pci' index='0' model='pci-root'/><controller type='pci' index='1' model='pci-bridge'/>",
           "pci-root", TRUE);
    expect("<disk device='cdrom'><driver name='qemu'/><target dev='sda'/></disk>", "type='raw'", TRUE);
    expect("<input type='keyboard' bus='ps2'/>", "keyboard", FALSE);
    expect("<input type='keyboard' bus='usb'/>", "keyboard", TRUE);
    expect("<input type='mouse' bus='ps2'/>", "mouse", TRUE);
    expect("<audio id='1' type='none'/>", "audio", FALSE);
    expect("<audio id='2' type='none'/>", "audio", TRUE);
    expect("<audio id='1' type='none'/><audio id='2' type='oss'/>", "type='none'", TRUE);
}

/* The other side gets what reading the document again makes of it: controllers by kind, consoles by their places. */
static void test_read_again(void)
{
    expect("<controller type='pci' index='0' model='pcie-root'/><controller type='virtio-serial' index='0'/>"
           "<controller type='pci' index='1' model='pcie-root-port'/>",
           "pcie-root-port'/>\n    <controller type='virtio-serial'", TRUE);
    expect("<console type='pty'><target type='serial' port='0'/></console>"
           "<console type='pty'><target type='virtio' port='0'/></console>",
           "<target type='virtio' port='1'/>", TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-migratable/run", test_run);
    g_test_add_func("/domain-migratable/machine", test_machine);
    g_test_add_func("/domain-migratable/read-again", test_read_again);
    return g_test_run();
}
