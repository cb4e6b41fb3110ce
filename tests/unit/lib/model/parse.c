/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading: what is tolerated and told, what is refused and in which words; what is shown to whom; what differs. */
#include <string.h>

#include "lib/error.h"
#include "lib/model/model.h"

#define WHOLE "<domain type='kvm'><name>a</name><memory unit='MiB'>64</memory><os><type>hvm</type></os>%s</domain>"

static Domain *parse(const char *inside, guint flags, GPtrArray *warnings, GError **error)
{
    g_autofree char *text = g_strdup_printf(WHOLE, inside);

    return model_parse_text(&domain_type, text, flags, warnings, error);
}

static Domain *parse_good(const char *inside, guint flags)
{
    g_autoptr(GError) error = NULL;
    Domain *domain = parse(inside, flags, NULL, &error);

    g_assert_no_error(error);
    return domain;
}

static void test_values(void)
{
    g_autoptr(Domain) domain = parse_good(
        "<uuid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</uuid><vcpu cpuset='3,1-2'> 2 </vcpu><devices>"
        "<disk><target dev='vda'/><address type='pci' bus='0x0a' slot='5'/></disk>"
        "<disk><target dev='sda'/><address type='drive' bus='010' unit='2'/></disk>"
        "<interface type='bridge'><mac address='52:54:0:AA:bb:CC'/><source bridge='br0' dev='ignored'/></interface>"
        "<graphics type='vnc' port='-1' websocket='-1'/></devices>", MODEL_PARSE_INACTIVE);
    const Disk *first = g_ptr_array_index(domain->devices->disks, 0);
    const Disk *second = g_ptr_array_index(domain->devices->disks, 1);
    const Interface *nic = g_ptr_array_index(domain->devices->interfaces, 0);
    const Graphics *vnc = g_ptr_array_index(domain->devices->graphics, 0);

    g_assert_cmpint(domain->type, ==, DOMAIN_TYPE_KVM);
    g_assert_cmpint(domain->id, ==, -1);
    g_assert_true(domain->uuid.set && domain->uuid.bytes[1] == 0xdc);
    g_assert_cmpuint(domain->memory, ==, 64 * 1024);
    g_assert_cmpuint(domain->current_memory, ==, UNSET64);
    g_assert_cmpuint(domain->vcpu->count, ==, 2);
    g_assert_cmpstr(domain->vcpu->cpuset, ==, "1-3");
    g_assert_cmpint(domain->on_reboot, ==, LIFECYCLE_RESTART);
    g_assert_cmpint(domain->clock->offset, ==, CLOCK_OFFSET_UTC);
    g_assert_cmpint(first->type, ==, STORAGE_TYPE_FILE);
    g_assert_cmpuint(first->address->bus, ==, 10);
    g_assert_cmpuint(first->address->slot, ==, 5);
    g_assert_cmpuint(first->address->function, ==, 0);
    g_assert_cmpuint(first->address->unit, ==, UNSET32);
    g_assert_cmpuint(second->address->bus, ==, 10);
    g_assert_cmpstr(nic->mac->address, ==, "52:54:00:aa:bb:cc");
    g_assert_cmpstr(nic->source->bridge, ==, "br0");
    g_assert_null(nic->source->dev);
    g_assert_cmpint(vnc->port, ==, -1);
    g_assert_cmpint(vnc->websocket, ==, 0);
}

