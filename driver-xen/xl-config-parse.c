/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxlutil, which is xl's own reader, knows the syntax of files and of disks; what is found becomes an XML document, so that values
 * are looked at where those of every document are.
 */
#include "driver-xen/xl-config.h"

#include <libxlutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/xml.h"

#define UNSUPPORTED VIR_FROM_LIBXL, VIR_ERR_CONFIG_UNSUPPORTED
#define TEXT_MAX (1024 * 1024)
#define MEMORY_LEAST 64 /* MiB, where nobody says how much */
#define VNC_PORT_BASE 5900
#define RATE_MAX (G_GUINT64_CONSTANT(1) << 32)
#define LOADER "/usr/lib/xen/boot/hvmloader"
#define LOADER_EFI "/usr/share/OVMF/OVMF_CODE.fd"

typedef struct {
    XLU_Config *config;
    XmlWriter *xml;
    XlConfigFormat format;
    gboolean hvm;
    char *report; /* what libxlutil says; of open_memstream() */
    size_t report_size;
    FILE *report_file;
} Reader;

/* --- values --- */

/* NULL: it is not there. */
static const char *string(const Reader *reader, const char *key)
{
    const char *value = NULL;

    return xlu_cfg_get_string(reader->config, key, &value, 1) == 0 ? value : NULL;
}

static gint64 number(const Reader *reader, const char *key, gint64 otherwise)
{
    long value;

    return xlu_cfg_get_long(reader->config, key, &value, 1) == 0 ? value : otherwise;
}

/* The strings of a list; where KEY is one string, that one. The array does not own them. */
static GPtrArray *strings(const Reader *reader, const char *key)
{
    GPtrArray *values = g_ptr_array_new();
    const char *single = string(reader, key), *value;
    XLU_ConfigList *list;

    if (single)
        g_ptr_array_add(values, (char *)single);
    else if (xlu_cfg_get_list(reader->config, key, &list, NULL, 1) == 0)
        for (int i = 0; (value = xlu_cfg_get_listitem(list, i)); i++)
            g_ptr_array_add(values, (char *)value);
    return values;
}

static void element(const Reader *reader, const char *name, const char *value)
{
    if (value)
        xml_writer_element(reader->xml, name, value);
}

static void attribute(const Reader *reader, const char *name, const char *value)
{
    if (value)
        xml_writer_attribute(reader->xml, name, value);
}

/* An element with one attribute. */
static void mark(const Reader *reader, const char *name, const char *key, const char *value)
{
    xml_writer_open(reader->xml, name);
    attribute(reader, key, value);
    xml_writer_close(reader->xml);
}

static void mark_if(const Reader *reader, const char *name, const char *key, const char *value)
{
    if (value)
        mark(reader, name, key, value);
}

/* "KEY=VALUE" among the words of a specification; NULL: it is not there. */
static const char *word(char **words, const char *key)
{
    for (guint i = 0; words[i]; i++) {
        const char *at = words[i] + strspn(words[i], " \t");

        if (g_str_has_prefix(at, key) && at[strlen(key)] == '=')
            return at + strlen(key) + 1;
    }
    return NULL;
}

/* --- what it is --- */

static gboolean read_kind(Reader *reader, const char **ret_kind, GError **error)
{
    static const struct {
        const char *type, *kind;
    } kinds[] = {{"pv", "xen"}, {"pvh", "xenpvh"}, {"hvm", "hvm"}};
    const char *type = string(reader, "type"), *builder = string(reader, "builder");

    *ret_kind = g_strcmp0(builder, "hvm") == 0 && !type ? "hvm" : type ? NULL : "xen";
    for (guint i = 0; type && i < G_N_ELEMENTS(kinds); i++)
        if (g_str_equal(type, kinds[i].type))
            *ret_kind = kinds[i].kind;
    reader->hvm = g_strcmp0(*ret_kind, "hvm") == 0;
    return *ret_kind || error_set(error, UNSUPPORTED, "type %s is not supported", type);
}

