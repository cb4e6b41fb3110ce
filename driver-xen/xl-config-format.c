/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/xl-config.h"

#include <string.h>

#include "driver-xen/config.h"
#include "lib/error.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-disk.h"
#include "lib/uuid.h"

#define UNSUPPORTED VIR_FROM_LIBXL, VIR_ERR_CONFIG_UNSUPPORTED
#define VNC_PORT_BASE 5900
#define BRIDGE_SCRIPT "vif-bridge"
#define MIB 1024 /* KiB */

typedef struct {
    GString *text;
    const Domain *def;
    XlConfigFormat format;
    gboolean hvm;
    char *bad; /* what cannot be written; NULL: all could */
} Writer;

/* --- lines --- */

static void number(Writer *writer, const char *key, gint64 value)
{
    g_string_append_printf(writer->text, "%s = %" G_GINT64_FORMAT "\n", key, value);
}

/* The format has no escapes: what holds a quote is put between the other kind. */
static void quote(Writer *writer, const char *value)
{
    char mark = strchr(value, '"') ? '\'' : '"';

    if (!writer->bad && (strchr(value, mark) || strchr(value, '\n')))
        writer->bad = g_strdup(value);
    g_string_append_printf(writer->text, "%c%s%c", mark, value, mark);
}

static void string(Writer *writer, const char *key, const char *value)
{
    if (!value)
        return;
    g_string_append_printf(writer->text, "%s = ", key);
    quote(writer, value);
    g_string_append_c(writer->text, '\n');
}

static void list(Writer *writer, const char *key, const GPtrArray *values)
{
    if (values->len == 0)
        return;
    g_string_append_printf(writer->text, "%s = [ ", key);
    for (guint i = 0; i < values->len; i++) {
        g_string_append(writer->text, i ? ", " : "");
        quote(writer, values->pdata[i]);
    }
    g_string_append(writer->text, " ]\n");
}

/* --- what it is --- */

static void write_memory_and_cpus(Writer *writer)
{
    const Domain *def = writer->def;
    guint online = domain_vcpus(def), most = domain_max_vcpus(def);

    number(writer, "maxmem", (gint64)((def->memory + MIB - 1) / MIB));
    number(writer, "memory", (gint64)((def->current_memory + MIB - 1) / MIB));
    if (online < most)
        number(writer, "maxvcpus", most);
    number(writer, "vcpus", online);
    string(writer, "cpus", def->vcpu->cpuset);
}

static gboolean write_timer(Writer *writer, const Timer *timer, GError **error)
{
    static const char *const modes[] = {
        [TIMER_MODE_NATIVE] = "native",
        [TIMER_MODE_PARAVIRT] = "native_paravirt",
        [TIMER_MODE_EMULATE] = "always_emulate",
    };

    if (timer->name == TIMER_NAME_TSC) {
        string(writer, "tsc_mode", timer->mode < G_N_ELEMENTS(modes) && modes[timer->mode] ? modes[timer->mode] : "default");
        return TRUE;
    }
    if (timer->name != TIMER_NAME_HPET || !writer->hvm)
        return error_set(error, UNSUPPORTED, "unsupported timer type (name) '%s'", timer_name_to_string(timer->name));
    number(writer, "hpet", timer->present != TOGGLE_OFF);
    return TRUE;
}

static gboolean write_features(Writer *writer, GError **error)
{
    const Features *features = writer->def->features;
    const FeatureXen *xen = features ? features->xen : NULL;
    const Clock *clock = writer->def->clock;

    if (writer->hvm) {
        number(writer, "pae", features && features->pae);
        number(writer, "acpi", features && features->acpi);
        number(writer, "apic", features && features->apic);
        if (features && features->hap && features->hap->state == TOGGLE_OFF)
            number(writer, "hap", 0);
        number(writer, "viridian", features && features->viridian);
    } else if (xen && xen->e820_host && xen->e820_host->state == TOGGLE_ON) {
        number(writer, "e820_host", 1);
    }
    for (guint i = 0; clock && i < clock->timers->len; i++)
        if (!write_timer(writer, clock->timers->pdata[i], error))
            return FALSE;
    return TRUE;
}