static void test_warnings(void)
{
    static const char *const expected[] = {
        "domain/devices/disk[1]/@tpye: unknown attribute, ignored; did you mean 'type'?",
        "domain/devices/disk[1]/source/@dev: this attribute has no meaning here and is ignored",
        "domain/devices/disk[1]/targte: unknown element, ignored; did you mean 'target'?",
        "domain/devices/disk[2]/mirror/source/@zorkzork: unknown attribute, ignored",
        "domain/devices/serial[1]/target: only the first element of this name counts",
        "domain/memory/@dumpcores: unknown attribute, ignored; did you mean 'dumpCore'?",
    };
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_autoptr(Domain) domain = model_parse_text(
        &domain_type,
        "<domain type='kvm'><name>a</name><os><type>hvm</type></os><devices>"
        "<disk tpye='file'><source file='/a' dev='/b'/><targte dev='vda'/><target dev='vda'/></disk>"
        "<disk><mirror type='file' job='copy'><source file='/a' zorkzork='1'/></mirror><target dev='vdb'/></disk>"
        "<serial type='pty'><target port='0'/><target port='1'/></serial></devices>"
        "<memory unit='KiB' dumpcores='on'>1</memory></domain>",
        0, warnings, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(warnings->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < warnings->len; i++)
        g_assert_cmpstr(g_ptr_array_index(warnings, i), ==, expected[i]);
}

static void test_foreign(void)
{
    g_autoptr(Domain) domain = parse_good("<metadata><a/><x:b xmlns:x='urn:x'/><x:c xmlns:x='urn:x'/></metadata>", 0);

    g_assert_cmpstr(domain->metadata, ==, "<metadata>\n  <x:b xmlns:x=\"urn:x\"/>\n</metadata>");
}

/* All as libvirtd 9.0.0 says it. */
static void test_refused(void)
{
    static const struct {
        const char *inside;
        int code;
        int from;
        const char *message;
    } cases[] = {
        {"<os/>", 0, 0, NULL},
        {"<devices><disk device='zork'/></devices>", VIR_ERR_XML_ERROR, VIR_FROM_XML,
         "XML error: Invalid value for attribute 'device' in element 'disk': 'zork'."},
        {"<devices><graphics/></devices>", VIR_ERR_XML_ERROR, VIR_FROM_XML,
         "XML error: Missing required attribute 'type' in element 'graphics'"},
        {"<vcpu placement='x'>1</vcpu>", VIR_ERR_XML_ERROR, VIR_FROM_XML,
         "XML error: Invalid value for attribute 'placement' in element 'vcpu': 'x'."},
        {"<vcpu>x</vcpu>", VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN, "XML error: maximum vcpus count must be an integer"},
        {"<vcpu cpuset='zz'>1</vcpu>", VIR_ERR_INVALID_ARG, VIR_FROM_NONE,
         "invalid argument: Failed to parse bitmap 'zz'"},
        {"<on_reboot>x</on_reboot>", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN,
         "unsupported configuration: unknown on_reboot action: x"},
        {"<features><zork/></features>", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN,
         "unsupported configuration: unexpected feature 'zork'"},
        {"<uuid>x</uuid>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_DOMAIN, "internal error: malformed uuid element"},
        {"<currentMemory unit='zork'>1</currentMemory>", VIR_ERR_INVALID_ARG, VIR_FROM_NONE,
         "invalid argument: unknown suffix 'zork'"},
        {"<currentMemory unit='EiB'>100</currentMemory>", VIR_ERR_OVERFLOW, VIR_FROM_NONE,
         "numerical overflow: value too large: 100EiB"},
        {"<currentMemory>-1</currentMemory>", VIR_ERR_XML_ERROR, VIR_FROM_XML,
         "XML error: Invalid value '-1' for element or attribute './currentMemory[1]'"},
        {"<devices><disk/></devices>", VIR_ERR_NO_TARGET, VIR_FROM_DOMAIN, "missing target information for device"},
        {"<devices><disk type='block'><source dev='/x'/></disk></devices>", VIR_ERR_NO_TARGET, VIR_FROM_DOMAIN,
         "missing target information for device /x"},
        {"<devices><disk><source file='/x'/><target bus='ide'/></disk></devices>", VIR_ERR_NO_TARGET, VIR_FROM_DOMAIN,
         "missing target information for device /x"},
        {"<devices><disk type='volume'><source pool='p' volume='v'/></disk></devices>", VIR_ERR_NO_TARGET, VIR_FROM_DOMAIN,
         "missing target information for device pool = 'p', volume = 'v'"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Domain) domain = parse(cases[i].inside, 0, NULL, &error);
        g_assert_cmpstr(error ? error->message : NULL, ==, cases[i].message);
        if (error) {
            g_assert_null(domain);
            g_assert_cmpint(error_code(error), ==, cases[i].code);
            g_assert_cmpint(error_from(error), ==, cases[i].from);
        }
    }
}

static void expect_text(const Domain *domain, guint flags, const char *words, gboolean shown)
{
    g_autofree char *text = model_format_text(&domain_type, domain, flags);

    if ((strstr(text, words) != NULL) != shown)
        g_error("flags %u, %s: %s\n%s", flags, shown ? "missing" : "shown", words, text);
}

static void test_shown(void)
{
    const guint inactive = MODEL_FORMAT_INACTIVE, secure = MODEL_FORMAT_SECURE, status = MODEL_FORMAT_STATUS;
    const guint migratable = inactive | MODEL_FORMAT_MIGRATABLE;
    g_autoptr(Domain) domain = parse_good(
        "<devices><disk><source file='/a' index='3'/><backingStore/><target dev='vda'/><alias name='disk0'/></disk>"
        "<disk><target dev='vdb'/><alias name='ua-mine'/></disk>"
        "<graphics type='vnc' port='5901' autoport='yes' passwd='pw'><listen type='address' address='127.0.0.1'/>"
        "</graphics>"
        "</devices>", 0);

    Disk *disk = g_ptr_array_index(domain->devices->disks, 0);

    domain->id = 7;
    expect_text(domain, 0, "id='7'", TRUE);
    expect_text(domain, inactive, "id='7'", FALSE);
    expect_text(domain, status, "id='7'", TRUE);
    expect_text(domain, status | inactive, "id='7'", FALSE);
    g_ptr_array_add(domain->ignored, ignored_new());
    expect_text(domain, status | inactive, "<ignored>", FALSE);
    ((Ignored *)domain->ignored->pdata[0])->value = g_strdup("x");
    expect_text(domain, status | inactive, "<ignored>x</ignored>", TRUE);
    expect_text(domain, inactive | secure, "<ignored>", FALSE);
    expect_text(domain, 0, "<source file='/a' index='3'/>", TRUE);
    expect_text(domain, inactive, "<source file='/a' index='3'/>", TRUE);
    expect_text(domain, migratable, "<source file='/a'/>", TRUE);
    expect_text(domain, inactive, "disk0", TRUE);
    expect_text(domain, migratable, "disk0", FALSE);
    expect_text(domain, migratable, "<alias name='ua-mine'/>", TRUE);
    expect_text(domain, inactive, "<backingStore", TRUE);
    disk->backing_store->detected = TOGGLE_ON;
    expect_text(domain, inactive, "<backingStore", FALSE);
    expect_text(domain, 0, "<backingStore", TRUE);
    expect_text(domain, 0, "<graphics type='vnc' port='5901' autoport='yes' listen='127.0.0.1'>", TRUE);
    expect_text(domain, inactive | secure,
                "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1' passwd='pw'>", TRUE);

    g_autofree char *text = model_format_text(&domain_type, domain, status);
    g_autoptr(Domain) definition = model_parse_text(&domain_type, text, MODEL_PARSE_INACTIVE, NULL, NULL);
    disk = g_ptr_array_index(definition->devices->disks, 0);
    g_assert_cmpint(definition->id, ==, -1);
    g_assert_null(disk->alias);
    g_assert_cmpuint(disk->source->index, ==, UNSET32);
}

static void test_as_other_name(void)
{
    g_autoptr(GError) error = NULL;
    const char *text = "<channel type='null'><target type='virtio'/></channel>";
    g_autoptr(XmlDocument) document = xml_parse(text, "device", &error);
    g_autoptr(Chardev) chardev = model_parse(&chardev_type, xml_root(document), 0, NULL, &error);
    g_autoptr(XmlWriter) writer = xml_writer_new();

    g_assert_no_error(error);
    model_format_as(&chardev_type, "channel", chardev, 0, writer);
    g_autofree char *again = xml_writer_finish(writer);
    g_assert_cmpstr(again, ==, "<channel type='null'>\n  <target type='virtio'/>\n</channel>\n");
}

static gboolean add_path(const char *path, gpointer data)
{
    g_string_append_printf(data, "%s ", path);
    return TRUE;
}

static gboolean stop(const char *path, gpointer data)
{
    return FALSE;
}

static void expect_difference(const Domain *a, const Domain *b, ModelCompare which, const char *expected)
{
    g_autoptr(GString) paths = g_string_new(NULL);

    g_assert_true(model_compare(&domain_type, a, b, which, add_path, paths));
    g_assert_cmpstr(paths->str, ==, expected);
    g_assert_cmpint(model_compare(&domain_type, a, b, which, stop, NULL), ==, *expected == '\0');
}

static void test_compare(void)
{
    g_autoptr(Domain) a = parse_good(
        "<devices><disk><driver name='qemu' cache='none'/><source file='/a'/><target dev='vda' bus='virtio'/></disk>"
        "</devices>", 0);
    g_autoptr(Domain) b = domain_copy(a);
    Disk *disk = g_ptr_array_index(b->devices->disks, 0);

    expect_difference(a, b, MODEL_COMPARE_ALL, "");
    g_assert_true(domain_equal(a, b));
    disk->driver->cache = DISK_CACHE_UNSAFE;
    g_free(g_steal_pointer(&disk->source->file));
    disk->target->bus = DISK_BUS_SCSI;
    b->memory = 1;
    g_ptr_array_add(b->devices->sounds, sound_new());
    g_assert_false(domain_equal(a, b));
    expect_difference(a, b, MODEL_COMPARE_ALL,
                      "memory devices/disk[0]/driver/@cache devices/disk[0]/source/@file devices/disk[0]/target/@bus "
                      "devices/sound[0] ");
    expect_difference(a, b, MODEL_COMPARE_ABI, "memory devices/disk[0]/target/@bus devices/sound[0] ");
    expect_difference(a, b, MODEL_COMPARE_NOT_LIVE,
                      "memory devices/disk[0]/driver/@cache devices/disk[0]/target/@bus devices/sound[0] ");
}

static void test_enum(void)
{
    g_assert_cmpstr(disk_bus_to_string(DISK_BUS_VIRTIO), ==, "virtio");
    g_assert_null(disk_bus_to_string(DISK_BUS_UNSET));
    g_assert_null(disk_bus_to_string(DISK_BUS_LAST));
    g_assert_cmpint(disk_bus_from_string("virtio"), ==, DISK_BUS_VIRTIO);
    g_assert_cmpint(disk_bus_from_string("zork"), ==, DISK_BUS_UNSET);
    g_assert_cmpint(disk_bus_from_string(NULL), ==, DISK_BUS_UNSET);
}

static void test_reference(void)
{
    Domain *domain = domain_new();

    g_assert_true(domain_ref(domain) == domain);
    domain_unref(domain);
    g_assert_cmpint(domain->id, ==, -1);
    domain_unref(domain);
    domain_unref(NULL);
    disk_free(NULL);
    g_assert_null(disk_copy(NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/parse/values", test_values);
    g_test_add_func("/model/parse/warnings", test_warnings);
    g_test_add_func("/model/parse/foreign", test_foreign);
    g_test_add_func("/model/parse/refused", test_refused);
    g_test_add_func("/model/format/shown", test_shown);
    g_test_add_func("/model/format/as-other-name", test_as_other_name);
    g_test_add_func("/model/compare", test_compare);
    g_test_add_func("/model/enum", test_enum);
    g_test_add_func("/model/reference", test_reference);
    return g_test_run();
}