static void read_size(const Reader *reader)
{
    gint64 memory = number(reader, "memory", MEMORY_LEAST), vcpus = number(reader, "vcpus", 1);
    const struct {
        const char *name;
        gint64 value;
    } memories[] = {{"memory", number(reader, "maxmem", memory)}, {"currentMemory", memory}};
    g_autofree char *most = g_strdup_printf("%" G_GINT64_FORMAT, number(reader, "maxvcpus", vcpus));

    for (guint i = 0; i < G_N_ELEMENTS(memories); i++) {
        g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, memories[i].value);

        xml_writer_open(reader->xml, memories[i].name);
        xml_writer_attribute(reader->xml, "unit", "MiB");
        xml_writer_text(reader->xml, text);
        xml_writer_close(reader->xml);
    }
    xml_writer_open(reader->xml, "vcpu");
    attribute(reader, "cpuset", string(reader, "cpus"));
    xml_writer_attributef(reader->xml, "current", "%" G_GINT64_FORMAT, vcpus);
    xml_writer_text(reader->xml, most);
    xml_writer_close(reader->xml);
}

static void read_boot_order(const Reader *reader)
{
    static const struct {
        char letter;
        const char *device;
    } devices[] = {{'a', "fd"}, {'c', "hd"}, {'d', "cdrom"}, {'n', "network"}};
    const char *order = string(reader, "boot");

    for (const char *at = order ? order : "c"; *at; at++)
        for (guint i = 0; i < G_N_ELEMENTS(devices); i++)
            if (devices[i].letter == *at)
                mark(reader, "boot", "dev", devices[i].device);
}

/* xl has the words of a kernel's command line in three places. */
static void read_cmdline(const Reader *reader)
{
    const char *whole = string(reader, "cmdline"), *root = string(reader, "root"), *extra = string(reader, "extra");
    g_autofree char *text = whole           ? g_strdup(whole)
                            : root && extra ? g_strdup_printf("root=%s %s", root, extra)
                            : root          ? g_strdup_printf("root=%s", root)
                                            : g_strdup(extra);

    element(reader, "cmdline", text);
}

static void read_os(const Reader *reader, const char *kind)
{
    gboolean efi = g_strcmp0(string(reader, "bios"), "ovmf") == 0;

    if (!reader->hvm) {
        element(reader, "bootloader", string(reader, "bootloader"));
        element(reader, "bootloader_args", string(reader, "bootargs"));
    }
    xml_writer_open(reader->xml, "os");
    xml_writer_open(reader->xml, "type");
    xml_writer_attribute(reader->xml, "arch", "x86_64");
    xml_writer_attribute(reader->xml, "machine", reader->hvm ? "xenfv" : g_str_equal(kind, "xen") ? "xenpv" : "xenpvh");
    xml_writer_text(reader->xml, kind);
    xml_writer_close(reader->xml);
    if (reader->hvm) {
        xml_writer_open(reader->xml, "loader");
        attribute(reader, "readonly", efi ? "yes" : NULL);
        xml_writer_attribute(reader->xml, "type", efi ? "pflash" : "rom");
        xml_writer_text(reader->xml, efi ? LOADER_EFI : LOADER);
        xml_writer_close(reader->xml);
    }
    element(reader, "kernel", string(reader, "kernel"));
    element(reader, "initrd", string(reader, "ramdisk"));
    read_cmdline(reader);
    if (reader->hvm)
        read_boot_order(reader);
    xml_writer_close(reader->xml);
}

static void read_features(const Reader *reader)
{
    static const struct {
        const char *key;
        gint64 otherwise;
    } flags[] = {{"acpi", 1}, {"apic", 1}, {"pae", 1}, {"viridian", 0}};

    xml_writer_open(reader->xml, "features");
    for (guint i = 0; reader->hvm && i < G_N_ELEMENTS(flags); i++)
        if (number(reader, flags[i].key, flags[i].otherwise))
            mark(reader, flags[i].key, NULL, NULL);
    if (reader->hvm && !number(reader, "hap", 1))
        mark(reader, "hap", "state", "off");
    if (!reader->hvm && number(reader, "e820_host", 0)) {
        xml_writer_open(reader->xml, "xen");
        mark(reader, "e820_host", "state", "on");
        xml_writer_close(reader->xml);
    }
    xml_writer_close(reader->xml);
}