static gboolean write_clock(Writer *writer, GError **error)
{
    const Clock *clock = writer->def->clock;
    ClockOffset offset = clock ? clock->offset : CLOCK_OFFSET_UTC;
    gboolean variable = offset == CLOCK_OFFSET_VARIABLE && writer->hvm;

    if (offset != CLOCK_OFFSET_UTC && offset != CLOCK_OFFSET_LOCALTIME && !variable)
        return error_set(error, UNSUPPORTED, "unsupported clock offset='%s'", clock_offset_to_string(offset));
    if (writer->hvm)
        number(writer, "rtc_timeoffset", variable && clock->adjustment ? g_ascii_strtoll(clock->adjustment, NULL, 10) : 0);
    number(writer, "localtime", offset == CLOCK_OFFSET_LOCALTIME || (variable && clock->basis == CLOCK_BASIS_LOCALTIME));
    return TRUE;
}

static void write_actions(Writer *writer)
{
    const Domain *def = writer->def;

    string(writer, "on_poweroff", lifecycle_to_string(def->on_poweroff));
    string(writer, "on_reboot", lifecycle_to_string(def->on_reboot));
    string(writer, "on_crash", crash_action_to_string(def->on_crash));
}

/* --- what it shows --- */

static void vnc_words(const Graphics *graphics, GPtrArray *words)
{
    const GraphicsListen *listen = graphics->listens->len ? graphics->listens->pdata[0] : NULL;
    gboolean any = graphics->autoport == TOGGLE_ON;

    g_ptr_array_add(words, g_strdup_printf("vncunused=%d", any));
    if (!any)
        g_ptr_array_add(words, g_strdup_printf("vncdisplay=%d", graphics->port - VNC_PORT_BASE));
    if (listen && listen->address)
        g_ptr_array_add(words, g_strdup_printf("vnclisten=%s", listen->address));
    if (graphics->passwd)
        g_ptr_array_add(words, g_strdup_printf("vncpasswd=%s", graphics->passwd));
    if (graphics->keymap)
        g_ptr_array_add(words, g_strdup_printf("keymap=%s", graphics->keymap));
}

/* An HVM guest's display is lines of its own, with numbers as numbers. */
static void write_vnc(Writer *writer, const GPtrArray *words)
{
    number(writer, "sdl", 0);
    number(writer, "vnc", 1);
    for (guint i = 0; i < words->len; i++) {
        g_auto(GStrv) parts = g_strsplit(words->pdata[i], "=", 2);
        gboolean numeric = g_str_equal(parts[0], "vncunused") || g_str_equal(parts[0], "vncdisplay");

        if (numeric)
            g_string_append_printf(writer->text, "%s = %s\n", parts[0], parts[1]);
        else
            string(writer, parts[0], parts[1]);
    }
}

static gboolean write_display(Writer *writer, GError **error)
{
    const GPtrArray *displays = writer->def->devices->graphics;
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) vfb = g_ptr_array_new_with_free_func(g_free);
    const Graphics *graphics = displays->len == 1 ? displays->pdata[0] : NULL;

    if (graphics && graphics->type != GRAPHICS_TYPE_VNC)
        return error_set(error, UNSUPPORTED, "unsupported graphics type %s", graphics_type_to_string(graphics->type));
    if (graphics)
        vnc_words(graphics, words);
    if (graphics && writer->hvm) {
        write_vnc(writer, words);
    } else if (graphics) {
        g_autoptr(GString) text = g_string_new("type=vnc");

        for (guint i = 0; i < words->len; i++)
            g_string_append_printf(text, ",%s", (char *)words->pdata[i]);
        g_ptr_array_add(vfb, g_string_free(g_steal_pointer(&text), FALSE));
        list(writer, "vfb", vfb);
    }
    return TRUE;
}

/* --- interfaces --- */