static void read_timers(const Reader *reader)
{
    static const char *const modes[][2] = {{"native", "native"}, {"native_paravirt", "paravirt"}, {"always_emulate", "emulate"}};
    const char *tsc = string(reader, "tsc_mode"), *mode = "auto";
    gint64 hpet = reader->hvm ? number(reader, "hpet", -1) : -1;

    for (guint i = 0; tsc && i < G_N_ELEMENTS(modes); i++)
        if (g_str_equal(tsc, modes[i][0]))
            mode = modes[i][1];
    if (tsc) {
        xml_writer_open(reader->xml, "timer");
        xml_writer_attribute(reader->xml, "name", "tsc");
        xml_writer_attribute(reader->xml, "present", "yes");
        xml_writer_attribute(reader->xml, "mode", mode);
        xml_writer_close(reader->xml);
    }
    if (hpet >= 0) {
        xml_writer_open(reader->xml, "timer");
        xml_writer_attribute(reader->xml, "name", "hpet");
        xml_writer_attribute(reader->xml, "present", hpet ? "yes" : "no");
        xml_writer_close(reader->xml);
    }
}

static void read_clock(const Reader *reader)
{
    gboolean local = number(reader, "localtime", 0) != 0;

    xml_writer_open(reader->xml, "clock");
    if (reader->hvm) {
        xml_writer_attribute(reader->xml, "offset", "variable");
        xml_writer_attributef(reader->xml, "adjustment", "%" G_GINT64_FORMAT, number(reader, "rtc_timeoffset", 0));
        xml_writer_attribute(reader->xml, "basis", local ? "localtime" : "utc");
    } else {
        xml_writer_attribute(reader->xml, "offset", local ? "localtime" : "utc");
        xml_writer_attribute(reader->xml, "adjustment", "reset");
    }
    read_timers(reader);
    xml_writer_close(reader->xml);
}

static void read_actions(const Reader *reader)
{
    static const char *const actions[][2] = {{"on_poweroff", "destroy"}, {"on_reboot", "restart"}, {"on_crash", "restart"}};

    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        const char *action = string(reader, actions[i][0]);

        element(reader, actions[i][0], action ? action : actions[i][1]);
    }
}

/* --- disks --- */

static const char *disk_bus(const Reader *reader, const char *target)
{
    if (!reader->hvm || g_str_has_prefix(target, "xvd"))
        return "xen";
    return g_str_has_prefix(target, "sd") ? "scsi" : "ide";
}

static const char *disk_format(libxl_disk_format format)
{
    switch (format) {
    case LIBXL_DISK_FORMAT_QCOW:
        return "qcow";
    case LIBXL_DISK_FORMAT_QCOW2:
        return "qcow2";
    case LIBXL_DISK_FORMAT_VHD:
        return "vpc";
    case LIBXL_DISK_FORMAT_QED:
        return "qed";
    default:
        return "raw";
    }
}

static void write_disk(const Reader *reader, const libxl_device_disk *disk)
{
    gboolean block = disk->backend == LIBXL_DISK_BACKEND_PHY && !disk->is_cdrom;
    const char *path = disk->pdev_path && *disk->pdev_path ? disk->pdev_path : NULL;

    xml_writer_open(reader->xml, "disk");
    xml_writer_attribute(reader->xml, "type", block ? "block" : "file");
    xml_writer_attribute(reader->xml, "device", disk->is_cdrom ? "cdrom" : "disk");
    xml_writer_open(reader->xml, "driver");
    xml_writer_attribute(reader->xml, "name", block ? "phy" : disk->backend == LIBXL_DISK_BACKEND_TAP ? "tap" : "qemu");
    attribute(reader, "type", disk->is_cdrom ? (path ? "raw" : NULL) : disk_format(disk->format));
    xml_writer_close(reader->xml);
    mark_if(reader, "source", block ? "dev" : "file", path);
    xml_writer_open(reader->xml, "target");
    xml_writer_attribute(reader->xml, "dev", disk->vdev);
    xml_writer_attribute(reader->xml, "bus", disk_bus(reader, disk->vdev));
    xml_writer_close(reader->xml);
    if (!disk->readwrite)
        mark(reader, "readonly", NULL, NULL);
    xml_writer_close(reader->xml);
}

static gboolean read_disks(const Reader *reader, GError **error)
{
    g_autoptr(GPtrArray) specs = strings(reader, "disk");
    gboolean good = TRUE;

    for (guint i = 0; i < specs->len && good; i++) {
        const char *spec = specs->pdata[i];
        libxl_device_disk disk;

        libxl_device_disk_init(&disk);
        good = xlu_disk_parse(reader->config, 1, &spec, &disk) == 0 && disk.vdev;
        if (good)
            write_disk(reader, &disk);
        libxl_device_disk_dispose(&disk);
        if (!good)
            error_set(error, VIR_FROM_LIBXL, VIR_ERR_CONF_SYNTAX, "'%s' is no disk as xl-disk-configuration(5) has them", spec);
    }
    return good;
}