static gboolean add_interface(Writer *writer, const Interface *interface, GPtrArray *ret_words, GError **error)
{
    const char *script = interface->script ? interface->script->path : NULL;
    const char *model = interface->model ? interface->model->type : NULL;
    const BandwidthRate *rate = interface->bandwidth ? interface->bandwidth->outbound : NULL;
    g_autoptr(GString) text = g_string_new(NULL);

    if (interface->type != INTERFACE_TYPE_BRIDGE && interface->type != INTERFACE_TYPE_ETHERNET)
        return error_set(error, UNSUPPORTED, "Unsupported net type '%s'", interface_type_to_string(interface->type));
    gboolean bridge = interface->type == INTERFACE_TYPE_BRIDGE;
    g_string_append_printf(text, "mac=%s", interface->mac->address);
    if (bridge)
        g_string_append_printf(text, ",bridge=%s", interface->source->bridge);
    else if (script)
        g_string_append_printf(text, ",script=%s", script);
    for (guint i = 0; i < interface->ips->len; i++)
        g_string_append_printf(text, "%s%s", i ? " " : ",ip=", ((const InterfaceIp *)interface->ips->pdata[i])->address);
    if (bridge)
        g_string_append_printf(text, ",script=%s", script ? script : BRIDGE_SCRIPT);
    if (model && writer->hvm && g_str_equal(model, "netfront"))
        g_string_append_printf(text, ",type=%s", writer->format == XL_CONFIG_XL ? "vif" : "netfront");
    else if (model)
        g_string_append_printf(text, ",model=%s", model);
    if (interface->target && interface->target->dev)
        g_string_append_printf(text, ",vifname=%s", interface->target->dev);
    if (rate && rate->average > 0)
        g_string_append_printf(text, ",rate=%" G_GUINT64_FORMAT "KB/s", (guint64)rate->average);
    g_ptr_array_add(ret_words, g_string_free(g_steal_pointer(&text), FALSE));
    return TRUE;
}

static gboolean write_interfaces(Writer *writer, GError **error)
{
    const GPtrArray *interfaces = writer->def->devices->interfaces;
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < interfaces->len; i++)
        if (!add_interface(writer, interfaces->pdata[i], words, error))
            return FALSE;
    list(writer, "vif", words);
    return TRUE;
}

/* --- disks --- */

static const char *format_word(const Disk *disk)
{
    StorageFormat format = disk->driver ? disk->driver->type : STORAGE_FORMAT_UNSET;

    return format == STORAGE_FORMAT_VHD ? "xvhd"
           : format == STORAGE_FORMAT_QCOW || format == STORAGE_FORMAT_QCOW2 || format == STORAGE_FORMAT_QED
               ? storage_format_to_string(format)
               : "raw";
}

static char *xl_disk(const Disk *disk)
{
    const char *driver = disk->driver ? disk->driver->name : NULL, *path = disk_path(disk);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "format=%s,vdev=%s,access=%s", format_word(disk), disk->target->dev,
                           disk->readonly ? "ro" : disk->shareable ? "!" : "rw");
    if (driver)
        g_string_append_printf(text, ",backendtype=%s",
                               g_str_equal(driver, "qemu") || g_str_equal(driver, "file") ? "qdisk" : driver);
    if (disk->device == DISK_DEVICE_CDROM)
        g_string_append(text, ",devtype=cdrom");
    if (path) /* last: it takes all that follows */
        g_string_append_printf(text, ",target=%s", path);
    return g_string_free(text, FALSE);
}

static char *xm_disk(const Disk *disk)
{
    const char *driver = disk->driver ? disk->driver->name : NULL, *path = disk_path(disk);
    const char *kind = disk->type == STORAGE_TYPE_FILE ? "file" : "phy";
    GString *text = g_string_new(NULL);

    if (path && g_strcmp0(driver, "tap") == 0)
        g_string_append_printf(text, "tap:%s:", disk->driver->type == STORAGE_FORMAT_RAW ? "aio" : format_word(disk));
    else if (path)
        g_string_append_printf(text, "%s:", driver && !g_str_equal(driver, "qemu") ? driver : kind);
    g_string_append_printf(text, "%s,%s%s,%s", path ? path : "", disk->target->dev,
                           disk->device == DISK_DEVICE_CDROM ? ":cdrom" : "",
                           disk->readonly ? "r" : disk->shareable ? "w!" : "w");
    return g_string_free(text, FALSE);
}

static gboolean write_disks(Writer *writer, GError **error)
{
    const GPtrArray *disks = writer->def->devices->disks;
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < disks->len; i++) {
        const Disk *disk = disks->pdata[i];

        if (disk->transient)
            return error_set(error, UNSUPPORTED, "transient disks not supported yet");
        if (disk->device != DISK_DEVICE_FLOPPY)
            g_ptr_array_add(words, writer->format == XL_CONFIG_XL ? xl_disk(disk) : xm_disk(disk));
    }
    list(writer, "disk", words);
    return TRUE;
}

/* --- hardware --- */

static gboolean write_serials(Writer *writer, GError **error)
{
    const GPtrArray *serials = writer->def->devices->serials;
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    string(writer, "parallel", "none");
    for (guint i = 0; i < serials->len; i++) {
        char *word = config_serial(serials->pdata[i], error);

        if (!word)
            return FALSE;
        g_ptr_array_add(words, g_strdup(word));
        free(word);
    }
    if (serials->len > 1 && writer->format == XL_CONFIG_XM)
        return error_set(error, UNSUPPORTED, "Multiple serial devices are not supported by xen-xm");
    if (serials->len > 1)
        list(writer, "serial", words);
    else
        string(writer, "serial", serials->len ? words->pdata[0] : "none");
    return TRUE;
}

static void write_sound(Writer *writer)
{
    const GPtrArray *sounds = writer->def->devices->sounds;
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < sounds->len; i++)
        g_string_append_printf(text, "%s%s", i ? "," : "", sound_model_to_string(((const Sound *)sounds->pdata[i])->model));
    if (text->len)
        string(writer, "soundhw", text->str);
}

static void write_inputs(Writer *writer)
{
    const GPtrArray *inputs = writer->def->devices->inputs;
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    for (guint i = 0; i < inputs->len; i++) {
        const Input *input = inputs->pdata[i];

        if (input->bus == INPUT_BUS_USB)
            g_ptr_array_add(words, (char *)(input->type == INPUT_TYPE_MOUSE    ? "mouse"
                                            : input->type == INPUT_TYPE_TABLET ? "tablet"
                                                                               : "keyboard"));
    }
    if (words->len == 0)
        return;
    number(writer, "usb", 1);
    if (words->len == 1)
        string(writer, "usbdevice", words->pdata[0]);
    else
        list(writer, "usbdevice", words);
}

static void write_boot(Writer *writer)
{
    const DomainOs *os = writer->def->os;
    gboolean xl = writer->format == XL_CONFIG_XL;

    if (writer->hvm)
        string(writer, "builder", "hvm");
    else if (xl && os->type->value == OS_TYPE_XENPVH)
        string(writer, "type", "pvh");
    if (xl && writer->hvm && (os->firmware == OS_FIRMWARE_EFI || (os->loader && os->loader->type == LOADER_TYPE_PFLASH)))
        string(writer, "bios", "ovmf");
    string(writer, "bootloader", writer->def->bootloader);
    string(writer, "bootargs", writer->def->bootloader_args);
    if (writer->hvm && !xl) {
        string(writer, "kernel", os->loader ? os->loader->path : NULL); /* xm knows no other for such a guest */
    } else {
        string(writer, "kernel", os->kernel);
        string(writer, "ramdisk", os->initrd);
        string(writer, xl ? "cmdline" : "extra", os->cmdline);
    }
    if (writer->hvm) {
        char *order = config_boot_order(writer->def);

        string(writer, "boot", order);
        free(order);
    }
}

static void write_limits(Writer *writer)
{
    const GPtrArray *controllers = writer->def->devices->controllers;

    for (guint i = 0; i < controllers->len; i++) {
        const Controller *bus = controllers->pdata[i];

        if (bus->type != CONTROLLER_TYPE_XENBUS)
            continue;
        if (bus->max_event_channels != UNSET32)
            number(writer, "max_event_channels", bus->max_event_channels);
        if (bus->max_grant_frames != UNSET32)
            number(writer, "max_grant_frames", bus->max_grant_frames);
    }
}

static gboolean write_all(Writer *writer, GError **error)
{
    const Domain *def = writer->def;
    char text[UUID_TEXT];

    uuid_format(def->uuid.bytes, text);
    string(writer, "name", def->name);
    string(writer, "uuid", text);
    write_memory_and_cpus(writer);
    if (!write_features(writer, error) || !write_clock(writer, error))
        return FALSE;
    write_actions(writer);
    string(writer, "device_model_override", def->devices->emulator);
    if (!write_display(writer, error) || !write_interfaces(writer, error) || (writer->hvm && !write_serials(writer, error)))
        return FALSE;
    if (writer->hvm)
        write_sound(writer);
    write_boot(writer);
    if (writer->format == XL_CONFIG_XL)
        write_limits(writer);
    if (!write_disks(writer, error))
        return FALSE;
    if (writer->hvm)
        write_inputs(writer);
    return TRUE;
}

char *xl_config_format(const Domain *def, XlConfigFormat format, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Writer writer = {text, def, format, def->os->type->value == OS_TYPE_HVM};

    gboolean written = write_all(&writer, error);
    g_autofree char *bad = writer.bad;
    if (written && bad)
        written = error_set(error, UNSUPPORTED, "'%s' cannot be written in a configuration of xl: both quotes or a line's end are in it", bad);
    return written ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}