/* --- interfaces --- */

static void write_addresses(const Reader *reader, const char *list)
{
    g_auto(GStrv) addresses = g_strsplit(list ? list : "", " ", -1);

    for (guint i = 0; addresses[i]; i++)
        if (*addresses[i])
            mark(reader, "ip", "address", addresses[i]);
}

/* In KiB a second: "10MB/s", "8Mb/s@20ms". What is a million to xl is a binary million to libvirt. */
static guint64 rate_of(const char *text)
{
    static const char units[] = "KMG";
    char *end;
    guint64 rate = g_ascii_strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;

    rate = MIN(rate, RATE_MAX) << (unit ? 10 * (unit - units) : 0);
    end += unit != NULL;
    return *end == 'b' ? rate / 8 : rate;
}

static void write_interface(const Reader *reader, char **words)
{
    const char *bridge = word(words, "bridge"), *script = word(words, "script"), *model = word(words, "model");
    const char *type = word(words, "type"), *rate = word(words, "rate");
    gboolean bridged = bridge || g_strcmp0(script, "vif-bridge") == 0;

    xml_writer_open(reader->xml, "interface");
    xml_writer_attribute(reader->xml, "type", bridged ? "bridge" : "ethernet");
    mark_if(reader, "mac", "address", word(words, "mac"));
    mark_if(reader, "source", "bridge", bridge);
    write_addresses(reader, word(words, "ip"));
    mark_if(reader, "script", "path", script && *script ? script : NULL);
    mark_if(reader, "target", "dev", word(words, "vifname"));
    if (!model && g_strcmp0(type, reader->format == XL_CONFIG_XL ? "vif" : "netfront") == 0)
        model = "netfront";
    mark_if(reader, "model", "type", model);
    if (rate && rate_of(rate) > 0) {
        g_autofree char *average = g_strdup_printf("%" G_GUINT64_FORMAT, rate_of(rate));

        xml_writer_open(reader->xml, "bandwidth");
        mark(reader, "outbound", "average", average);
        xml_writer_close(reader->xml);
    }
    xml_writer_close(reader->xml);
}

static void read_interfaces(const Reader *reader)
{
    g_autoptr(GPtrArray) specs = strings(reader, "vif");

    for (guint i = 0; i < specs->len; i++) {
        g_auto(GStrv) words = g_strsplit(specs->pdata[i], ",", -1);

        write_interface(reader, words);
    }
}

/* --- displays --- */

static void write_vnc(const Reader *reader, gboolean any, gint64 display, const char *address, const char *password, const char *keymap)
{
    xml_writer_open(reader->xml, "graphics");
    xml_writer_attribute(reader->xml, "type", "vnc");
    xml_writer_attributef(reader->xml, "port", "%" G_GINT64_FORMAT, any ? -1 : VNC_PORT_BASE + display);
    xml_writer_attribute(reader->xml, "autoport", any ? "yes" : "no");
    attribute(reader, "keymap", keymap);
    attribute(reader, "passwd", password);
    xml_writer_open(reader->xml, "listen");
    xml_writer_attribute(reader->xml, "type", "address");
    attribute(reader, "address", address);
    xml_writer_close(reader->xml);
    xml_writer_close(reader->xml);
}

static void read_displays(const Reader *reader)
{
    g_autoptr(GPtrArray) screens = strings(reader, "vfb");

    if (reader->hvm && number(reader, "vnc", 0))
        write_vnc(reader, number(reader, "vncunused", 1) != 0, number(reader, "vncdisplay", 0), string(reader, "vnclisten"),
                  string(reader, "vncpasswd"), string(reader, "keymap"));
    if (!reader->hvm && screens->len > 0) {
        g_auto(GStrv) words = g_strsplit(screens->pdata[0], ",", -1);
        const char *display = word(words, "vncdisplay");

        write_vnc(reader, g_strcmp0(word(words, "vncunused"), "1") == 0, display ? g_ascii_strtoll(display, NULL, 10) : 0,
                  word(words, "vnclisten"), word(words, "vncpasswd"), word(words, "keymap"));
    }
}

/* --- other hardware --- */

/* As -serial of QEMU's takes it. */
static void write_serial(const Reader *reader, const char *text, guint port)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 3);
    g_autofree char *end = parts[0] && parts[1] && parts[2] ? g_strndup(parts[2], strcspn(parts[2], ",")) : NULL;
    g_autofree char *path = parts[0] && parts[1] ? g_strndup(parts[1], strcspn(parts[1], ",")) : NULL;
    gboolean telnet = g_str_equal(parts[0], "telnet"), tcp = telnet || g_str_equal(parts[0], "tcp");
    gboolean device = *text == '/', serves = strstr(text, ",server") != NULL;

    xml_writer_open(reader->xml, "serial");
    xml_writer_attribute(reader->xml, "type", device ? "dev" : tcp ? "tcp" : parts[0]);
    if (tcp || path || device) {
        xml_writer_open(reader->xml, "source");
        if (tcp || g_str_equal(parts[0], "unix"))
            xml_writer_attribute(reader->xml, "mode", serves ? "bind" : "connect");
        attribute(reader, tcp ? "host" : "path", device ? text : path);
        attribute(reader, "service", tcp ? end : NULL);
        xml_writer_close(reader->xml);
    }
    if (tcp)
        mark(reader, "protocol", "type", telnet ? "telnet" : "raw");
    xml_writer_open(reader->xml, "target");
    xml_writer_attributef(reader->xml, "port", "%u", port);
    xml_writer_close(reader->xml);
    xml_writer_close(reader->xml);
}

static void read_hardware(const Reader *reader)
{
    g_autoptr(GPtrArray) serials = strings(reader, "serial");
    g_autoptr(GPtrArray) sounds = strings(reader, "soundhw");
    g_autoptr(GPtrArray) inputs = strings(reader, "usbdevice");

    for (guint i = 0; i < serials->len; i++)
        if (!g_str_equal(serials->pdata[i], "none"))
            write_serial(reader, serials->pdata[i], i);
    for (guint i = 0; i < inputs->len; i++) {
        xml_writer_open(reader->xml, "input");
        xml_writer_attribute(reader->xml, "type", inputs->pdata[i]);
        xml_writer_attribute(reader->xml, "bus", "usb");
        xml_writer_close(reader->xml);
    }
    for (guint i = 0; i < sounds->len; i++) {
        g_auto(GStrv) models = g_strsplit(sounds->pdata[i], ",", -1);

        for (guint j = 0; models[j]; j++)
            mark(reader, "sound", "model", g_str_equal(models[j], "hda") ? "ich6" : models[j]);
    }
}

static gboolean read_all(Reader *reader, GError **error)
{
    const char *kind;

    if (!read_kind(reader, &kind, error))
        return FALSE;
    xml_writer_open(reader->xml, "domain");
    xml_writer_attribute(reader->xml, "type", "xen");
    if (!string(reader, "name"))
        return error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "config value name was missing");
    element(reader, "name", string(reader, "name"));
    element(reader, "uuid", string(reader, "uuid"));
    read_size(reader);
    read_os(reader, kind);
    read_features(reader);
    read_clock(reader);
    read_actions(reader);
    xml_writer_open(reader->xml, "devices");
    element(reader, "emulator", string(reader, "device_model_override"));
    if (!read_disks(reader, error))
        return FALSE;
    read_interfaces(reader);
    if (reader->hvm)
        read_hardware(reader);
    read_displays(reader);
    xml_writer_close(reader->xml);
    xml_writer_close(reader->xml);
    return TRUE;
}

/* --- the file --- */

static gboolean read_text(Reader *reader, const char *text, GError **error)
{
    if (strlen(text) > TEXT_MAX)
        return error_set(error, VIR_FROM_LIBXL, VIR_ERR_CONF_SYNTAX, "the configuration has more than %d octets", TEXT_MAX);
    if (xlu_cfg_readdata(reader->config, text, (int)strlen(text)) == 0)
        return TRUE;
    fflush(reader->report_file);
    return error_set(error, VIR_FROM_LIBXL, VIR_ERR_CONF_SYNTAX, "%s", reader->report ? g_strchomp(reader->report) : "no configuration");
}

char *xl_config_parse(const char *text, XlConfigFormat format, GError **error)
{
    g_autoptr(XmlWriter) xml = xml_writer_new();
    Reader reader = {.xml = xml, .format = format};

    reader.report_file = open_memstream(&reader.report, &reader.report_size);
    reader.config = xlu_cfg_init(reader.report_file, "configuration");
    gboolean good = read_text(&reader, text, error) && read_all(&reader, error);
    xlu_cfg_destroy(reader.config);
    fclose(reader.report_file);
    free(reader.report);
    return good ? xml_writer_finish(xml) : NULL;
}
